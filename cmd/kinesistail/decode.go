package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// otlp is a user record's data, decoded.
type otlp struct {
	signal      marshaler.Signal
	encoding    marshaler.Encoding
	compression marshaler.Compression
	items       int             // log records, spans or data points
	payload     json.RawMessage // the same in the JSON encoding of OTLP; nil if it is not wanted
}

var errNotOTLP = errors.New("not OTLP")

// decoder decodes OTLP.
type decoder struct {
	signal     *marshaler.Signal // what all data is; nil means to detect it
	wantJSON   bool              // whether payloads are wanted
	marshalers map[marshaler.Encoding]*marshaler.Marshaler
}

func newDecoder(signal *marshaler.Signal, wantJSON bool) (*decoder, error) {
	d := &decoder{signal: signal, wantJSON: wantJSON, marshalers: map[marshaler.Encoding]*marshaler.Marshaler{}}
	for _, encoding := range []marshaler.Encoding{marshaler.OTLPProto, marshaler.OTLPJSON} {
		const anySize = 1 << 20 // Sizes are for encoding, which is not done here.
		m, err := marshaler.New(marshaler.Config{Encoding: encoding, TargetSize: anySize, MaxSize: anySize})
		if err != nil {
			return nil, err
		}
		d.marshalers[encoding] = m
	}
	return d, nil
}

// decode decodes data, which may be compressed. It returns an error if data is not OTLP.
func (d *decoder) decode(data []byte) (otlp, error) {
	data, compression, err := marshaler.Decompress(data, marshaler.MaxPlainSize)
	if err != nil {
		return otlp{}, fmt.Errorf("%w: %w", errNotOTLP, err)
	}
	o, err := d.identify(data)
	if err != nil {
		return otlp{}, err
	}
	o.compression = compression
	m := d.marshalers[o.encoding]
	var render func() ([]byte, error)
	switch o.signal {
	case marshaler.Logs:
		var logs plog.Logs
		if logs, err = m.UnmarshalLogs(data); err == nil {
			o.items = logs.LogRecordCount()
			render = func() ([]byte, error) { return new(plog.JSONMarshaler).MarshalLogs(logs) }
		}
	case marshaler.Traces:
		var traces ptrace.Traces
		if traces, err = m.UnmarshalTraces(data); err == nil {
			o.items = traces.SpanCount()
			render = func() ([]byte, error) { return new(ptrace.JSONMarshaler).MarshalTraces(traces) }
		}
	case marshaler.Metrics:
		var metrics pmetric.Metrics
		if metrics, err = m.UnmarshalMetrics(data); err == nil {
			o.items = metrics.DataPointCount()
			render = func() ([]byte, error) { return new(pmetric.JSONMarshaler).MarshalMetrics(metrics) }
		}
	default:
		err = fmt.Errorf("signal %v", o.signal)
	}
	if err == nil && d.wantJSON {
		o.payload, err = render()
	}
	if err != nil {
		return otlp{}, fmt.Errorf("%w: %w", errNotOTLP, err)
	}
	return o, nil
}

// identify returns the signal and the encoding of data. If the signal is given, only the encoding is detected. That also works
// for data that has too little in it to detect its signal.
func (d *decoder) identify(data []byte) (otlp, error) {
	if d.signal == nil {
		signal, encoding, ok := marshaler.Detect(data)
		if !ok {
			return otlp{}, errNotOTLP
		}
		return otlp{signal: signal, encoding: encoding}, nil
	}
	if len(data) > 0 && data[0] == '{' {
		return otlp{signal: *d.signal, encoding: marshaler.OTLPJSON}, nil
	}
	return otlp{signal: *d.signal, encoding: marshaler.OTLPProto}, nil
}
