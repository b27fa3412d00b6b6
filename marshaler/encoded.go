// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// MarshalEncoded makes messages of a push that is encoded already: an Export*ServiceRequest of the signal in protobuf, not
// compressed. Who wrote it does not matter. The messages are those that pdata of the same bytes would make, except that fields
// which OTLP does not know may stay. Markers do not stay: each message has one marker, or none, as [Config.SignalMarker] says.
//
// Every field is checked, however deep it lies. Bytes that every reader decodes are cut as they are. Others are decoded by pdata
// first, which takes ten times as long. So is everything with the encoding [OTLPJSON]. If pdata cannot decode them, the error
// wraps [ErrMalformed], and there are no messages.
//
// The Marshaler only reads otlp, and keeps nothing of it. The caller may change it as soon as MarshalEncoded returns. The caller
// owns the messages until it releases them, see [Message.Release].
func (m *Marshaler) MarshalEncoded(signal Signal, otlp []byte, options ...PushOption) (Encoded, error) {
	if signal > Profiles {
		return Encoded{}, fmt.Errorf("marshaler: there is no signal %d", signal)
	}
	if m.foreign != nil {
		encoded, err := m.foreign.otlp.MarshalEncoded(signal, otlp, options...)
		return m.foreign.translate(signal, encoded, err)
	}
	if (m.cfg.Encoding == OTLPProto || signal == Profiles) && isSound(otlp, signal.request(), 0) {
		f := m.fillers[signal].Get().(*filler)
		defer m.fillers[signal].Put(f)
		if encoded, ok := f.splitBytes(&m.keys, otlp, options); ok {
			return encoded, nil
		}
	}
	return m.marshalDecoded(signal, otlp, options)
}

// marshalDecoded makes messages of bytes that cannot be cut as they are. It decodes them first.
func (m *Marshaler) marshalDecoded(signal Signal, otlp []byte, options []PushOption) (Encoded, error) {
	proto := newCodec(OTLPProto)
	pdata, err := proto.decode(signal, migrate(otlp))
	if err != nil {
		return Encoded{}, fmt.Errorf("marshaler: %w: decode %s of %d bytes: %w", ErrMalformed, signal, len(otlp), err)
	}
	switch pdata := pdata.(type) {
	case plog.Logs:
		return m.MarshalLogs(pdata, options...)
	case ptrace.Traces:
		return m.MarshalTraces(pdata, options...)
	case pmetric.Metrics:
		return m.MarshalMetrics(pdata, options...)
	case pprofile.Profiles:
		return m.MarshalProfiles(pdata, options...)
	}
	return Encoded{}, nil // never: there are four signals
}

// splitBytes cuts encoded OTLP, which is sound and belongs to the caller, into messages. It returns false for bytes that
// cannot be cut, such as items with something between them.
func (f *filler) splitBytes(keys *keyer, otlp []byte, options []PushOption) (Encoded, bool) {
	defer f.forget()
	err := f.cut(otlp, 0, 0)
	if (err != nil || f.tree.container(0, 0).around() > 0) && hasMarker(otlp) {
		otlp = appendUnmarked(nil, otlp)
		err = f.cut(otlp, 0, 0)
	}
	if err != nil {
		return Encoded{}, false
	}
	f.tree.prefix = f.marker
	p := push{signal: f.signal, items: f.tree.itemCount(), resources: f.tree.resourceCount()}
	if f.signal == Profiles {
		return f.splitProfileBytes(keys, &p, options)
	}
	if p.items == 0 {
		return Encoded{}, true
	}
	p.apply(options)
	if keys.readsItems() {
		p.records = func(visit func(*record)) { f.tree.eachRecord(f.signal, keys.namesOfItems(), visit) }
	}
	if keys.readsResources() {
		resources := f.tree.resourcesWith(keys.namesOfResources(), 0, p.resources)
		p.attributes = func(i int) pcommon.Map { return resources.At(i).Resource().Attributes() }
	}
	keys.group(&p, &f.grouper)
	var encoded Encoded
	if f.fitsOne(&p, len(f.marker)+len(otlp)) {
		encoded = p.only(f.marked(otlp))
	} else {
		f.fillGroups(&p)
		encoded = f.encoded
		f.name(&encoded, func(resource int) string { return nameOf(f.tree.attributesWith(naming, resource)) })
	}
	encoded.note(&p)
	return encoded, true
}
