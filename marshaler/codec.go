// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// codec has pdata's public marshalers and unmarshalers for one encoding.
type codec struct {
	encodeLogs     plog.Marshaler
	encodeTraces   ptrace.Marshaler
	encodeMetrics  pmetric.Marshaler
	encodeProfiles pprofile.Marshaler

	decodeLogs     plog.Unmarshaler
	decodeTraces   ptrace.Unmarshaler
	decodeMetrics  pmetric.Unmarshaler
	decodeProfiles pprofile.Unmarshaler
}

func newCodec(encoding Encoding) codec {
	if encoding == OTLPJSON {
		return codec{
			encodeLogs:     &plog.JSONMarshaler{},
			encodeTraces:   &ptrace.JSONMarshaler{},
			encodeMetrics:  &pmetric.JSONMarshaler{},
			encodeProfiles: &pprofile.JSONMarshaler{},
			decodeLogs:     &logsJSON{},
			decodeTraces:   &tracesJSON{},
			decodeMetrics:  &metricsJSON{},
			decodeProfiles: &profilesJSON{},
		}
	}
	return codec{
		encodeLogs:     &plog.ProtoMarshaler{},
		encodeTraces:   &ptrace.ProtoMarshaler{},
		encodeMetrics:  &pmetric.ProtoMarshaler{},
		encodeProfiles: &pprofile.ProtoMarshaler{},
		decodeLogs:     &plog.ProtoUnmarshaler{},
		decodeTraces:   &ptrace.ProtoUnmarshaler{},
		decodeMetrics:  &pmetric.ProtoUnmarshaler{},
		decodeProfiles: &pprofile.ProtoUnmarshaler{},
	}
}

// encode encodes plog.Logs, ptrace.Traces, pmetric.Metrics or pprofile.Profiles.
func (c *codec) encode(pdata any) ([]byte, error) {
	switch pdata := pdata.(type) {
	case plog.Logs:
		return c.encodeLogs.MarshalLogs(pdata)
	case ptrace.Traces:
		return c.encodeTraces.MarshalTraces(pdata)
	case pmetric.Metrics:
		return c.encodeMetrics.MarshalMetrics(pdata)
	case pprofile.Profiles:
		return c.encodeProfiles.MarshalProfiles(pdata)
	}
	return nil, fmt.Errorf("%T is no pdata of a signal", pdata)
}

// decode decodes a request of the signal to plog.Logs, ptrace.Traces, pmetric.Metrics or pprofile.Profiles.
func (c *codec) decode(s Signal, data []byte) (any, error) {
	switch s {
	case Logs:
		return c.decodeLogs.UnmarshalLogs(data)
	case Traces:
		return c.decodeTraces.UnmarshalTraces(data)
	case Metrics:
		return c.decodeMetrics.UnmarshalMetrics(data)
	case Profiles:
		return c.decodeProfiles.UnmarshalProfiles(data)
	}
	return nil, fmt.Errorf("there is no signal %d", s)
}
