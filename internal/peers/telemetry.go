// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// resources is how many resources the telemetry of this package is spread over.
const resources = 3

// epoch is when all telemetry of this package is from.
var epoch = time.Date(2026, time.January, 2, 3, 4, 5, 6, time.UTC)

// Logs returns n log records of several resources, each unlike all others and those of other names.
func Logs(name string, n int) plog.Logs {
	logs := plog.NewLogs()
	for r := range resources {
		resource := logs.ResourceLogs().AppendEmpty()
		resource.SetSchemaUrl("https://example.com/schema")
		describe(resource.Resource(), r)
		scope := resource.ScopeLogs().AppendEmpty()
		scope.Scope().SetName("scope")
		for i := r; i < n; i += resources {
			record := scope.LogRecords().AppendEmpty()
			record.SetTimestamp(timestamp(i))
			record.SetSeverityNumber(plog.SeverityNumberWarn)
			record.Body().SetStr(fmt.Sprintf("%s: log record %d", name, i))
			annotate(record.Attributes(), i)
			record.SetTraceID(pcommon.TraceID{1, byte(i)})
		}
	}
	return logs
}

// Traces returns n spans of several resources, each unlike all others and those of other names.
func Traces(name string, n int) ptrace.Traces {
	traces := ptrace.NewTraces()
	for r := range resources {
		resource := traces.ResourceSpans().AppendEmpty()
		describe(resource.Resource(), r)
		scope := resource.ScopeSpans().AppendEmpty()
		scope.Scope().SetName("scope")
		scope.Scope().SetVersion("v1")
		for i := r; i < n; i += resources {
			span := scope.Spans().AppendEmpty()
			span.SetName(fmt.Sprintf("%s: span %d", name, i))
			span.SetTraceID(pcommon.TraceID{2, byte(i)})
			span.SetSpanID(pcommon.SpanID{3, byte(i)})
			span.SetKind(ptrace.SpanKindServer)
			span.SetStartTimestamp(timestamp(i))
			span.SetEndTimestamp(timestamp(i + 1))
			span.Status().SetCode(ptrace.StatusCodeError)
			annotate(span.Attributes(), i)
			event := span.Events().AppendEmpty()
			event.SetName("event")
			annotate(event.Attributes(), i)
			span.Links().AppendEmpty().SetTraceID(pcommon.TraceID{4, byte(i)})
		}
	}
	return traces
}

// Metrics returns n data points of several resources and of all kinds, each unlike all others and those of other names.
func Metrics(name string, n int) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	for r := range resources {
		resource := metrics.ResourceMetrics().AppendEmpty()
		describe(resource.Resource(), r)
		scope := resource.ScopeMetrics().AppendEmpty()
		scope.Scope().SetName("scope")
		for i := r; i < n; i += resources {
			metric := scope.Metrics().AppendEmpty()
			metric.SetName(fmt.Sprintf("%s.%d", name, i))
			metric.SetUnit("By")
			addPoint(metric, i)
		}
	}
	return metrics
}

// addPoint gives a metric one data point, of a kind that depends on i.
func addPoint(metric pmetric.Metric, i int) {
	var attributes pcommon.Map
	switch i % 5 {
	case 0:
		point := metric.SetEmptyGauge().DataPoints().AppendEmpty()
		point.SetTimestamp(timestamp(i))
		point.SetDoubleValue(float64(i) / 3)
		attributes = point.Attributes()
	case 1:
		sum := metric.SetEmptySum()
		sum.SetIsMonotonic(true)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		point := sum.DataPoints().AppendEmpty()
		point.SetTimestamp(timestamp(i))
		point.SetIntValue(int64(i))
		point.Exemplars().AppendEmpty().SetIntValue(int64(i))
		attributes = point.Attributes()
	case 2:
		histogram := metric.SetEmptyHistogram()
		histogram.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		point := histogram.DataPoints().AppendEmpty()
		point.SetTimestamp(timestamp(i))
		point.SetCount(uint64(i)) //nolint:gosec // It is not negative.
		point.ExplicitBounds().FromRaw([]float64{1, 2})
		point.BucketCounts().FromRaw([]uint64{3, 4, 5})
		attributes = point.Attributes()
	case 3:
		point := metric.SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
		point.SetTimestamp(timestamp(i))
		point.SetScale(int32(i)) //nolint:gosec // It is small.
		point.Positive().BucketCounts().FromRaw([]uint64{6, 7})
		attributes = point.Attributes()
	default:
		point := metric.SetEmptySummary().DataPoints().AppendEmpty()
		point.SetTimestamp(timestamp(i))
		point.QuantileValues().AppendEmpty().SetQuantile(0.5)
		attributes = point.Attributes()
	}
	annotate(attributes, i)
}

func timestamp(i int) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(epoch.Add(time.Duration(i) * time.Millisecond))
}

func describe(resource pcommon.Resource, i int) {
	resource.Attributes().PutStr("service.name", fmt.Sprint("service-", i))
	resource.Attributes().PutEmptyMap("labels").PutInt("number", int64(i))
}

func annotate(attributes pcommon.Map, i int) {
	attributes.PutInt("index", int64(i))
	attributes.PutStr("text", "Grüße, 世界")
	attributes.PutEmptyBytes("bytes").FromRaw([]byte{0, 0xff})
	attributes.PutEmptySlice("list").AppendEmpty().SetBool(i%2 == 0)
}
