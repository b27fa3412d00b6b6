// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// throttledName is the name of an item. It stands once in the item's encoding, whatever that is.
var throttledName = regexp.MustCompile(`item-(\d+);`)

// requireEachOnce requires that a reader of the stream finds the names of all items in its messages, each once.
func requireEachOnce(t *testing.T, k *kpltest.Kinesis, items int) {
	require.Empty(t, k.DroppedAggregates(testStream))
	found := make(map[string]int, items)
	for _, record := range k.UserRecords(testStream) {
		plain, _, err := marshaler.Decompress(record.Data, marshaler.MaxPlainSize)
		require.NoError(t, err)
		for _, name := range throttledName.FindAll(plain, -1) {
			found[string(name)]++
		}
	}
	for i := range items {
		if n := found[throttledItem(i)]; n != 1 {
			t.Fatalf("a reader finds %s %d times", throttledItem(i), n)
		}
	}
	require.Len(t, found, items, "items that nobody sent")
}

func throttledItem(i int) string { return fmt.Sprintf("item-%d;", i) }

// resourcesOfPush is how many resources the items of a push have, by turns. Ten items in a row are of one trace.
const resourcesOfPush = 20

// throttledItems calls add for the items of a push.
func throttledItems(push int, add func(resource int, name string, trace pcommon.TraceID)) {
	for i := range throttledPush {
		n := push*throttledPush + i
		var trace pcommon.TraceID
		binary.BigEndian.PutUint64(trace[8:], uint64(n/10)+1)
		add(i%resourcesOfPush, throttledItem(n), trace)
	}
}

// throttledResource gives a resource a name and, for those who place records themselves, an explicit hash key.
func throttledResource(resource pcommon.Resource, r int) {
	resource.Attributes().PutStr("service.name", fmt.Sprint("service ", r))
	resource.Attributes().PutStr("hash", strconv.Itoa(r)+strings.Repeat("0", 36))
}

func throttledLogs(push int) plog.Logs {
	logs := plog.NewLogs()
	for r := range resourcesOfPush {
		resource := logs.ResourceLogs().AppendEmpty()
		throttledResource(resource.Resource(), r)
		resource.ScopeLogs().AppendEmpty()
	}
	throttledItems(push, func(r int, name string, trace pcommon.TraceID) {
		record := logs.ResourceLogs().At(r).ScopeLogs().At(0).LogRecords().AppendEmpty()
		record.Body().SetStr(name)
		record.SetTraceID(trace)
		record.Attributes().PutStr("user", fmt.Sprint("user ", trace[15]%32))
	})
	return logs
}

func throttledTraces(push int) ptrace.Traces {
	traces := ptrace.NewTraces()
	for r := range resourcesOfPush {
		resource := traces.ResourceSpans().AppendEmpty()
		throttledResource(resource.Resource(), r)
		resource.ScopeSpans().AppendEmpty()
	}
	throttledItems(push, func(r int, name string, trace pcommon.TraceID) {
		span := traces.ResourceSpans().At(r).ScopeSpans().At(0).Spans().AppendEmpty()
		span.SetName(name)
		span.SetTraceID(trace)
		span.SetSpanID(pcommon.SpanID(trace[8:]))
		span.Attributes().PutStr("user", fmt.Sprint("user ", trace[15]%32))
	})
	return traces
}

func throttledMetrics(push int) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	for r := range resourcesOfPush {
		resource := metrics.ResourceMetrics().AppendEmpty()
		throttledResource(resource.Resource(), r)
		resource.ScopeMetrics().AppendEmpty()
	}
	throttledItems(push, func(r int, name string, trace pcommon.TraceID) {
		metric := metrics.ResourceMetrics().At(r).ScopeMetrics().At(0).Metrics().AppendEmpty()
		metric.SetName(name)
		point := metric.SetEmptyGauge().DataPoints().AppendEmpty()
		point.SetIntValue(1)
		point.Attributes().PutStr("user", fmt.Sprint("user ", trace[15]%32))
	})
	return metrics
}

func throttledProfiles(push int) pprofile.Profiles {
	var names []string
	throttledItems(push, func(_ int, name string, _ pcommon.TraceID) { names = append(names, name) })
	profiles := profilesOf(names...)
	for i, resource := range profiles.ResourceProfiles().All() {
		throttledResource(resource.Resource(), i%resourcesOfPush)
	}
	return profiles
}
