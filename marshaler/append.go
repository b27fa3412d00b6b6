// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "fmt"

// AppendProto appends the telemetry of a message to dst, as an OTLP request in protobuf that is not compressed, and returns the
// longer slice. That is what [Marshaler.MarshalEncoded] takes. The parameter data is [Message.Data] of the signal.
// What it appends has no marker, see [Config.SignalMarker].
//
// Several messages of one signal, appended one after the other, are one OTLP request with all their items, in order. That is not
// so for profiles, see [Marshaler.MarshalProfiles].
//
// It fails for data that is damaged, that is no OTLP, or that has more than [MaxPlainSize] bytes before compression. It then
// returns dst as it was.
func (m *Marshaler) AppendProto(dst []byte, signal Signal, data []byte) ([]byte, error) {
	if m.foreign != nil {
		return dst, fmt.Errorf("marshaler: %s is no encoding of OTLP", m.foreign.Name)
	}
	c := compressionOf(data)
	switch {
	case m.cfg.Encoding == OTLPProto && c == NoCompression:
		return appendUnmarked(dst, data), nil
	case m.cfg.Encoding == OTLPProto:
		out, err := m.decompressor.append(dst, data, c, MaxPlainSize)
		if err != nil {
			return dst, err
		}
		return appendUnmarked(out[:len(dst)], out[len(dst):]), nil
	}
	plain, err := m.decompressor.plain(data)
	if err != nil {
		return dst, err
	}
	pdata, err := m.codec.decode(signal, plain)
	if err != nil {
		return dst, decodeError(signal, len(data), err)
	}
	proto := newCodec(OTLPProto)
	encoded, err := proto.encode(pdata)
	if err != nil {
		return dst, decodeError(signal, len(data), err)
	}
	return append(dst, encoded...), nil
}
