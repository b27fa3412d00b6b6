package marshaler

import (
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Chunk is the payload of one user record.
type Chunk struct {
	// Data is a complete, valid Export*ServiceRequest on its own, compressed as [Config.Compression] says. It shares no
	// memory with the pdata it came from.
	Data []byte
	// PartitionKey is empty if the chunk may go to any shard.
	PartitionKey string
	// Items is how many log records, spans or data points Data holds, at least one.
	Items int

	buffer *buffer // that Data lies in
}

// Release gives the memory of Data back, for the chunks of later requests. Data must not be read any more then, neither
// here nor in a copy of the chunk, and Release not be called again. Without it, the memory is garbage in the end.
func (c *Chunk) Release() {
	c.Data = nil
	c.buffer.release()
	c.buffer = nil
}

// Encoded is a request as chunks. The items of all Chunks and the Rejected ones add up to the items of the request.
type Encoded struct {
	// Chunks are in the order of their items; with keys by resource attributes, in the order in which keys first appear.
	Chunks []Chunk
	// Rejected has one error for each item that fits no chunk.
	Rejected []*ItemSizeError
}

// Release releases all chunks, see [Chunk.Release].
func (e *Encoded) Release() {
	for i := range e.Chunks {
		e.Chunks[i].Release()
	}
}

// ItemSizeError says by how much an item is too large to be sent.
type ItemSizeError struct {
	Signal Signal
	// Size is the bytes of the chunk that the item alone would make, partition key included, and after compression unless
	// it is more than [MaxPlainSize] before. Limit is [Config.MaxSize].
	Size, Limit int
}

func (e *ItemSizeError) Error() string {
	return fmt.Sprintf("marshaler: a %s takes %d bytes with its resource and partition key, the limit is %d",
		e.Signal.item(), e.Size, e.Limit)
}

// Marshaler encodes pdata as chunks and back. Any number of goroutines may use one at the same time. It only reads the
// pdata it is given and keeps none of it.
type Marshaler struct {
	cfg        Config
	keys       keyer
	codec      codec
	layouts    [Metrics + 1][]layer
	compressor compressor // nil for none
	ratios     [Metrics + 1]ratio
	buffers    *buffers
	guesses    [Metrics + 1]sizeGuess
	pieceSize  int
	workers    sync.Pool // of *chunker: their slices grow to what the usual request takes
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
	return &Marshaler{
		cfg:        cfg,
		keys:       newKeyer(cfg.Key),
		codec:      newCodec(cfg.Encoding),
		layouts:    [...][]layer{Logs: Logs.layout(), Traces: Traces.layout(), Metrics: Metrics.layout()},
		compressor: compressor,
		buffers:    new(buffers),
		pieceSize:  pieceSize,
		workers:    sync.Pool{New: func() any { return new(chunker) }},
	}, nil
}

// MarshalLogs encodes log records. A request without any makes no chunk.
func (m *Marshaler) MarshalLogs(logs plog.Logs) (Encoded, error) {
	resources := logs.ResourceLogs()
	return encode(m, request{
		signal:     Logs,
		items:      logs.LogRecordCount(),
		resources:  resources.Len(),
		attributes: func(i int) pcommon.Map { return resources.At(i).Resource().Attributes() },
	}, logs, m.codec.encodeLogs.MarshalLogs)
}

// MarshalTraces encodes spans. A request without any makes no chunk.
func (m *Marshaler) MarshalTraces(traces ptrace.Traces) (Encoded, error) {
	resources := traces.ResourceSpans()
	return encode(m, request{
		signal:     Traces,
		items:      traces.SpanCount(),
		resources:  resources.Len(),
		attributes: func(i int) pcommon.Map { return resources.At(i).Resource().Attributes() },
	}, traces, m.codec.encodeTraces.MarshalTraces)
}

// MarshalMetrics encodes data points. A metric that has more of them than fit a chunk is cut between them: its name,
// description, unit, metadata, temporality and monotonicity are in each part. A request without any data point makes no
// chunk.
func (m *Marshaler) MarshalMetrics(metrics pmetric.Metrics) (Encoded, error) {
	resources := metrics.ResourceMetrics()
	return encode(m, request{
		signal:     Metrics,
		items:      metrics.DataPointCount(),
		resources:  resources.Len(),
		attributes: func(i int) pcommon.Map { return resources.At(i).Resource().Attributes() },
	}, metrics, m.codec.encodeMetrics.MarshalMetrics)
}

// encode makes the chunks of a request: in memory of m's where that is possible, or else with what pdata has for it.
func encode[T any](m *Marshaler, r request, pdata T, marshal func(T) ([]byte, error)) (Encoded, error) {
	if r.items == 0 {
		return Encoded{}, nil
	}
	r.groups = m.keys.groups(r.resources, r.attributes)
	if m.cfg.Encoding == OTLPProto {
		if message, ok := wireMessageOf(pdata); ok {
			if p, ok := m.piecesOf(r, message); ok {
				return m.splitPieces(p)
			}
			if whole, ok := m.buffers.write(message, r.items, &m.guesses[r.signal]); ok {
				return m.split(r, whole)
			}
		}
	}
	data, err := marshal(pdata)
	if err != nil {
		return Encoded{}, fmt.Errorf("marshaler: encode %s: %w", r.signal, err)
	}
	return m.split(r, &buffer{data: data})
}

// UnmarshalLogs is the inverse of [Marshaler.MarshalLogs] for the data of one chunk, compressed in any way or not at all.
func (m *Marshaler) UnmarshalLogs(data []byte) (plog.Logs, error) {
	plain, _, err := Decompress(data, MaxPlainSize)
	if err != nil {
		return plog.Logs{}, err
	}
	logs, err := m.codec.decodeLogs.UnmarshalLogs(plain)
	if err != nil {
		return plog.Logs{}, decodeError(Logs, len(data), err)
	}
	return logs, nil
}

// UnmarshalTraces is the inverse of [Marshaler.MarshalTraces] for the data of one chunk, as UnmarshalLogs is.
func (m *Marshaler) UnmarshalTraces(data []byte) (ptrace.Traces, error) {
	plain, _, err := Decompress(data, MaxPlainSize)
	if err != nil {
		return ptrace.Traces{}, err
	}
	traces, err := m.codec.decodeTraces.UnmarshalTraces(plain)
	if err != nil {
		return ptrace.Traces{}, decodeError(Traces, len(data), err)
	}
	return traces, nil
}

// UnmarshalMetrics is the inverse of [Marshaler.MarshalMetrics] for the data of one chunk, as UnmarshalLogs is.
func (m *Marshaler) UnmarshalMetrics(data []byte) (pmetric.Metrics, error) {
	plain, _, err := Decompress(data, MaxPlainSize)
	if err != nil {
		return pmetric.Metrics{}, err
	}
	metrics, err := m.codec.decodeMetrics.UnmarshalMetrics(plain)
	if err != nil {
		return pmetric.Metrics{}, decodeError(Metrics, len(data), err)
	}
	return metrics, nil
}

func decodeError(signal Signal, size int, err error) error {
	return fmt.Errorf("marshaler: decode %s of %d bytes: %w", signal, size, err)
}
