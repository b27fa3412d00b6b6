// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// otlp is a user record's data, decoded.
type otlp struct {
	signal      marshaler.Signal
	encoding    marshaler.Encoding
	compression marshaler.Compression
	items       int             // log records, spans, data points or samples
	payload     json.RawMessage // the same in the JSON encoding of OTLP; nil if it is not wanted
	text        string          // data that is text and not OTLP, without compression
	plain       int             // bytes of the data before compression; 0 if the data cannot be decoded
}

var errNotOTLP = errors.New("not OTLP")

// decoder decodes OTLP.
type decoder struct {
	signal   *marshaler.Signal // what all data is; nil means to detect it
	wantJSON bool              // whether payloads are wanted

	proto, json *marshaler.Marshaler // decode each encoding
}

func newDecoder(signal *marshaler.Signal, wantJSON bool) *decoder {
	return &decoder{signal, wantJSON, newMarshaler(marshaler.OTLPProto), newMarshaler(marshaler.OTLPJSON)}
}

// newMarshaler returns a marshaler that is only used to decode.
func newMarshaler(encoding marshaler.Encoding) *marshaler.Marshaler {
	m, err := marshaler.New(marshaler.Config{Encoding: encoding, TargetSize: 1 << 20, MaxSize: 1 << 20})
	if err != nil {
		panic(err) // never: the configuration is always the same
	}
	return m
}

// decode decodes data, which may be compressed, at the cost of b. It returns an error if data is not OTLP, or if it would take
// too much memory and time. It returns an error for any data that it cannot decode.
func (d *decoder) decode(data []byte, b *budget) (o otlp, err error) {
	defer func() {
		if fault := recover(); fault != nil { // One record must not stop the reading of all others.
			o, err = otlp{}, fmt.Errorf("%w: the decoder failed: %v", errNotOTLP, fault)
		}
	}()
	data, compression, err := b.decompress(data)
	if err != nil {
		return otlp{}, fmt.Errorf("%w: %w", errNotOTLP, err)
	}
	if _, again, _ := marshaler.Decompress(data, 0); again != marshaler.NoCompression {
		return otlp{}, errNotOTLP // it is compressed twice, which b would not count
	}
	if o, err = d.identify(data); err != nil {
		return otlp{compression: compression, plain: len(data), text: textOf(data)}, err
	}
	o.compression, o.plain = compression, len(data)
	if err = b.check(data, o.encoding); err == nil {
		err = d.fill(&o, data)
	}
	if err != nil {
		return otlp{}, fmt.Errorf("%w: %w", errNotOTLP, err)
	}
	return o, nil
}

// textOf returns data as text. It returns "" if data is no text: if it is not valid UTF-8, or has control characters.
func textOf(data []byte) string {
	isControl := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }
	if !utf8.Valid(data) || bytes.ContainsFunc(data, isControl) {
		return ""
	}
	return string(data)
}

// fill decodes data, whose signal and encoding are known.
func (d *decoder) fill(o *otlp, data []byte) error {
	var render func() ([]byte, error)
	m := d.proto
	if o.encoding == marshaler.OTLPJSON {
		m = d.json
	}
	switch o.signal {
	case marshaler.Logs:
		logs, err := m.UnmarshalLogs(data)
		if err != nil {
			return err
		}
		o.items = logs.LogRecordCount()
		render = func() ([]byte, error) { return new(plog.JSONMarshaler).MarshalLogs(logs) }
	case marshaler.Traces:
		traces, err := m.UnmarshalTraces(data)
		if err != nil {
			return err
		}
		o.items = traces.SpanCount()
		render = func() ([]byte, error) { return new(ptrace.JSONMarshaler).MarshalTraces(traces) }
	case marshaler.Metrics:
		metrics, err := m.UnmarshalMetrics(data)
		if err != nil {
			return err
		}
		o.items = metrics.DataPointCount()
		render = func() ([]byte, error) { return new(pmetric.JSONMarshaler).MarshalMetrics(metrics) }
	case marshaler.Profiles:
		profiles, err := m.UnmarshalProfiles(data)
		if err != nil {
			return err
		}
		o.items = profiles.SampleCount()
		render = func() ([]byte, error) { return new(pprofile.JSONMarshaler).MarshalProfiles(profiles) }
	default:
		return fmt.Errorf("signal %v", o.signal)
	}
	if !d.wantJSON {
		return nil
	}
	payload, err := render()
	if err != nil {
		return err
	}
	if !json.Valid(payload) { // Such a line would be no JSON either.
		return errors.New("it has no form in JSON")
	}
	o.payload = payload
	return nil
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
