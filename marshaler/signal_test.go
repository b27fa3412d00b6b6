// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// telemetry is pdata of any signal, for tests that are the same for all of them.
type telemetry interface {
	signal() Signal
	count() int
	pdata() any
	markReadOnly()
	// marshal returns messages as copies, and releases the Marshaler's own.
	marshal(t testing.TB, m *Marshaler) Encoded
	// whole encodes everything with pdata's public marshaler. These tests assume that it is right.
	whole(t testing.TB, m *Marshaler) []byte
	decode(t testing.TB, m *Marshaler, data []byte) telemetry
	// keep returns a copy that has only the items that keep names, and no container without items. It is told the
	// position and the resource of each item.
	keep(keep func(item int, resource pcommon.Resource) bool) telemetry
}

type (
	logsData    struct{ plog.Logs }
	tracesData  struct{ ptrace.Traces }
	metricsData struct{ pmetric.Metrics }
)

func (logsData) signal() Signal    { return Logs }
func (tracesData) signal() Signal  { return Traces }
func (metricsData) signal() Signal { return Metrics }

func (d logsData) pdata() any    { return d.Logs }
func (d tracesData) pdata() any  { return d.Traces }
func (d metricsData) pdata() any { return d.Metrics }

func (d logsData) count() int    { return d.LogRecordCount() }
func (d tracesData) count() int  { return d.SpanCount() }
func (d metricsData) count() int { return d.DataPointCount() }

func (d logsData) markReadOnly()    { d.MarkReadOnly() }
func (d tracesData) markReadOnly()  { d.MarkReadOnly() }
func (d metricsData) markReadOnly() { d.MarkReadOnly() }

func kept(encoded Encoded) Encoded {
	copied := encoded
	copied.Messages = slices.Clone(encoded.Messages)
	for i := range copied.Messages {
		copied.Messages[i].Data, copied.Messages[i].buffer = bytes.Clone(encoded.Messages[i].Data), nil
	}
	encoded.Release()
	return copied
}

func (d logsData) marshal(t testing.TB, m *Marshaler) Encoded {
	encoded, err := m.MarshalLogs(d.Logs)
	require.NoError(t, err)
	return kept(encoded)
}

func (d tracesData) marshal(t testing.TB, m *Marshaler) Encoded {
	encoded, err := m.MarshalTraces(d.Traces)
	require.NoError(t, err)
	return kept(encoded)
}

func (d metricsData) marshal(t testing.TB, m *Marshaler) Encoded {
	encoded, err := m.MarshalMetrics(d.Metrics)
	require.NoError(t, err)
	return kept(encoded)
}

// asMessage returns an encoded request with what the Marshaler puts around it.
func asMessage(m *Marshaler, s Signal, data []byte) []byte {
	if m.cfg.SignalMarker && m.cfg.Encoding == OTLPProto {
		data = append(s.marker(), data...)
	}
	if m.cfg.Newline {
		data = append(data, '\n')
	}
	return data
}

func (d logsData) whole(t testing.TB, m *Marshaler) []byte {
	data, err := m.codec.encodeLogs.MarshalLogs(d.Logs)
	require.NoError(t, err)
	return asMessage(m, d.signal(), data)
}

func (d tracesData) whole(t testing.TB, m *Marshaler) []byte {
	data, err := m.codec.encodeTraces.MarshalTraces(d.Traces)
	require.NoError(t, err)
	return asMessage(m, d.signal(), data)
}

func (d metricsData) whole(t testing.TB, m *Marshaler) []byte {
	data, err := m.codec.encodeMetrics.MarshalMetrics(d.Metrics)
	require.NoError(t, err)
	return asMessage(m, d.signal(), data)
}

func (logsData) decode(t testing.TB, m *Marshaler, data []byte) telemetry {
	logs, err := m.UnmarshalLogs(data)
	require.NoError(t, err)
	return logsData{logs}
}

func (tracesData) decode(t testing.TB, m *Marshaler, data []byte) telemetry {
	traces, err := m.UnmarshalTraces(data)
	require.NoError(t, err)
	return tracesData{traces}
}

func (metricsData) decode(t testing.TB, m *Marshaler, data []byte) telemetry {
	metrics, err := m.UnmarshalMetrics(data)
	require.NoError(t, err)
	return metricsData{metrics}
}

func (d logsData) keep(keep func(int, pcommon.Resource) bool) telemetry {
	logs := plog.NewLogs()
	d.CopyTo(logs)
	i := -1
	logs.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool {
			sl.LogRecords().RemoveIf(func(plog.LogRecord) bool { i++; return !keep(i, rl.Resource()) })
			return sl.LogRecords().Len() == 0
		})
		return rl.ScopeLogs().Len() == 0
	})
	return logsData{logs}
}

func (d tracesData) keep(keep func(int, pcommon.Resource) bool) telemetry {
	traces := ptrace.NewTraces()
	d.CopyTo(traces)
	i := -1
	traces.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool {
			ss.Spans().RemoveIf(func(ptrace.Span) bool { i++; return !keep(i, rs.Resource()) })
			return ss.Spans().Len() == 0
		})
		return rs.ScopeSpans().Len() == 0
	})
	return tracesData{traces}
}

func (d metricsData) keep(keep func(int, pcommon.Resource) bool) telemetry {
	metrics := pmetric.NewMetrics()
	d.CopyTo(metrics)
	i := -1
	metrics.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
		drop := func() bool { i++; return !keep(i, rm.Resource()) }
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool {
			sm.Metrics().RemoveIf(func(m pmetric.Metric) bool { return removePoints(m, drop) == 0 })
			return sm.Metrics().Len() == 0
		})
		return rm.ScopeMetrics().Len() == 0
	})
	return metricsData{metrics}
}

// removePoints asks drop for each data point and returns how many are left.
func removePoints(m pmetric.Metric, drop func() bool) int {
	number := func(points pmetric.NumberDataPointSlice) int {
		points.RemoveIf(func(pmetric.NumberDataPoint) bool { return drop() })
		return points.Len()
	}
	switch m.Type() {
	case pmetric.MetricTypeEmpty:
	case pmetric.MetricTypeGauge:
		return number(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		return number(m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		points := m.Histogram().DataPoints()
		points.RemoveIf(func(pmetric.HistogramDataPoint) bool { return drop() })
		return points.Len()
	case pmetric.MetricTypeExponentialHistogram:
		points := m.ExponentialHistogram().DataPoints()
		points.RemoveIf(func(pmetric.ExponentialHistogramDataPoint) bool { return drop() })
		return points.Len()
	case pmetric.MetricTypeSummary:
		points := m.Summary().DataPoints()
		points.RemoveIf(func(pmetric.SummaryDataPoint) bool { return drop() })
		return points.Len()
	}
	return 0
}

// items returns each item with its own copy of all that is around it, in order. In this form a push and all of its messages
// together are equal.
func items(t testing.TB, m *Marshaler, d telemetry) []string {
	list := make([]string, 0, d.count())
	for i := range d.count() {
		one := d.keep(func(item int, _ pcommon.Resource) bool { return item == i })
		list = append(list, string(one.whole(t, m)))
	}
	return list
}

func mustNew(t testing.TB, cfg Config) *Marshaler {
	m, err := New(cfg)
	require.NoError(t, err)
	return m
}
