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

// lowRate is the lower rate for the comparison of memory, in items a second. It is more than a service of some size writes.
const lowRate = 50_000

// highRate is the higher rate, in items a second. With it the peer uses 60 to 80 % of a core of the machine that the page
// names.
func highRate(shape load.Shape) int {
	if shape.Resources > 1000 {
		return 110_000 // 58 MB/s of OTLP
	}
	return 350_000 // 102 MB/s of OTLP
}

// pacedTime is how long items are sent at a rate in each round.
const pacedTime = 3 * time.Second

// pacedShape names the rows of a shape at a rate.
func pacedShape(shape string, rate int) string { return fmt.Sprintf("paced-%dk-%s", rate/1000, shape) }

// pacedJobs measure at equal throughput.
func pacedJobs(shape load.Shape, s size) []job {
	var list []job
	for _, rate := range []int{lowRate, highRate(shape)} {
		items := int(pacedTime.Seconds() * float64(rate) * float64(s.items) / float64(fullSize().items))
		args := []string{
			"-shape", shape.Name, "-queue", "default", "-rate", strconv.Itoa(rate),
			"-items", strconv.Itoa(items), "-warmup", strconv.Itoa(items / 5),
		}
		key := func(exporter string) report.Key {
			return report.Key{
				Shape: pacedShape(shape.Name, rate), Compression: "none", Variant: variant(exporter, "default"),
			}
		}
		list = append(list, job{key(peer), "awskinesis", args, prompt}, job{key(ours), "kinesiskpl", args, prompt})
	}
	return list
}

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
		list = append(list, job{report.Key{Shape: shape, Compression: "none", Variant: variant}, program, args, at})
	}
	add(limit, "limit")
	add(peer, "awskinesis")
	add(atOnce, "kinesiskpl", "-config", `{"record_max_buffered_time":"0s"}`)
	if rate > 0 {
		add(lingering, "kinesiskpl", "-config", fmt.Sprintf(`{"record_max_buffered_time":%q}`, linger))
	}
	return list
}
