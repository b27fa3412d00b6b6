// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

func TestVerdict(t *testing.T) {
	for name, test := range map[string]struct {
		goal goal
		want string
	}{
		"below the most":  {goal{measured: new(0.4), bound: new(0.5)}, "met"},
		"at the most":     {goal{measured: new(0.5), bound: new(0.5)}, "met"},
		"above the most":  {goal{measured: new(0.51), bound: new(0.5)}, "**missed**"},
		"above the least": {goal{measured: new(2.0), bound: new(1.0), least: true}, "met"},
		"at the least":    {goal{measured: new(1.0), bound: new(1.0), least: true}, "met"},
		"below the least": {goal{measured: new(0.9), bound: new(1.0), least: true}, "**missed**"},
		"not measured":    {goal{bound: new(1.0)}, "not measured"},
		"without a bound": {goal{measured: new(1.0)}, "not measured"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, test.goal.verdict()) })
	}
}

func TestFigure(t *testing.T) {
	for want, x := range map[string]*float64{
		"0": new(0.0), "0.02": new(0.02), "0.0103": new(0.01032), "0.475": new(0.4749), "1.05": new(1.05), "12.3": new(12.34),
		"1000000": new(1e6), "-0.12": new(-0.12), "?": nil,
	} {
		assert.Equal(t, want, figure(x))
	}
}

// Each goal uses the rows that its name says.
func TestGoals(t *testing.T) {
	row := func(shape, compression, variant string, fill func(*report.Row)) report.Row {
		r := report.Row{Key: report.Key{Shape: shape, Compression: compression, Variant: variant}}
		fill(&r)
		return r
	}
	latencies := func(p50, p99 float64) func(*report.Row) {
		return func(r *report.Row) { r.LatencyP50, r.LatencyP99 = &p50, &p99 }
	}
	rows := []report.Row{
		row("logs-10000x1", "none", ours, func(r *report.Row) { r.CPURatio = new(0.3) }),
		row("logs-1x1000", "none", limitInCBOR, func(r *report.Row) { r.CPUSecondsPerMillion = 0.4 }),
		row("logs-10000x1", "none", queued, func(r *report.Row) {
			r.CPURatio, r.KinesisRecordsPerMillion, r.AllocBytesPerItem, r.PutUnitsRatio = new(0.36), new(10_000.0), new(50.0), new(1.01)
		}),
		row("logs-10000x1", "none", theirs, func(r *report.Row) {
			r.KinesisRecordsPerMillion, r.AllocBytesPerItem = new(1e6), new(4000.0)
		}),
		row("logs-10000x1", "gzip", queued, func(r *report.Row) { r.CPURatio = new(0.01) }),
		row("logs-1x1000", "none", queued, func(r *report.Row) { r.LimitRatio, r.CPUSecondsPerMillion = new(1.4), 0.5 }),
		row("paced-32k-grpc-logs-10000x1", "none", queued, func(r *report.Row) { r.PeakRSS, r.IdleRSS = 60, new(30.0) }),
		row("paced-32k-grpc-logs-10000x1", "none", theirs, func(r *report.Row) { r.PeakRSS, r.IdleRSS = 100, new(40.0) }),
		row("paced-32k-grpc-logs-10000x1", "none", nop, func(r *report.Row) { r.PeakRSS, r.IdleRSS = 50, new(28.0) }),
		row("full-grpc-logs-1x10", "none", queued, func(r *report.Row) { r.RSSPerQueue = new(4.2) }),
		row("full-silent-http-logs-1x1000", "none", queued, func(r *report.Row) { r.RSSPerQueue = new(2.2) }),
		row("full-http-logs-100x100", "zstd", queued, func(r *report.Row) { r.RSSPerTelemetry = new(0.61) }),
		row(loneShape, "none", limit, latencies(0.2, 0.3)),
		row(loneShape, "none", atOnce, latencies(0.5, 0.9)),
		row(loadedShape, "none", limit, latencies(11, 40)),
		row(loadedShape, "none", atOnce, latencies(11, 23)),
		row(loadedShape, "none", lingering, latencies(60, 121)),
		row("core", "none", "kpl, shards: 1", func(r *report.Row) { r.CPUSecondsPerMillion, r.ItemsPerSecondCore = 1, 1e6 }),
		row("core", "none", "kpl, shards: 1024", func(r *report.Row) { r.CPUSecondsPerMillion, r.ItemsPerSecondCore = 2, 5e5 }),
	}
	got := map[string]string{}
	for _, g := range goals(newLookup(rows)) {
		require.NotContains(t, got, g.name)
		if got[g.name] = g.verdict(); g.measured != nil && g.bound != nil {
			got[g.name] = figure(g.measured) + " of " + figure(g.bound) + ": " + g.verdict()
		}
	}
	for name, want := range map[string]string{
		"CPU × peer, logs-10000x1, queue off":                                                     "0.3 of 0.35: met",
		"CPU × peer, logs-10000x1, default queue":                                                 "0.36 of 0.25: **missed**",
		"CPU with snappy × peer's without, logs-10000x1, queue off":                               "not measured",
		"CPU with gzip × peer's with gzip, logs-10000x1":                                          "0.01 of 0.03: met",
		"CPU × limit, logs-1x1000, default queue":                                                 "1.4 of 1.3: **missed**",
		"Kinesis records × peer's, logs-10000x1":                                                  "0.01 of 0.02: met",
		"PUT units × least, logs-10000x1, none":                                                   "1.01 of 1.05: met",
		"CPU × limit in CBOR, logs-1x1000, default queue":                                         "1.25 of 1.25: met",
		"growth of RSS × peer's, paced-32k-grpc-logs-10000x1":                                     "0.5 of 0.5: met",
		"growth of RSS less nop's × peer's less nop's, paced-32k-grpc-logs-10000x1":               "0.211 of 0.5: met",
		"growth of RSS × peer's, paced-100k-grpc-logs-1x1000":                                     "not measured",
		"RSS above nop with a full queue × queue_size, full-grpc-logs-1x10":                       "4.2 of 2.2: **missed**",
		"RSS above nop with a full queue × queue_size, full-silent-http-logs-1x1000":              "2.2 of 2.2: met",
		"RSS above nop with a full queue × queue_size, full-http-logs-1x1000":                     "not measured",
		"MB of RSS above nop for a MB of telemetry in a full queue, zstd, full-http-logs-100x100": "0.61 of 0.6: **missed**",
		"garbage × peer's, logs-10000x1, default queue":                                           "0.0125 of 0.1: met",
		"lone request, p50 less a round trip, ms":                                                 "0.3 of 2: met",
		"records/s a core, shards: 1":                                                             "1000000 of 1000000: met",
		"records/s a core, shards: 1024":                                                          "500000 of 1000000: **missed**",
		"cost a record, shards: 1024 × 1":                                                         "2 of 1.5: **missed**",
		"50 requests/s, p99 against record_max_buffered_time 0s and two round trips, ms":          "23 of 22: **missed**",
		"50 requests/s, p99 against record_max_buffered_time 100ms and two round trips, ms":       "121 of 122: met",
	} {
		assert.Equal(t, want, got[name], name)
	}
}
