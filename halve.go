// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// divider decides which items stay in a half: those that come first.
type divider struct{ left int }

// moves reports whether the next item goes to the other half.
func (d *divider) moves() bool {
	d.left--
	return d.left < 0
}

// halveLogs leaves the first half of the log records in data, and returns the others. Both have their resources and scopes.
func halveLogs(data plog.Logs) plog.Logs {
	d, second := divider{data.LogRecordCount() / 2}, plog.NewLogs()
	data.ResourceLogs().RemoveIf(func(from plog.ResourceLogs) bool {
		to := second.ResourceLogs().AppendEmpty()
		from.Resource().CopyTo(to.Resource())
		to.SetSchemaUrl(from.SchemaUrl())
		from.ScopeLogs().RemoveIf(func(from plog.ScopeLogs) bool {
			to := to.ScopeLogs().AppendEmpty()
			from.Scope().CopyTo(to.Scope())
			to.SetSchemaUrl(from.SchemaUrl())
			from.LogRecords().RemoveIf(func(item plog.LogRecord) bool {
				if !d.moves() {
					return false
				}
				item.MoveTo(to.LogRecords().AppendEmpty())
				return true
			})
			return from.LogRecords().Len() == 0
		})
		to.ScopeLogs().RemoveIf(func(s plog.ScopeLogs) bool { return s.LogRecords().Len() == 0 })
		return from.ScopeLogs().Len() == 0
	})
	second.ResourceLogs().RemoveIf(func(r plog.ResourceLogs) bool { return r.ScopeLogs().Len() == 0 })
	return second
}

// halveTraces does the same for spans.
func halveTraces(data ptrace.Traces) ptrace.Traces {
	d, second := divider{data.SpanCount() / 2}, ptrace.NewTraces()
	data.ResourceSpans().RemoveIf(func(from ptrace.ResourceSpans) bool {
		to := second.ResourceSpans().AppendEmpty()
		from.Resource().CopyTo(to.Resource())
		to.SetSchemaUrl(from.SchemaUrl())
		from.ScopeSpans().RemoveIf(func(from ptrace.ScopeSpans) bool {
			to := to.ScopeSpans().AppendEmpty()
			from.Scope().CopyTo(to.Scope())
			to.SetSchemaUrl(from.SchemaUrl())
			from.Spans().RemoveIf(func(item ptrace.Span) bool {
				if !d.moves() {
					return false
				}
				item.MoveTo(to.Spans().AppendEmpty())
				return true
			})
			return from.Spans().Len() == 0
		})
		to.ScopeSpans().RemoveIf(func(s ptrace.ScopeSpans) bool { return s.Spans().Len() == 0 })
		return from.ScopeSpans().Len() == 0
	})
	second.ResourceSpans().RemoveIf(func(r ptrace.ResourceSpans) bool { return r.ScopeSpans().Len() == 0 })
	return second
}

// halveMetrics does the same for data points. A metric with points in both halves is in both.
func halveMetrics(data pmetric.Metrics) pmetric.Metrics {
	d, second := divider{data.DataPointCount() / 2}, pmetric.NewMetrics()
	data.ResourceMetrics().RemoveIf(func(from pmetric.ResourceMetrics) bool {
		to := second.ResourceMetrics().AppendEmpty()
		from.Resource().CopyTo(to.Resource())
		to.SetSchemaUrl(from.SchemaUrl())
		from.ScopeMetrics().RemoveIf(func(from pmetric.ScopeMetrics) bool {
			to := to.ScopeMetrics().AppendEmpty()
			from.Scope().CopyTo(to.Scope())
			to.SetSchemaUrl(from.SchemaUrl())
			from.Metrics().RemoveIf(func(from pmetric.Metric) bool {
				metric := to.Metrics().AppendEmpty()
				metric.SetName(from.Name())
				metric.SetDescription(from.Description())
				metric.SetUnit(from.Unit())
				from.Metadata().CopyTo(metric.Metadata())
				d.movePoints(from, metric)
				return pointsOf(from) == 0
			})
			to.Metrics().RemoveIf(func(m pmetric.Metric) bool { return pointsOf(m) == 0 })
			return from.Metrics().Len() == 0
		})
		to.ScopeMetrics().RemoveIf(func(s pmetric.ScopeMetrics) bool { return s.Metrics().Len() == 0 })
		return from.ScopeMetrics().Len() == 0
	})
	second.ResourceMetrics().RemoveIf(func(r pmetric.ResourceMetrics) bool { return r.ScopeMetrics().Len() == 0 })
	return second
}

// movePoints moves the points of a metric that go to the other half.
func (d *divider) movePoints(from, to pmetric.Metric) {
	switch from.Type() {
	case pmetric.MetricTypeGauge:
		d.moveNumbers(from.Gauge().DataPoints(), to.SetEmptyGauge().DataPoints())
	case pmetric.MetricTypeSum:
		sum := to.SetEmptySum()
		sum.SetAggregationTemporality(from.Sum().AggregationTemporality())
		sum.SetIsMonotonic(from.Sum().IsMonotonic())
		d.moveNumbers(from.Sum().DataPoints(), sum.DataPoints())
	case pmetric.MetricTypeHistogram:
		histogram := to.SetEmptyHistogram()
		histogram.SetAggregationTemporality(from.Histogram().AggregationTemporality())
		from.Histogram().DataPoints().RemoveIf(func(item pmetric.HistogramDataPoint) bool {
			if !d.moves() {
				return false
			}
			item.MoveTo(histogram.DataPoints().AppendEmpty())
			return true
		})
	case pmetric.MetricTypeExponentialHistogram:
		histogram := to.SetEmptyExponentialHistogram()
		histogram.SetAggregationTemporality(from.ExponentialHistogram().AggregationTemporality())
		from.ExponentialHistogram().DataPoints().RemoveIf(func(item pmetric.ExponentialHistogramDataPoint) bool {
			if !d.moves() {
				return false
			}
			item.MoveTo(histogram.DataPoints().AppendEmpty())
			return true
		})
	case pmetric.MetricTypeSummary:
		points := to.SetEmptySummary().DataPoints()
		from.Summary().DataPoints().RemoveIf(func(item pmetric.SummaryDataPoint) bool {
			if !d.moves() {
				return false
			}
			item.MoveTo(points.AppendEmpty())
			return true
		})
	case pmetric.MetricTypeEmpty:
	}
}

func (d *divider) moveNumbers(from, to pmetric.NumberDataPointSlice) {
	from.RemoveIf(func(item pmetric.NumberDataPoint) bool {
		if !d.moves() {
			return false
		}
		item.MoveTo(to.AppendEmpty())
		return true
	})
}

// pointsOf is how many data points a metric has.
func pointsOf(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	case pmetric.MetricTypeEmpty:
	}
	return 0
}
