// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// spoil adds attributes whose key and value have invalid UTF-8, and one that is nested deeper than Python reads.
func spoil(attributes pcommon.Map) {
	attributes.PutStr("key\xff", "caf\xe9")
	list, entries := attributes.PutEmpty("list"), attributes.PutEmpty("map")
	for range 60 {
		list, entries = list.SetEmptySlice().AppendEmpty(), entries.SetEmptyMap().PutEmpty("k")
	}
	list.SetStr("deep\xe9")
	entries.SetStr("deep\xe9")
}

func spoilScope(resource pcommon.Resource, scope pcommon.InstrumentationScope) {
	spoil(resource.Attributes())
	spoil(scope.Attributes())
	scope.SetName("scope\xe9")
	scope.SetVersion("version\xe9")
}

func spoiledLogs(n int) plog.Logs {
	logs := Logs("logs", n)
	rl := logs.ResourceLogs().At(1)
	sl := rl.ScopeLogs().At(0)
	spoilScope(rl.Resource(), sl.Scope())
	rl.SetSchemaUrl("url\xe9")
	sl.SetSchemaUrl("url\xe9")
	lr := sl.LogRecords().At(1)
	lr.SetSeverityText("warn\xe9")
	lr.SetEventName("event\xe9")
	spoil(lr.Attributes())
	spoil(lr.Body().SetEmptyMap())
	return logs
}

func spoiledTraces(n int) ptrace.Traces {
	traces := Traces("traces", n)
	rs := traces.ResourceSpans().At(1)
	spoilScope(rs.Resource(), rs.ScopeSpans().At(0).Scope())
	span := rs.ScopeSpans().At(0).Spans().At(1)
	span.SetName("name\xe9")
	span.TraceState().FromRaw("state\xe9")
	span.Status().SetMessage("message\xe9")
	spoil(span.Attributes())
	event, link := span.Events().AppendEmpty(), span.Links().AppendEmpty()
	event.SetName("event\xe9")
	spoil(event.Attributes())
	link.TraceState().FromRaw("state\xe9")
	spoil(link.Attributes())
	return traces
}

func spoiledMetrics(n int) pmetric.Metrics {
	metrics := Metrics("metrics", n)
	rm := metrics.ResourceMetrics().At(1)
	spoilScope(rm.Resource(), rm.ScopeMetrics().At(0).Scope())
	metric := rm.ScopeMetrics().At(0).Metrics().AppendEmpty()
	metric.SetName("name\xe9")
	metric.SetUnit("unit\xe9")
	metric.SetDescription("description\xe9")
	spoil(metric.Metadata())
	point := metric.SetEmptyHistogram().DataPoints().AppendEmpty()
	spoil(point.Attributes())
	spoil(point.Exemplars().AppendEmpty().FilteredAttributes())
	return metrics
}

func spoiledProfiles(n int) pprofile.Profiles {
	profiles := pprofile.NewProfiles()
	d := profiles.Dictionary()
	d.StringTable().Append("")
	for i := range n {
		d.StringTable().Append(fmt.Sprintf("function\xe9 %d", i))
		d.FunctionTable().AppendEmpty().SetNameStrindex(int32(i + 1))
		d.LocationTable().AppendEmpty().Lines().AppendEmpty().SetFunctionIndex(int32(i))
		d.StackTable().AppendEmpty().LocationIndices().Append(int32(i))
		d.AttributeTable().AppendEmpty().SetKeyStrindex(int32(i))
		rp := profiles.ResourceProfiles().AppendEmpty()
		sp := rp.ScopeProfiles().AppendEmpty()
		p := sp.Profiles().AppendEmpty()
		p.SetOriginalPayloadFormat("format\xe9")
		sample := p.Samples().AppendEmpty()
		sample.SetStackIndex(int32(i))
		sample.AttributeIndices().Append(int32(i))
		sample.TimestampsUnixNano().FromRaw(make([]uint64, 40))
		if i == 1 {
			spoilScope(rp.Resource(), sp.Scope())
			spoil(d.AttributeTable().At(i).Value().SetEmptyMap())
		}
	}
	return profiles
}

// TestPythonDecodesWhatIsBroken sends telemetry with invalid UTF-8 and values that are nested too deeply in all places. Python's
// protobuf must decode each message and find all items. pdata's own encoding shows that it would not without a change.
func TestPythonDecodesWhatIsBroken(t *testing.T) {
	const n = 60
	for _, encoding := range []marshaler.Encoding{marshaler.OTLPProto, marshaler.OTLPJSON} {
		t.Run(string(encoding), func(t *testing.T) {
			m, err := marshaler.New(marshaler.Config{
				Encoding: encoding, TargetSize: 4000, MaxSize: 1 << 20, SignalMarker: true, Newline: encoding.IsText(),
			})
			require.NoError(t, err)
			logs, err := m.MarshalLogs(spoiledLogs(n))
			require.NoError(t, err)
			traces, err := m.MarshalTraces(spoiledTraces(n))
			require.NoError(t, err)
			metrics, err := m.MarshalMetrics(spoiledMetrics(n))
			require.NoError(t, err)
			requireDecoded(t, marshaler.Logs, encoding, logs, n)
			requireDecoded(t, marshaler.Traces, encoding, traces, n)
			requireDecoded(t, marshaler.Metrics, encoding, metrics, n+1)
			profiles, err := m.MarshalProfiles(spoiledProfiles(n))
			require.NoError(t, err)
			requireDecoded(t, marshaler.Profiles, encoding, profiles, n)
		})
	}
	plain, err := new(plog.ProtoMarshaler).MarshalLogs(spoiledLogs(n))
	require.NoError(t, err)
	require.NotEmpty(t, DecodeInPython(t, marshaler.Logs, marshaler.OTLPProto, [][]byte{plain})[0].Error)
}

func requireDecoded(t *testing.T, s marshaler.Signal, e marshaler.Encoding, encoded marshaler.Encoded, items int) {
	t.Helper()
	require.Empty(t, encoded.Rejected)
	require.Greater(t, len(encoded.Messages), 1)
	var data [][]byte
	for _, message := range encoded.Messages {
		data = append(data, message.Data)
	}
	found, mended := 0, 0
	for i, decoded := range DecodeInPython(t, s, e, data) {
		require.Empty(t, decoded.Error, "%s, message %d", s, i)
		assert.Equal(t, encoded.Messages[i].Items, decoded.Items)
		found += decoded.Items
		for _, text := range decoded.Texts {
			assert.True(t, utf8.ValidString(text))
			if strings.Contains(text, "\uFFFD") {
				mended++
			}
		}
	}
	assert.Equal(t, items, found)
	assert.Greater(t, mended, 5)
	if e == marshaler.OTLPProto { // a marker stands in front of each message, so there are some between items too
		joined := DecodeInPython(t, s, e, [][]byte{bytes.Join(data, nil)})[0]
		require.Empty(t, joined.Error)
		assert.Equal(t, items, joined.Items)
	}
}
