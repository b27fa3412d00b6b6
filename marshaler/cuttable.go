// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"iter"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// cuttableValue is a string or a byte string that can be cut.
type cuttableValue struct {
	value pcommon.Value
	text  string // the whole string; empty for a byte string
	raw   []byte // the whole byte string; empty for a string
}

// cuttableValues are all values of an item that can be cut.
type cuttableValues []cuttableValue

// longest returns how many bytes the longest value has before it is cut.
func (values cuttableValues) longest() (n int) {
	for _, v := range values {
		n = max(n, len(v.text), len(v.raw))
	}
	return n
}

// cut makes each value as long as it was, but no longer than most bytes. No character is cut.
func (values cuttableValues) cut(most int) {
	for _, v := range values {
		if v.value.Type() == pcommon.ValueTypeBytes {
			v.value.Bytes().FromRaw(v.raw[:min(most, len(v.raw))])
			continue
		}
		v.value.SetStr(cutText(v.text, most))
	}
}

// cutText returns the beginning of a text, which has most bytes at most and whole characters only.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// add adds what can be cut in a value.
func (values *cuttableValues) add(v pcommon.Value) {
	switch v.Type() { //nolint:exhaustive // the others are short
	case pcommon.ValueTypeStr:
		*values = append(*values, cuttableValue{value: v, text: v.Str()})
	case pcommon.ValueTypeBytes:
		*values = append(*values, cuttableValue{value: v, raw: v.Bytes().AsRaw()})
	case pcommon.ValueTypeMap:
		values.addMap(v.Map())
	case pcommon.ValueTypeSlice:
		for _, inner := range v.Slice().All() {
			values.add(inner)
		}
	}
}

func (values *cuttableValues) addMap(m pcommon.Map) {
	for _, v := range m.All() {
		values.add(v)
	}
}

// addItem adds what can be cut in the attributes of an item. Before that, it notes the size of the item there.
func (values *cuttableValues) addItem(attributes pcommon.Map, size int) {
	attributes.PutInt(OriginalSizeAttribute, int64(size))
	values.addMap(attributes)
}

// valuesOf returns what can be cut in pdata of one item, and notes the size of the item in its attributes.
func valuesOf(pdata any, size int) (values cuttableValues) {
	switch pdata := pdata.(type) {
	case plog.Logs:
		for _, rl := range pdata.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					values.addItem(lr.Attributes(), size)
					values.add(lr.Body())
				}
			}
		}
	case ptrace.Traces:
		for _, rs := range pdata.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					values.addItem(span.Attributes(), size)
					values.addSpan(span)
				}
			}
		}
	case pmetric.Metrics:
		for _, rm := range pdata.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, metric := range sm.Metrics().All() {
					values.addMetric(metric, size)
				}
			}
		}
	}
	return values
}

// addSpan adds what can be cut in the events and links of a span.
func (values *cuttableValues) addSpan(span ptrace.Span) {
	for _, event := range span.Events().All() {
		values.addMap(event.Attributes())
	}
	for _, link := range span.Links().All() {
		values.addMap(link.Attributes())
	}
}

// addMetric adds what can be cut in the data points of a metric.
func (values *cuttableValues) addMetric(metric pmetric.Metric, size int) {
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		addPoints(values, metric.Gauge().DataPoints().All(), size, pmetric.NumberDataPoint.Exemplars)
	case pmetric.MetricTypeSum:
		addPoints(values, metric.Sum().DataPoints().All(), size, pmetric.NumberDataPoint.Exemplars)
	case pmetric.MetricTypeHistogram:
		addPoints(values, metric.Histogram().DataPoints().All(), size, pmetric.HistogramDataPoint.Exemplars)
	case pmetric.MetricTypeExponentialHistogram:
		addPoints(values, metric.ExponentialHistogram().DataPoints().All(), size, pmetric.ExponentialHistogramDataPoint.Exemplars)
	case pmetric.MetricTypeSummary:
		addPoints(values, metric.Summary().DataPoints().All(), size, nil)
	case pmetric.MetricTypeEmpty:
	}
}

// addPoints adds what can be cut in data points of one kind. The function exemplars is nil for a kind that has none.
func addPoints[P interface{ Attributes() pcommon.Map }](
	values *cuttableValues, points iter.Seq2[int, P], size int, exemplars func(P) pmetric.ExemplarSlice,
) {
	for _, point := range points {
		values.addItem(point.Attributes(), size)
		if exemplars == nil {
			continue
		}
		for _, e := range exemplars(point).All() {
			values.addMap(e.FilteredAttributes())
		}
	}
}
