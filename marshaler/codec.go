package marshaler

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// codec has pdata's public marshalers and unmarshalers for one encoding.
type codec struct {
	encodeLogs    plog.Marshaler
	encodeTraces  ptrace.Marshaler
	encodeMetrics pmetric.Marshaler

	decodeLogs    plog.Unmarshaler
	decodeTraces  ptrace.Unmarshaler
	decodeMetrics pmetric.Unmarshaler
}

func newCodec(encoding Encoding) codec {
	if encoding == OTLPJSON {
		return codec{
			encodeLogs:    &plog.JSONMarshaler{},
			encodeTraces:  &ptrace.JSONMarshaler{},
			encodeMetrics: &pmetric.JSONMarshaler{},
			decodeLogs:    &plog.JSONUnmarshaler{},
			decodeTraces:  &ptrace.JSONUnmarshaler{},
			decodeMetrics: &pmetric.JSONUnmarshaler{},
		}
	}
	return codec{
		encodeLogs:    &plog.ProtoMarshaler{},
		encodeTraces:  &ptrace.ProtoMarshaler{},
		encodeMetrics: &pmetric.ProtoMarshaler{},
		decodeLogs:    &plog.ProtoUnmarshaler{},
		decodeTraces:  &ptrace.ProtoUnmarshaler{},
		decodeMetrics: &pmetric.ProtoUnmarshaler{},
	}
}
