// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// loadJobs measure how much telemetry one core can send. Compressions and other protocols are measured with the default
// queue only. Of traces and metrics only the most common shape is measured. All other combinations would show the same.
func loadJobs(shape load.Shape, s size) []job {
	n := amountsOf(shape, s)
	var list []job
	add := func(compression, variant, program string, items, warmUp int, args ...string) {
		key := report.Key{Shape: shape.Name, Compression: compression, Variant: variant}
		list = append(list, job{Key: key, program: program, args: loadArgs(args, shape, compression, items, warmUp), sink: prompt})
	}
	compressions := []string{"snappy", "zstd", "gzip"}
	if shape.Signal != load.Logs {
		compressions = []string{"snappy", "gzip"}
	}
	for _, c := range append([]string{"none"}, compressions...) {
		add(c, limit, "limit", n.items, n.warmUp)
	}
	add("none", limitInCBOR, "limit", n.items, n.warmUp, "-cbor")
	for _, queue := range []string{"off", "default", "batch"} {
		add("none", variant(peer, queue), "awskinesis", n.items, n.warmUp, "-queue", queue)
	}
	add("none", peer+", new SDK", "awskinesis-new", n.items, n.warmUp)
	add("gzip", peer, "awskinesis", n.gzipped, n.gzipped/5)
	add("none", ours, "kinesiskpl", n.unqueued, n.warmUp, "-queue", "off")
	add("none", queued, "kinesiskpl", n.items, n.warmUp, "-queue", "default")
	add("none", variant(ours, "batch"), "kinesiskpl", n.items, n.warmUp, "-queue", "batch")
	if shape.Signal == load.Logs {
		for _, protocol := range []string{"json", "sdk"} {
			add("none", queued+", wire_protocol: "+protocol, "kinesiskpl", n.items, n.warmUp, "-queue", "default",
				"-config", `{"wire_protocol":"`+protocol+`"}`)
		}
		add("snappy", ours, "kinesiskpl", n.unqueued, n.warmUp, "-queue", "off")
	}
	for _, c := range compressions {
		add(c, queued, "kinesiskpl", n.items, n.warmUp, "-queue", "default")
	}
	return list
}

// loadArgs appends the arguments that say what is sent.
func loadArgs(args []string, shape load.Shape, compression string, items, warmUp int) []string {
	return append(args, "-shape", shape.Name, "-compression", compression, "-items", strconv.Itoa(items),
		"-warmup", strconv.Itoa(warmUp))
}

// securedShape names the rows of a shape that are sent with TLS.
func securedShape(shape string) string { return "tls-" + shape }

// securedJobs measure how much telemetry one core can send with TLS, which the real service requires.
func securedJobs(shape load.Shape, s size) []job {
	n := amountsOf(shape, s)
	var list []job
	add := func(compression, variant, program string, items int, args ...string) {
		key := report.Key{Shape: securedShape(shape.Name), Compression: compression, Variant: variant}
		list = append(list, job{Key: key, program: program, args: loadArgs(args, shape, compression, items, n.warmUp), sink: secured})
	}
	add("none", peer, "awskinesis", n.items, "-queue", "off")
	add("none", theirs, "awskinesis", n.items, "-queue", "default")
	add("none", ours, "kinesiskpl", n.unqueued, "-queue", "off")
	add("none", queued, "kinesiskpl", n.items, "-queue", "default")
	add("snappy", queued, "kinesiskpl", n.items, "-queue", "default")
	return list
}

// amounts says how many items of a shape are measured.
type amounts struct {
	items, warmUp int
	unqueued      int // by this exporter without a queue; small requests then wait for others
	gzipped       int // by the peer with gzip, which makes a new compressor for each resource
}

func amountsOf(shape load.Shape, s size) amounts {
	per := shape.ItemsPerRequest()
	switch n := s.items; {
	case shape.Signal != load.Logs:
		return amounts{n / 2, warmUp(n/2, per), n / 4, n / 8}
	case shape.Resources > 1000:
		return amounts{n * 2 / 3, warmUp(n*2/3, per), n * 2 / 3, n / 60}
	case shape.Resources > 1:
		return amounts{n, warmUp(n, per), n, n / 6}
	default:
		return amounts{n, warmUp(n, per), n / 2, n / 6}
	}
}

// warmUp is how many items are sent until every caller or consumer has made two requests. Then all memory that is used
// again has been allocated.
func warmUp(items, perRequest int) int { return max(items/5, 20*perRequest) }
