// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// foreign makes messages in a foreign format of messages in OTLP. So keys, streams and the order of items are those of OTLP.
type foreign struct {
	Foreign

	// otlp groups the items of a push, and divides groups that are too large.
	otlp *Marshaler
	// end is what a message ends with.
	end string
	// truncates says that items which are too large are cut.
	truncates bool
	// target and limit are [Config.TargetSize] and [Config.MaxSize].
	target, limit int
	// compressor is nil for no compression.
	compressor compressor
	buffers    *buffers
}

// newForeign returns the format of a valid configuration, which has one.
func newForeign(cfg Config, m *Marshaler) (*foreign, error) {
	inner := cfg
	inner.Foreign, inner.Encoding, inner.SignalMarker, inner.Newline = nil, OTLPProto, false, false
	inner.Compression, inner.CompressionLevel = NoCompression, 0
	inner.TargetSize, inner.MaxSize = MaxPlainSize, MaxPlainSize
	otlp, err := New(inner)
	if err != nil {
		return nil, err
	}
	f := &foreign{
		Foreign: *cfg.Foreign, otlp: otlp, target: cfg.TargetSize, limit: cfg.MaxSize,
		compressor: m.compressor, buffers: m.buffers, truncates: cfg.Oversize == TruncateOversize,
	}
	if cfg.Newline {
		f.end = "\n"
	}
	return f, nil
}

// translate makes messages of those of a push in OTLP, which it takes over. An error of that push stays.
func (f *foreign) translate(signal Signal, otlp Encoded, err error) (Encoded, error) {
	if err == nil && !f.Has(signal) {
		err = fmt.Errorf("marshaler: %s has no %s", f.Name, signal)
	}
	if err != nil {
		otlp.Release()
		return Encoded{}, err
	}
	made := otlp // with what was mended, and too large even for OTLP
	made.Messages = make([]Message, 0, len(otlp.Messages))
	for _, m := range otlp.Messages {
		f.add(&made, signal, m)
	}
	return made, nil
}

// add adds the messages that are made of one message in OTLP, which it takes over.
func (f *foreign) add(made *Encoded, signal Signal, m Message) {
	if f.EachItem && m.Items > 1 {
		f.addItems(made, signal, m)
		return
	}
	data, err := f.encode(signal, m.Data)
	switch {
	case err != nil && m.Items > 1:
		f.addParts(made, signal, m, (m.Items+1)/2)
	case err != nil:
		f.fail(made, signal, m, err)
	case len(data) == 0:
		f.fail(made, signal, m, errNoBytes)
	default:
		f.addData(made, signal, m, data)
	}
}

// errNoBytes is why items are rejected of which a format makes nothing. A record without data would tell readers nothing.
var errNoBytes = errors.New("it makes no bytes of this")

// addData adds a message with the data that was made of m. If it is too large, it makes several messages.
func (f *foreign) addData(made *Encoded, signal Signal, m Message, data []byte) {
	b, size := f.finish(&m, data)
	switch {
	case size <= f.target, size <= f.limit && m.Items == 1:
		made.Messages = append(made.Messages, f.message(m, b))
		return
	case m.Items == 1:
		f.oversize(made, signal, m, size)
	default:
		parts := min((size+f.target-1)/f.target, m.Items)
		f.addParts(made, signal, m, (m.Items+parts-1)/parts)
	}
	b.release()
}

// oversize takes in an item that would make a message of size bytes by itself, which is too large. The item is cut and gets a
// message, or is rejected.
func (f *foreign) oversize(made *Encoded, signal Signal, m Message, size int) {
	err := &ItemSizeError{Signal: signal, Size: size, Limit: f.limit, Resource: f.resourceOf(signal, m.Data)}
	if data, ok := f.truncate(signal, &m, size-m.keySize()); ok {
		b := f.buffers.get(len(data))
		copy(b.data, data)
		made.Messages = append(made.Messages, f.message(m, b))
		made.Truncated = append(made.Truncated, err)
		return
	}
	made.Rejected = append(made.Rejected, err)
	m.Release()
}

// truncate returns the data of a message with one item, whose longest values are cut. It returns false if items are not cut, or
// if that does not help.
func (f *foreign) truncate(signal Signal, m *Message, size int) (data []byte, ok bool) {
	if !f.truncates {
		return nil, false
	}
	pdata, err := f.otlp.codec.decode(signal, m.Data)
	if err != nil {
		return nil, false
	}
	enough := (f.limit - m.keySize()) * wellTruncated / 16
	return valuesOf(pdata, size).longestThatFits(enough, func() ([]byte, bool) {
		otlp, err := f.otlp.codec.encode(pdata)
		if err != nil {
			return nil, false
		}
		data, err := f.encode(signal, otlp)
		if err != nil {
			return nil, false
		}
		b, size := f.finish(m, data)
		defer b.release()
		return bytes.Clone(b.data), size <= f.limit
	})
}

// addParts divides a message in OTLP, which it takes over, and adds the messages that are made of its parts.
func (f *foreign) addParts(made *Encoded, signal Signal, m Message, items int) {
	parts, err := f.otlp.Divide(signal, &m, items)
	if err != nil {
		f.fail(made, signal, m, err)
		return
	}
	m.Release()
	for _, part := range parts {
		f.add(made, signal, part)
	}
}

// message returns the message that takes the place of one in OTLP.
func (f *foreign) message(m Message, b *buffer) Message {
	if m.Items > 1 || f.KeepOTLP {
		m.otlp, m.source = m.Data, m.buffer
	} else {
		m.buffer.release()
	}
	m.Data, m.buffer = b.data, b
	return m
}

// finish returns the data of a message in a buffer, compressed if that is configured, and its size with the key. A single item
// that compression alone makes too large is not compressed. What readers would not decompress is not compressed, and far too
// large.
func (f *foreign) finish(m *Message, data []byte) (b *buffer, size int) {
	b = f.buffers.get(len(data) + len(f.end))
	copy(b.data, data)
	copy(b.data[len(data):], f.end)
	if f.compressor != nil && len(b.data) <= MaxPlainSize {
		compressed := f.compressor.compress(nil, b.data)
		if m.Items > 1 || len(compressed)+m.keySize() <= f.limit || len(compressed) <= len(b.data) {
			plain := len(b.data)
			b.release()
			b = f.buffers.get(len(compressed))
			copy(b.data, compressed)
			b.plain = plain
		}
	}
	return b, len(b.data) + m.keySize()
}

// fail rejects the items of a message in OTLP, which it takes over.
func (f *foreign) fail(made *Encoded, signal Signal, m Message, cause error) {
	made.Failed = append(made.Failed, &EncodingError{
		Signal: signal, Encoding: f.Name, Items: m.Items, Resource: f.resourceOf(signal, m.Data), cause: cause,
	})
	m.Release()
}

// encode decodes OTLP and encodes it again.
func (f *foreign) encode(signal Signal, otlp []byte) ([]byte, error) {
	pdata, err := f.otlp.codec.decode(signal, otlp)
	if err != nil {
		return nil, err
	}
	return f.call(pdata)
}

// call calls the function of the format. A function that panics fails.
func (f *foreign) call(pdata any) (data []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			data, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	switch pdata := pdata.(type) {
	case plog.Logs:
		return f.Logs(pdata)
	case ptrace.Traces:
		return f.Traces(pdata)
	case pmetric.Metrics:
		return f.Metrics(pdata)
	case pprofile.Profiles:
		return f.Profiles(pdata)
	}
	return nil, fmt.Errorf("%T is no pdata of a signal", pdata)
}

// resourceOf names the first resource in OTLP, see [ItemSizeError.Resource].
func (f *foreign) resourceOf(signal Signal, otlp []byte) string {
	pdata, err := f.otlp.codec.decode(signal, otlp)
	if err != nil {
		return ""
	}
	switch pdata := pdata.(type) {
	case plog.Logs:
		return nameOf(pdata.ResourceLogs().At(0).Resource().Attributes())
	case ptrace.Traces:
		return nameOf(pdata.ResourceSpans().At(0).Resource().Attributes())
	case pmetric.Metrics:
		return nameOf(pdata.ResourceMetrics().At(0).Resource().Attributes())
	case pprofile.Profiles:
		return nameOf(pdata.ResourceProfiles().At(0).Resource().Attributes())
	}
	return ""
}

// divide divides a message of this format, see [Marshaler.Divide].
func (f *foreign) divide(signal Signal, message *Message, items int) ([]Message, error) {
	if message.Items == 1 {
		b := f.buffers.get(len(message.Data))
		copy(b.data, message.Data)
		b.plain = message.PlainSize()
		part := *message
		part.Data, part.buffer, part.otlp, part.source = b.data, b, bytes.Clone(message.otlp), nil
		return []Message{part}, nil
	}
	otlp := *message
	otlp.Data, otlp.buffer, otlp.otlp, otlp.source = message.otlp, nil, nil, nil
	parts, err := f.otlp.Divide(signal, &otlp, items)
	if err != nil {
		return nil, err
	}
	made, err := f.translate(signal, Encoded{Messages: parts}, nil)
	if err == nil && len(made.Failed)+len(made.Rejected) > 0 {
		made.Release()
		return nil, fmt.Errorf("marshaler: %s does not encode parts of what it has encoded as a whole", f.Name)
	}
	return made.Messages, err
}
