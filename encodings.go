// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/internal/encodings"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// The encodings that are not OTLP and need no extension.
const (
	encodingRaw         marshaler.Encoding = "raw"
	encodingJaegerProto marshaler.Encoding = "jaeger_proto"
	encodingJaegerJSON  marshaler.Encoding = "jaeger_json"
	encodingZipkinProto marshaler.Encoding = "zipkin_proto"
	encodingZipkinJSON  marshaler.Encoding = "zipkin_json"
)

// builtInEncodings are the encodings that need no extension.
var builtInEncodings = [...]marshaler.Encoding{
	marshaler.OTLPProto, marshaler.OTLPJSON,
	encodingRaw, encodingJaegerProto, encodingJaegerJSON, encodingZipkinProto, encodingZipkinJSON,
}

// foreignFormat returns what the marshaler needs to know of an encoding. It returns nil for OTLP and for extensions.
func foreignFormat(e marshaler.Encoding) *marshaler.Foreign {
	f := &marshaler.Foreign{Name: string(e)}
	switch e {
	case encodingRaw:
		f.Logs, f.EachItem, f.Text = encodings.Raw, true, true
	case encodingJaegerProto:
		f.Traces, f.EachItem = encodings.JaegerProto, true
	case encodingJaegerJSON:
		f.Traces, f.EachItem, f.Text = encodings.JaegerJSON, true, true
	case encodingZipkinProto:
		f.Traces = encodings.ZipkinProto
	case encodingZipkinJSON:
		f.Traces, f.Text = encodings.ZipkinJSON, true
	default:
		return nil
	}
	return f
}

// isExtension reports whether an encoding is not built in: it is the id of an extension then.
func isExtension(e marshaler.Encoding) bool { return !slices.Contains(builtInEncodings[:], e) }

// checkEncoding checks the encoding that is the value of a key.
func checkEncoding(errs *keyErrors, key string, e marshaler.Encoding) {
	if isExtension(e) && new(component.ID).UnmarshalText([]byte(e)) != nil {
		errs.add(key, nil, "must be %s, found %q", encodingChoice(signals[:]...), e)
	}
}

// encodingChoice says which encodings have one of the signals.
func encodingChoice(signals ...marshaler.Signal) string {
	var list strings.Builder
	for _, e := range builtInEncodings {
		if slices.ContainsFunc(signals, func(s marshaler.Signal) bool { return hasSignal(e, s) }) {
			list.WriteString(string(e) + ", ")
		}
	}
	return list.String() + "or the id of an encoding extension"
}

// isText reports whether messages of an encoding are text.
func isText(e marshaler.Encoding) bool {
	if f := foreignFormat(e); f != nil {
		return f.Text
	}
	return e.IsText()
}

// hasSignal reports whether an encoding has a signal. An extension may have all.
func hasSignal(e marshaler.Encoding, s marshaler.Signal) bool {
	f := foreignFormat(e)
	return f == nil || f.Has(s)
}

// checkEncodingOf returns an error if the encoding of a signal lacks the signal.
func (c *Config) checkEncodingOf(s marshaler.Signal) error {
	e := c.encoding(s)
	if hasSignal(e, s) {
		return nil
	}
	return fmt.Errorf("%s::encoding must be an encoding of %[1]s: %s, found %q", s, encodingChoice(s), e)
}

// whyNotJoined says why messages of an encoding cannot stand one after the other in a record. It is empty if they can.
func (c *Config) whyNotJoined(e marshaler.Encoding) string {
	switch {
	case e == encodingRaw && !c.Newline:
		return "nobody can tell where bodies end, unless newline is true"
	case e == encodingJaegerProto:
		return "readers would take spans that follow each other for one"
	case isExtension(e):
		return "nobody can tell where messages of an extension end"
	}
	return ""
}

// validateJoined checks that messages can stand one after the other, if they are to.
func (c *Config) validateJoined(errs *keyErrors) {
	if c.Producer.AggregationFormat != kpl.AggregationConcatenated {
		return
	}
	for _, s := range signals {
		e := c.encoding(s)
		if !hasSignal(e, s) {
			continue // the signal is not used
		}
		key := "encoding"
		if c.ofSignal(s).Encoding != "" {
			key = s.String() + "::encoding"
		}
		if why := c.whyNotJoined(e); why != "" {
			errs.add("aggregation_format", []string{key}, "must be %s or %s with %s %q, found %q: %s",
				kpl.AggregationKPL, kpl.AggregationNone, key, e, c.Producer.AggregationFormat, why)
		}
	}
}

// encodingExtension is an extension that encodes a signal. Resolve finds the extension, before the first push.
type encodingExtension struct {
	signal marshaler.Signal
	id     component.ID

	logs     plog.Marshaler
	traces   ptrace.Marshaler
	metrics  pmetric.Marshaler
	profiles pprofile.Marshaler
}

// newEncodingExtension returns the extension with a valid id that encodes a signal.
func newEncodingExtension(s marshaler.Signal, e marshaler.Encoding) *encodingExtension {
	x := &encodingExtension{signal: s}
	_ = x.id.UnmarshalText([]byte(e)) // checked by [checkEncoding]
	return x
}

// format returns what the marshaler needs to know of the extension. Its functions must not be called before resolve.
func (x *encodingExtension) format() *marshaler.Foreign {
	return &marshaler.Foreign{
		Name:     x.id.String(),
		Logs:     func(data plog.Logs) ([]byte, error) { return x.logs.MarshalLogs(data) },
		Traces:   func(data ptrace.Traces) ([]byte, error) { return x.traces.MarshalTraces(data) },
		Metrics:  func(data pmetric.Metrics) ([]byte, error) { return x.metrics.MarshalMetrics(data) },
		Profiles: func(data pprofile.Profiles) ([]byte, error) { return x.profiles.MarshalProfiles(data) },
	}
}

// resolve finds the extension among those of the host. Without an extension it does nothing.
func (x *encodingExtension) resolve(host component.Host) error {
	if x == nil {
		return nil
	}
	extension, ok := host.GetExtensions()[x.id]
	if !ok {
		return fmt.Errorf("%s::encoding %q is neither built in nor an extension of this Collector: configure it "+
			"under extensions and name it in service::extensions, or use %s", x.signal, x.id, encodingChoice(x.signal))
	}
	switch x.signal {
	case marshaler.Logs:
		x.logs, ok = extension.(plog.Marshaler)
	case marshaler.Traces:
		x.traces, ok = extension.(ptrace.Marshaler)
	case marshaler.Metrics:
		x.metrics, ok = extension.(pmetric.Marshaler)
	case marshaler.Profiles:
		x.profiles, ok = extension.(pprofile.Marshaler)
	}
	if !ok {
		return fmt.Errorf("%s::encoding %q is an extension that does not encode %[1]s: use %[3]s",
			x.signal, x.id, encodingChoice(x.signal))
	}
	return nil
}
