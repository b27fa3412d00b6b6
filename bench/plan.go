// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// job is a row of the report: a program and its arguments.
type job struct {
	report.Key

	program string // the name of a program that was built, or a path
	args    []string
	sink    sink
}

// sink says which service a program sends to.
type sink int

const (
	prompt  sink = iota // a service that answers as soon as it can
	slow                // a service that takes slowFor longer
	secured             // a service like prompt, with TLS
	none                // no service, because the program needs none
)

// Names of variants. Those of the peer begin with its name. The release of the peer is built with the versions in its own
// go.mod. "new SDK" is the same release, built with the versions that this exporter uses.
const (
	ours  = "kinesis_kpl"
	peer  = "awskinesis"
	limit = "limit"

	limitInCBOR = limit + ", CBOR"

	queued = ours + ", queue"
	theirs = peer + ", queue"
)

// variant returns the name of an exporter with a kind of queue.
func variant(exporter, queue string) string {
	if queue == "off" {
		return exporter
	}
	return exporter + ", " + map[string]string{"default": "queue", "batch": "queue with batches"}[queue]
}

// size says how much is measured in a round.
type size struct {
	items    int // items of the cheapest shapes; others get fewer, so that they take about the same time
	requests int // requests whose latency is measured
}

// fullSize is the size of `make bench`. Five rounds take about a quarter of an hour, and a row about a second of CPU time.
func fullSize() size { return size{items: 600_000, requests: 200} }

// jobs returns the rows for a list of shapes, in the order of the report.
func jobs(shapes []load.Shape, s size, python string) []job {
	var list []job
	for _, shape := range shapes {
		list = append(list, loadJobs(shape, s)...)
	}
	for _, shape := range shapes {
		if shape.Signal == load.Logs {
			list = append(list, securedJobs(shape, s)...)
		}
	}
	for _, shape := range shapes {
		if shape.Signal == load.Logs {
			list = append(list, pacedJobs(shape, s)...)
		}
	}
	list = append(list, loneJobs(s)...)
	list = append(list, loadedJobs(s)...)
	return append(list, coreJobs(s, python)...)
}

// coreJobs measure producer libraries without an exporter. Those for Python get fewer records.
func coreJobs(s size, python string) []job {
	key := func(variant string) report.Key {
		return report.Key{Shape: "core", Compression: "none", Variant: variant}
	}
	var list []job
	add := func(variant string, args ...string) {
		args = append(args, "-items", strconv.Itoa(2*s.items))
		list = append(list, job{key(variant), "core", args, none})
	}
	for _, shards := range []string{"1", "64", "1024"} {
		add(coreVariant(shards), "-shards", shards)
	}
	for _, shards := range []string{"1", "64"} {
		add(coreStreamsVariant(shards), "-streams", "16", "-shards", shards)
	}
	if python == "" {
		return list
	}
	addPython := func(library string, items int) {
		args := []string{"python/core.py", "-library", library, "-items", strconv.Itoa(items)}
		list = append(list, job{key(library + " (Python)"), python, args, none})
	}
	addPython("aws_kinesis_agg", s.items/4)
	addPython("aiokpl", s.items/60)
	return list
}

func coreVariant(shards string) string        { return "kpl, shards: " + shards }
func coreStreamsVariant(shards string) string { return "kpl, 16 streams, shards of each: " + shards }
