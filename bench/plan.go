package main

import (
	"strconv"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// job is a row of the report: a program and its arguments.
type job struct {
	report.Key

	program string // among those built, or a path
	args    []string
	alone   bool // it needs no sink
}

// Names of variants. Those of the peer begin with its name: its release is built with the versions that its own go.mod
// asks for; "new SDK" is the same with the versions that this exporter is built with.
const (
	ours  = "kinesis_kpl"
	peer  = "awskinesis"
	limit = "limit"
)

// jobs returns the rows for a list of shapes, in the order of the report.
func jobs(shapes []load.Shape, items int, python string) []job {
	var list []job
	for _, shape := range shapes {
		list = append(list, loadJobs(shape, items)...)
	}
	for _, shape := range shapes {
		if shape.Signal == load.Logs {
			list = append(list, pacedJobs(shape, items)...)
		}
	}
	list = append(list, loneJobs()...)
	return append(list, coreJobs(items, python)...)
}

// gzipItems is how many items are enough for the peer's gzip, which makes a compressor for each resource.
const gzipItems = 10_000

func loadJobs(shape load.Shape, items int) []job {
	var list []job
	add := func(compression, variant, program string, items int, args ...string) {
		args = append(args, "-shape", shape.Name, "-compression", compression, "-items", strconv.Itoa(items),
			"-warmup", strconv.Itoa(items/5))
		list = append(list, job{report.Key{Shape: shape.Name, Compression: compression, Variant: variant}, program, args, false})
	}
	for _, c := range []string{"none", "gzip"} {
		add(c, limit, "limit", items)
	}
	for _, queue := range []string{"off", "default", "batch"} {
		add("none", variant(peer, queue), "awskinesis", items, "-queue", queue)
	}
	add("none", peer+", new SDK", "awskinesis-new", items)
	add("gzip", variant(peer, "off"), "awskinesis", min(items, gzipItems))
	for _, queue := range []string{"off", "default", "batch"} {
		add("none", variant(ours, queue), "kinesiskpl", items, "-queue", queue)
	}
	return list
}

// variant returns the name of an exporter with a kind of queue.
func variant(exporter, queue string) string {
	if queue == "off" {
		return exporter
	}
	return exporter + ", " + map[string]string{"default": "queue", "batch": "queue with batches"}[queue]
}

// pacedRate is how many items a second each variant is given for the comparison of memory: more than a service of some size
// writes, less than each variant can take.
const pacedRate = 50_000

func pacedJobs(shape load.Shape, items int) []job {
	args := []string{
		"-shape", shape.Name, "-queue", "default", "-rate", strconv.Itoa(pacedRate),
		"-items", strconv.Itoa(items), "-warmup", strconv.Itoa(items / 5),
	}
	key := func(exporter string) report.Key {
		return report.Key{Shape: "paced-" + shape.Name, Compression: "none", Variant: variant(exporter, "default")}
	}
	return []job{{key(peer), "awskinesis", args, false}, {key(ours), "kinesiskpl", args, false}}
}

// loneJobs measure the latency of one small request at a time.
func loneJobs() []job {
	const requests = "100"
	key := func(variant string) report.Key {
		return report.Key{Shape: "lone-" + load.Lone().Name, Compression: "none", Variant: variant}
	}
	args := []string{"-shape", load.Lone().Name, "-lone", requests, "-warmup", "100"}
	with := func(more ...string) []string { return append(more, args...) }
	return []job{
		{key(limit), "limit", args, false},
		{key(peer), "awskinesis", args, false},
		{key(ours + ", record_max_buffered_time: 0s"), "kinesiskpl", with("-config", `{"record_max_buffered_time":"0s"}`), false},
	}
}

// coreJobs measure producer libraries alone, those for Python with fewer records.
func coreJobs(items int, python string) []job {
	key := func(variant string) report.Key {
		return report.Key{Shape: "core", Compression: "none", Variant: variant}
	}
	var list []job
	add := func(variant string, args ...string) {
		args = append(args, "-items", strconv.Itoa(5*items))
		list = append(list, job{key(variant), "core", args, true})
	}
	for _, shards := range []string{"1", "64", "1024"} {
		add("kpl, shards: "+shards, "-shards", shards)
	}
	for _, shards := range []string{"1", "64"} {
		add("kpl, 16 streams, shards of each: "+shards, "-streams", "16", "-shards", shards)
	}
	if python == "" {
		return list
	}
	addPython := func(library string, items int) {
		args := []string{"python/core.py", "-library", library, "-items", strconv.Itoa(items)}
		list = append(list, job{key(library + " (Python)"), python, args, true})
	}
	addPython("aws_kinesis_agg", items/4)
	addPython("aiokpl", items/20)
	return list
}
