// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// An item is a log record, a span or a data point together with its resource, scope and metric, as JSON. The items of telemetry
// stay the same when requests are split or merged.

// LogItems returns the items of logs.
func LogItems(t testing.TB, logs plog.Logs) []string {
	t.Helper()
	text, err := new(plog.JSONMarshaler).MarshalLogs(logs)
	assert.NoError(t, err)
	return items(t, text, "resourceLogs", "scopeLogs", "logRecords")
}

// TraceItems returns the items of traces.
func TraceItems(t testing.TB, traces ptrace.Traces) []string {
	t.Helper()
	text, err := new(ptrace.JSONMarshaler).MarshalTraces(traces)
	assert.NoError(t, err)
	return items(t, text, "resourceSpans", "scopeSpans", "spans")
}

// MetricItems returns the items of metrics.
func MetricItems(t testing.TB, metrics pmetric.Metrics) []string {
	t.Helper()
	text, err := new(pmetric.JSONMarshaler).MarshalMetrics(metrics)
	assert.NoError(t, err)
	return items(t, text, "resourceMetrics", "scopeMetrics", "metrics")
}

func items(t testing.TB, text []byte, lists ...string) []string {
	t.Helper()
	var root map[string]any
	assert.NoError(t, json.Unmarshal(text, &root))
	var found []string
	var walk func(around []any, object map[string]any, lists []string)
	walk = func(around []any, object map[string]any, lists []string) {
		if len(lists) == 0 {
			for _, item := range points(object) {
				text, err := json.Marshal(append(slices.Clip(around), item)) // sorts keys
				assert.NoError(t, err)
				found = append(found, string(text))
			}
			return
		}
		elements, _ := object[lists[0]].([]any)
		around = append(slices.Clip(around), without(object, lists[0]))
		for _, element := range elements {
			walk(around, element.(map[string]any), lists[1:])
		}
	}
	walk(nil, root, lists)
	return found
}

// points splits a metric into metrics with a single data point each. It returns any other object unchanged.
func points(object map[string]any) []map[string]any {
	for key, value := range object {
		data, _ := value.(map[string]any)
		list, ok := data["dataPoints"].([]any)
		if !ok {
			continue
		}
		var all []map[string]any
		for _, point := range list {
			one := maps.Clone(object)
			one[key] = without(data, "dataPoints")
			one["point"] = point
			all = append(all, one)
		}
		return all
	}
	return []map[string]any{object}
}

func without(object map[string]any, key string) map[string]any {
	rest := maps.Clone(object)
	delete(rest, key)
	return rest
}

// RequireSameItems fails the test if got and want do not have the same items, each the same number of times. The order does not
// matter.
func RequireSameItems(t testing.TB, want, got []string) {
	t.Helper()
	count := func(items []string) map[string]int {
		counts := map[string]int{}
		for _, item := range items {
			counts[item]++
		}
		return counts
	}
	wanted, found := count(want), count(got)
	for item, n := range wanted {
		require.Equal(t, n, found[item], "copies of %s; %d items in all, not %d", item, len(got), len(want))
	}
	require.Len(t, got, len(want), "there are items that were not sent")
}
