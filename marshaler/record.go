// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// record is what destinations are made of: the parts of a log record, a span or a data point.
type record struct {
	resource   int // its position in the push
	traceID    pcommon.TraceID
	attributes pcommon.Map
}

// eachRecord calls visit for each item of pdata, in order. The record is valid until visit returns.
func eachRecord(pdata any, visit func(*record)) {
	switch pdata := pdata.(type) {
	case plog.Logs:
		visitLogRecords(pdata, visit)
	case ptrace.Traces:
		visitSpans(pdata, visit)
	case pmetric.Metrics:
		visitDataPoints(pdata, visit)
	}
}

func visitLogRecords(logs plog.Logs, visit func(*record)) {
	var r record
	for i, rl := range logs.ResourceLogs().All() {
		r.resource = i
		for _, sl := range rl.ScopeLogs().All() {
			list := sl.LogRecords()
			for n := range list.Len() {
				lr := list.At(n)
				r.traceID, r.attributes = lr.TraceID(), lr.Attributes()
				visit(&r)
			}
		}
	}
}

func visitSpans(traces ptrace.Traces, visit func(*record)) {
	var r record
	for i, rs := range traces.ResourceSpans().All() {
		r.resource = i
		for _, ss := range rs.ScopeSpans().All() {
			list := ss.Spans()
			for n := range list.Len() {
				span := list.At(n)
				r.traceID, r.attributes = span.TraceID(), span.Attributes()
				visit(&r)
			}
		}
	}
}

func visitDataPoints(metrics pmetric.Metrics, visit func(*record)) {
	var r record
	for i, rm := range metrics.ResourceMetrics().All() {
		r.resource = i
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				visitPoints(m, func(attributes pcommon.Map) {
					r.attributes = attributes
					visit(&r)
				})
			}
		}
	}
}

// visitPoints calls visit with the attributes of each data point of a metric.
func visitPoints(m pmetric.Metric, visit func(attributes pcommon.Map)) {
	switch m.Type() {
	case pmetric.MetricTypeEmpty:
	case pmetric.MetricTypeGauge:
		for _, p := range m.Gauge().DataPoints().All() {
			visit(p.Attributes())
		}
	case pmetric.MetricTypeSum:
		for _, p := range m.Sum().DataPoints().All() {
			visit(p.Attributes())
		}
	case pmetric.MetricTypeHistogram:
		for _, p := range m.Histogram().DataPoints().All() {
			visit(p.Attributes())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, p := range m.ExponentialHistogram().DataPoints().All() {
			visit(p.Attributes())
		}
	case pmetric.MetricTypeSummary:
		for _, p := range m.Summary().DataPoints().All() {
			visit(p.Attributes())
		}
	}
}
