// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package recipes

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// describe makes a resource the i-th of its request. Each second one names a stream.
func describe(resource pcommon.Resource, i int) {
	resource.Attributes().PutStr("service.name", fmt.Sprint("service-", i))
	if i%2 == 0 {
		resource.Attributes().PutStr("kinesis.stream", "payments")
	}
}

// logs returns a request with that many resources with one log record each.
func logs() plog.Logs {
	all := plog.NewLogs()
	for i := range items {
		resource := all.ResourceLogs().AppendEmpty()
		describe(resource.Resource(), i)
		resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(fmt.Sprint("line ", i))
	}
	return all
}

// traces returns the same with spans.
func traces() ptrace.Traces {
	all := ptrace.NewTraces()
	for i := range items {
		resource := all.ResourceSpans().AppendEmpty()
		describe(resource.Resource(), i)
		span := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetName(fmt.Sprint("span ", i))
		span.SetTraceID(pcommon.TraceID{1, byte(i)})
		span.SetSpanID(pcommon.SpanID{1, byte(i)})
	}
	return all
}

// metrics returns the same with data points.
func metrics() pmetric.Metrics {
	all := pmetric.NewMetrics()
	for i := range items {
		resource := all.ResourceMetrics().AppendEmpty()
		describe(resource.Resource(), i)
		metric := resource.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		metric.SetName("queue.length")
		metric.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(int64(i))
	}
	return all
}
