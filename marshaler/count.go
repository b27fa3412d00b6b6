// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"errors"
	"fmt"
)

// CountItems returns how many log records, spans, data points or samples encoded OTLP has: a request of the signal in protobuf,
// not compressed. It looks at what is around the items, not into them. The error wraps [ErrMalformed] if the bytes are no such
// request.
func CountItems(signal Signal, otlp []byte) (int, error) {
	t := tree{layers: signal.layout(), framed: true}
	t.reset(otlp)
	err := t.cut()
	if errors.Is(err, errScattered) {
		return countDecoded(signal, otlp)
	}
	if err != nil {
		return 0, fmt.Errorf("marshaler: %w: count %s of %d bytes: %w", ErrMalformed, signal, len(otlp), err)
	}
	return t.itemCount(), nil
}

// countDecoded counts items that have something between them.
func countDecoded(signal Signal, otlp []byte) (int, error) {
	c := newCodec(OTLPProto)
	var items int
	var err error
	switch signal {
	case Logs:
		logs, failed := c.decodeLogs.UnmarshalLogs(otlp)
		if err = failed; err == nil {
			items = logs.LogRecordCount()
		}
	case Traces:
		traces, failed := c.decodeTraces.UnmarshalTraces(otlp)
		if err = failed; err == nil {
			items = traces.SpanCount()
		}
	case Profiles:
		profiles, failed := c.decodeProfiles.UnmarshalProfiles(otlp)
		if err = failed; err == nil {
			items = profiles.SampleCount()
		}
	default:
		metrics, failed := c.decodeMetrics.UnmarshalMetrics(otlp)
		if err = failed; err == nil {
			items = metrics.DataPointCount()
		}
	}
	if err != nil {
		return 0, fmt.Errorf("marshaler: %w: count %s of %d bytes: %w", ErrMalformed, signal, len(otlp), err)
	}
	return items, nil
}
