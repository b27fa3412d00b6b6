// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// measured is a row of bench/results.json.
type measured struct {
	Shape        string  `json:"shape"`
	Compression  string  `json:"compression"`
	Variant      string  `json:"variant"`
	CPU          float64 `json:"cpu_s_per_million"`
	Units        float64 `json:"put_units_per_million"`
	UnitsRatio   float64 `json:"put_units_ratio"`
	PeakMB       float64 `json:"peak_rss_mb"`
	PerQueueByte float64 `json:"exporter_rss_per_queue_byte"`
	P99          float64 `json:"latency_p99_ms"`
}

// itemBytes returns how many bytes of an item are in the records.
func (m measured) itemBytes() float64 { return m.Units / m.UnitsRatio * kpl.PutUnit / 1e6 }

// results returns the rows of this exporter whose shape begins with a prefix.
func results(t *testing.T, prefix string) (rows []measured) {
	t.Helper()
	text, err := os.ReadFile("../../bench/results.json")
	require.NoError(t, err)
	var all []measured
	require.NoError(t, json.Unmarshal(text, &all))
	for _, row := range all {
		if strings.HasPrefix(row.Shape, prefix) && strings.HasPrefix(row.Variant, "kinesis_kpl") {
			rows = append(rows, row)
		}
	}
	require.NotEmpty(t, rows, prefix)
	return rows
}

// Under load, records are as full as the plan says.
func TestPackingAsMeasured(t *testing.T) {
	for _, prefix := range []string{"logs-", "traces-", "metrics-", "collector-http", "collector-grpc"} {
		for _, row := range results(t, prefix) {
			bound := packing
			if row.Compression != "none" {
				bound = compressedPacking
			}
			assert.LessOrEqual(t, row.UnitsRatio, bound, "%+v", row)
		}
	}
}

// A collector that gets a steady rate makes at most the PUT units of the plan, and the plan is at most a third too high.
func TestUnitsAsMeasured(t *testing.T) {
	for prefix, rate := range map[string]float64{"paced-100k-": 100_000, "paced-32k-": 32_000} {
		for _, row := range results(t, prefix) {
			l := usual()
			_, units := l.recordRate(rate*row.itemBytes(), 1)
			got := row.Units / 1e6 * rate
			assert.LessOrEqual(t, got, units, "%+v", row)
			assert.Less(t, units, got*4/3, "%+v", row)
		}
	}
}

// A full queue takes the memory of the plan at most.
func TestMemoryAsMeasured(t *testing.T) {
	for _, row := range results(t, "full-") {
		l := usual()
		if row.Compression != "none" {
			l.ratio = 0.5
		}
		assert.LessOrEqual(t, row.PerQueueByte, l.heapFactor(), "%+v", row)
		assert.LessOrEqual(t, row.PeakMB*1e6, newPlan(l).memory, "%+v", row)
	}
}

// The CPU time of whole collectors is what docs/sizing.md says, and the default of -cpu is in the middle.
func TestCPUAsMeasured(t *testing.T) {
	for _, row := range results(t, "collector-") {
		assert.Greater(t, row.CPU, 1.0, "%+v", row)
		assert.Less(t, row.CPU, 5.0, "%+v", row)
	}
}

// The benchmark's service takes 10 ms for a call. 99 of 100 requests take the linger and two calls at most.
func TestLatencyAsMeasured(t *testing.T) {
	const answer = 10 * time.Millisecond
	for _, row := range results(t, "loaded-") {
		_, text, found := strings.Cut(row.Variant, "record_max_buffered_time: ")
		require.True(t, found)
		linger, err := time.ParseDuration(text)
		require.NoError(t, err)
		assert.LessOrEqual(t, row.P99, float64((linger + 2*answer).Milliseconds()), "%+v", row)
	}
}
