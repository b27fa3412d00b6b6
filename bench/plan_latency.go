// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// Names of the rows with latencies.
const (
	loneShape   = "lone-logs-1x10"
	loadedShape = "loaded-logs-1x10"
	atOnce      = ours + ", record_max_buffered_time: 0s"
	lingering   = ours + ", record_max_buffered_time: 100ms"
)

// The load of an exporter whose latency is measured under load: loadedRate requests a second, and a service that takes
// slowFor for a call.
const (
	loadedRate = 50
	slowFor    = 10 * time.Millisecond
	linger     = 100 * time.Millisecond
)

// loneJobs measure the latency of one small request at a time.
func loneJobs(s size) []job { return latencyJobs(loneShape, prompt, s, 0) }

// loadedJobs measure the latency of small requests at a fixed rate. The latency of the limit is that of a round trip.
func loadedJobs(s size) []job { return latencyJobs(loadedShape, slow, s, loadedRate) }

func latencyJobs(shape string, at sink, s size, rate int) []job {
	items := load.Lone().ItemsPerRequest()
	var list []job
	add := func(variant, program string, args ...string) {
		args = append(args, "-shape", load.Lone().Name, "-lone", strconv.Itoa(s.requests),
			"-warmup", strconv.Itoa(10*items), "-rate", strconv.Itoa(rate*items))
		key := report.Key{Shape: shape, Compression: "none", Variant: variant}
		list = append(list, job{Key: key, program: program, args: args, sink: at})
	}
	add(limit, "limit")
	add(peer, "awskinesis")
	add(atOnce, "kinesiskpl", "-config", `{"record_max_buffered_time":"0s"}`)
	if rate > 0 {
		add(lingering, "kinesiskpl", "-config", fmt.Sprintf(`{"record_max_buffered_time":%q}`, linger))
	}
	return list
}
