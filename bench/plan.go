// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
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
	rounds  int // in how many rounds it is measured, at most; 0 means in all
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

	nop = "nop" // a collector with the exporter nop, which does nothing
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

// fullSize is the size of `make bench`. Five rounds take about 25 minutes, and a row about a second of CPU time.
func fullSize() size { return size{items: 600_000, requests: 200} }

// Parts of the measurements, which can be run alone.
const (
	exporters  = "exporters"  // exporters without a collector
	library    = "library"    // producer libraries without an exporter
	collectors = "collectors" // whole collectors
)

// selection says what is measured.
type selection struct {
	shapes     []load.Shape
	parts      []string
	python     string // an interpreter for the libraries; if empty, no Python is measured
	collectors string // the directory of the collectors; if empty, no collectors are measured
}

// jobs returns the rows of a selection, in the order of the report.
func jobs(of selection, s size) []job {
	var list []job
	if slices.Contains(of.parts, exporters) {
		for _, shape := range of.shapes {
			list = append(list, loadJobs(shape, s)...)
		}
		for _, shape := range of.shapes {
			if shape.Signal == load.Logs {
				list = append(list, securedJobs(shape, s)...)
			}
		}
		list = append(append(list, loneJobs(s)...), loadedJobs(s)...)
	}
	if slices.Contains(of.parts, library) {
		list = append(list, coreJobs(s, of.python)...)
	}
	if slices.Contains(of.parts, collectors) && of.collectors != "" {
		list = append(list, collectorJobs(of, s)...)
	}
	return list
}

// coreJobs measure producer libraries without an exporter. Those for Python get fewer records.
func coreJobs(s size, python string) []job {
	key := func(variant string) report.Key {
		return report.Key{Shape: "core", Compression: "none", Variant: variant}
	}
	var list []job
	add := func(variant string, args ...string) {
		args = append(args, "-items", strconv.Itoa(2*s.items))
		list = append(list, job{Key: key(variant), program: "core", args: args, sink: none})
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
		list = append(list, job{Key: key(library + " (Python)"), program: python, args: args, sink: none})
	}
	addPython("aws_kinesis_agg", s.items/4)
	addPython("aiokpl", s.items/60)
	return list
}

func coreVariant(shards string) string        { return "kpl, shards: " + shards }
func coreStreamsVariant(shards string) string { return "kpl, 16 streams, shards of each: " + shards }
