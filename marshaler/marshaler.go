// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Marshaler encodes pdata as messages, and decodes messages. Any number of goroutines may use a Marshaler at the same time.
// It only reads the pdata that it is given, and keeps none of it.
type Marshaler struct {
	// cfg is the valid configuration.
	cfg Config
	// keys makes the partition keys of a push before it is encoded.
	keys keyer
	// foreign makes messages in a format other than OTLP; nil for OTLP.
	foreign *foreign
	// codec decodes messages, and encodes what cannot be encoded into memory of the Marshaler: JSON, and an unknown pdata.
	codec codec
	// reach is encodableOf. It is a field so that tests can make it fail.
	reach func(pdata any) (encodable, bool)
	// compressor is shared by all fillers. Nil means no compression.
	compressor   compressor
	decompressor *decompressor
	// ratios and guesses learn from each push of a signal, for the later ones.
	ratios  [signals]ratio
	guesses [signals]sizeGuess
	// buffers lends the memory of encoded pushes and of messages.
	buffers *buffers
	// pieceSize is the constant of that name. It is a field so that tests can make pieces small.
	pieceSize int
	// smallestPart is the constant of that name. It is a field so that tests can make messages small.
	smallestPart int
	// fillers has the idle *filler of each signal. Their slices have grown to what a usual push needs.
	fillers [signals]sync.Pool
}

// New returns a Marshaler, or an error that names the field of the configuration that is wrong.
func New(cfg Config) (*Marshaler, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	compressor, err := newCompressor(cfg.Compression, cfg.CompressionLevel)
	if err != nil {
		return nil, fmt.Errorf("marshaler: %w", err)
	}
	m := &Marshaler{
		cfg:          cfg,
		keys:         newKeyer(&cfg),
		codec:        newCodec(cfg.Encoding),
		reach:        encodableOf,
		compressor:   compressor,
		decompressor: new(decompressor),
		buffers:      new(buffers),
		pieceSize:    pieceSize,
		smallestPart: smallestPart,
	}
	if cfg.Foreign != nil {
		m.foreign, err = newForeign(cfg, m)
		return m, err
	}
	for _, s := range []Signal{Logs, Traces, Metrics, Profiles} {
		m.fillers[s].New = func() any {
			return newFiller(fillerConfig{
				Config: cfg, signal: s, codec: &m.codec, compressor: m.compressor, ratio: &m.ratios[s], buffers: m.buffers,
				smallestPart: m.smallestPart,
			})
		}
	}
	return m, nil
}

// FallsBack reports whether pdata of the signal is encoded by pdata's public marshaler only. This is so if the binary has a
// version of pdata that this package does not know from inside. The messages are the same, but encoding takes more CPU time
// and makes garbage. It is always false for [OTLPJSON], which has no faster way,
// except for profiles.
func (m *Marshaler) FallsBack(signal Signal) bool {
	if m.foreign != nil {
		return m.foreign.otlp.FallsBack(signal)
	}
	if m.cfg.Encoding != OTLPProto && signal != Profiles {
		return false
	}
	empty := [...]any{
		Logs: plog.NewLogs(), Traces: ptrace.NewTraces(), Metrics: pmetric.NewMetrics(), Profiles: pprofile.NewProfiles(),
	}
	source, ok := m.reach(empty[signal])
	if ok && signal != Profiles {
		_, ok = partsOf(source, 0)
	}
	return !ok
}

// MarshalLogs encodes log records. Logs without any log record make no message.
func (m *Marshaler) MarshalLogs(logs plog.Logs, options ...PushOption) (Encoded, error) {
	resources := logs.ResourceLogs()
	return encode(m, push{
		signal:     Logs,
		items:      logs.LogRecordCount(),
		resources:  resources.Len(),
		attributes: func(i int) pcommon.Map { return resources.At(i).Resource().Attributes() },
	}, logs, m.codec.encodeLogs.MarshalLogs, options)
}

// MarshalTraces encodes spans. Traces without any span make no message.
func (m *Marshaler) MarshalTraces(traces ptrace.Traces, options ...PushOption) (Encoded, error) {
	resources := traces.ResourceSpans()
	return encode(m, push{
		signal:     Traces,
		items:      traces.SpanCount(),
		resources:  resources.Len(),
		attributes: func(i int) pcommon.Map { return resources.At(i).Resource().Attributes() },
	}, traces, m.codec.encodeTraces.MarshalTraces, options)
}

// MarshalMetrics encodes data points. Metrics without any data point make no message.
//
// A metric with more data points than fit a message is cut between them. Each part has the metric's name, description, unit,
// metadata, temporality and monotonicity.
func (m *Marshaler) MarshalMetrics(metrics pmetric.Metrics, options ...PushOption) (Encoded, error) {
	resources := metrics.ResourceMetrics()
	return encode(m, push{
		signal:     Metrics,
		items:      metrics.DataPointCount(),
		resources:  resources.Len(),
		attributes: func(i int) pcommon.Map { return resources.At(i).Resource().Attributes() },
	}, metrics, m.codec.encodeMetrics.MarshalMetrics, options)
}

// MarshalProfiles encodes samples of profiles. Profiles without any sample make no message.
//
// Each message has a dictionary of its own, with all that its samples refer to. If the push does not fit one message, that is
// less than the dictionary of the push. A profile is in one message if it fits any. A larger one is cut between its samples,
// and each part has all else of the profile.
//
// Messages of profiles must not be appended to each other: a reader would join their dictionaries, and would find the wrong
// entries for all but the first.
func (m *Marshaler) MarshalProfiles(profiles pprofile.Profiles, options ...PushOption) (Encoded, error) {
	resources := profiles.ResourceProfiles()
	return encode(m, push{
		signal:     Profiles,
		items:      profiles.SampleCount(),
		resources:  resources.Len(),
		attributes: func(i int) pcommon.Map { return resources.At(i).Resource().Attributes() },
	}, profiles, marshalCopy, options)
}

// encode makes the messages of a push.
func encode[T any](
	m *Marshaler, p push, pdata T, marshal func(T) ([]byte, error), options []PushOption,
) (Encoded, error) {
	if p.items == 0 {
		return Encoded{}, nil
	}
	if m.foreign != nil {
		otlp, err := encode(m.foreign.otlp, p, pdata, marshal, options)
		return m.foreign.translate(p.signal, otlp, err)
	}
	p.apply(options)
	f := m.fillers[p.signal].Get().(*filler)
	defer m.fillers[p.signal].Put(f)
	if m.keys.readsItems() && p.signal != Profiles {
		p.records = func(visit func(*record)) { eachRecord(pdata, visit) }
	}
	m.keys.group(&p, &f.grouper)
	f.mender = mender{}
	encoded, err := encodeWith(m, f, &p, pdata, marshal)
	f.name(&encoded, func(resource int) string { return nameOf(p.attributes(resource)) })
	encoded.Mended = f.mender.mended(&p)
	encoded.note(&p)
	return encoded, err
}

// encodeWith makes the messages of a push. If pdata can be reached, it is encoded into memory of the Marshaler, else by marshal.
func encodeWith[T any](m *Marshaler, f *filler, p *push, pdata T, marshal func(T) ([]byte, error)) (Encoded, error) {
	if p.signal == Profiles {
		return encodeProfiles(m, f, p, pdata, marshal)
	}
	if m.cfg.Encoding == OTLPProto {
		if source, ok := m.reach(pdata); ok {
			guess := &m.guesses[p.signal]
			if pieces, ok := newPieces(*p, source, guess, m.pieceSize); ok {
				return pieces.split(f, guess)
			}
			if whole, ok := m.buffers.write(len(f.marker), source, p.items, guess); ok {
				return f.split(p, f.mark(f.mend(whole, len(f.marker))))
			}
		}
	}
	data, err := marshal(pdata)
	if err == nil && m.cfg.Encoding == OTLPJSON && !isCleanJSON(data) {
		data, err = m.mendJSON(f, pdata)
	}
	if err != nil {
		return Encoded{}, fmt.Errorf("marshaler: encode %s: %w", p.signal, err)
	}
	if m.cfg.Newline {
		data = append(data, '\n')
	}
	whole := &buffer{data: data}
	if m.cfg.Encoding == OTLPProto {
		whole = f.mend(whole, 0)
	}
	if len(f.marker) > 0 {
		whole = f.marked(whole.data)
	}
	return f.split(p, whole)
}

// UnmarshalLogs decodes the data of one message of logs, compressed in any way or not at all. It fails for data that is
// malformed, or that has more than [MaxPlainSize] bytes before compression.
func (m *Marshaler) UnmarshalLogs(data []byte) (plog.Logs, error) {
	plain, err := m.decompressor.plain(data)
	if err != nil {
		return plog.Logs{}, err
	}
	logs, err := m.codec.decodeLogs.UnmarshalLogs(plain)
	if err != nil {
		return plog.Logs{}, decodeError(Logs, len(data), err)
	}
	return logs, nil
}

// UnmarshalTraces decodes the data of one message of traces, as [Marshaler.UnmarshalLogs] does for logs.
func (m *Marshaler) UnmarshalTraces(data []byte) (ptrace.Traces, error) {
	plain, err := m.decompressor.plain(data)
	if err != nil {
		return ptrace.Traces{}, err
	}
	traces, err := m.codec.decodeTraces.UnmarshalTraces(plain)
	if err != nil {
		return ptrace.Traces{}, decodeError(Traces, len(data), err)
	}
	return traces, nil
}

// UnmarshalMetrics decodes the data of one message of metrics, as [Marshaler.UnmarshalLogs] does for logs.
func (m *Marshaler) UnmarshalMetrics(data []byte) (pmetric.Metrics, error) {
	plain, err := m.decompressor.plain(data)
	if err != nil {
		return pmetric.Metrics{}, err
	}
	metrics, err := m.codec.decodeMetrics.UnmarshalMetrics(plain)
	if err != nil {
		return pmetric.Metrics{}, decodeError(Metrics, len(data), err)
	}
	return metrics, nil
}

// UnmarshalProfiles decodes the data of one message of profiles, as [Marshaler.UnmarshalLogs] does for logs.
func (m *Marshaler) UnmarshalProfiles(data []byte) (pprofile.Profiles, error) {
	plain, err := m.decompressor.plain(data)
	if err != nil {
		return pprofile.Profiles{}, err
	}
	profiles, err := m.codec.decodeProfiles.UnmarshalProfiles(plain)
	if err != nil {
		return pprofile.Profiles{}, decodeError(Profiles, len(data), err)
	}
	return profiles, nil
}

func decodeError(signal Signal, size int, err error) error {
	return fmt.Errorf("marshaler: decode %s of %d bytes: %w", signal, size, err)
}
