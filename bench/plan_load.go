package main

import (
	"strconv"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// loadJobs measure what goes through a core. Compressions and the SDK's serializer are measured with the default queue
// only, and of the signals other than logs only the commonest: the rest would say the same again.
func loadJobs(shape load.Shape, s size) []job {
	items, gzipped := itemsOf(shape, s)
	var list []job
	add := func(compression, variant, program string, items int, args ...string) {
		args = append(args, "-shape", shape.Name, "-compression", compression, "-items", strconv.Itoa(items),
			"-warmup", strconv.Itoa(items/5))
		list = append(list, job{report.Key{Shape: shape.Name, Compression: compression, Variant: variant}, program, args, prompt})
	}
	compressions := []string{"snappy", "zstd", "gzip"}
	if shape.Signal != load.Logs {
		compressions = []string{"snappy", "gzip"}
	}
	add("none", limit, "limit", items)
	for _, c := range compressions {
		add(c, limit, "limit", items)
	}
	for _, queue := range []string{"off", "default", "batch"} {
		add("none", variant(peer, queue), "awskinesis", items, "-queue", queue)
	}
	add("none", peer+", new SDK", "awskinesis-new", items)
	add("gzip", peer, "awskinesis", gzipped)
	add("none", ours, "kinesiskpl", items/2, "-queue", "off") // it waits for company, see the page
	add("none", variant(ours, "default"), "kinesiskpl", items, "-queue", "default")
	add("none", variant(ours, "batch"), "kinesiskpl", items, "-queue", "batch")
	if shape.Signal == load.Logs {
		add("none", variant(ours, "default")+", sdk_serializer: true", "kinesiskpl", items, "-queue", "default",
			"-config", `{"sdk_serializer":true}`)
	}
	for _, c := range compressions {
		add(c, variant(ours, "default"), "kinesiskpl", items, "-queue", "default")
	}
	return list
}

// itemsOf returns how many items of a shape are measured, and how many of the peer's gzip, which makes a compressor for
// each resource.
func itemsOf(shape load.Shape, s size) (items, gzipped int) {
	switch {
	case shape.Signal != load.Logs:
		return s.items / 2, s.items / 8
	case shape.Resources > 1000:
		return s.items / 3, s.items / 60
	default:
		return s.items, s.items / 6
	}
}
