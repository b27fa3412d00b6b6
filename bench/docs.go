package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// writeDocs writes the page, the plot and the figures in README.md.
func writeDocs(root string, rows []report.Row) error {
	readme, err := os.ReadFile(filepath.Join(root, "README.md")) //nolint:gosec // of this repository
	if err != nil {
		return err
	}
	text, err := withFigures(string(readme), rows)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"README.md": []byte(text), "docs/bench.md": page(rows), "docs/bench.svg": plot(rows),
	} {
		if err := os.WriteFile(filepath.Join(root, name), content, 0o644); err != nil { //nolint:gosec // for everyone
			return err
		}
	}
	return nil
}

// page is the document with all figures.
func page(rows []report.Row) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, pageHead, rows[0].Machine, rows[0].Rounds)
	goalsTable(&text, rows)
	text.WriteString("\n## Results\n\n")
	report.Table(&text, rows)
	text.WriteString(pageEnd)
	return text.Bytes()
}

func plot(rows []report.Row) []byte {
	shapes := load.Shapes()
	names := make([]string, len(shapes))
	for i, shape := range shapes {
		names[i] = shape.Name
	}
	return report.Plot("CPU-seconds for a million items (and times the peer's cheapest); less is better", names, bars(), rows)
}

func bars() []report.Bar {
	const other, own, least = "#b0b7c0", "#2563ab", "#3c9a5f"
	return []report.Bar{
		{Label: "awskinesis, queue off", Compression: "none", Variant: peer, Color: other},
		{Label: "awskinesis, default queue", Compression: "none", Variant: theirs, Color: other},
		{Label: "awskinesis, queue with batches", Compression: "none", Variant: variant(peer, "batch"), Color: other},
		{Label: "kinesis_kpl, queue off", Compression: "none", Variant: ours, Color: own},
		{Label: "kinesis_kpl, default queue", Compression: "none", Variant: queued, Color: own},
		{Label: "kinesis_kpl, snappy", Compression: "snappy", Variant: queued, Color: own},
		{Label: "kinesis_kpl, zstd", Compression: "zstd", Variant: queued, Color: own},
		{Label: "the unavoidable work", Compression: "none", Variant: limit, Color: least},
	}
}

// machine describes the machine in a few words.
func machine() string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s, %s", model, runtime.NumCPU(), runtime.GOOS, runtime.Version())
}

const pageHead = `# Benchmarks

Written by ` + "`make bench`" + `, which runs everything on this page again, in about a quarter of an hour. Do not edit.

Machine: %s. Rounds: %d.

![CPU time for a million items](bench.svg)

## How to read it

- Each measurement is a process of its own with ` + "`GOMAXPROCS=1`" + ` and the default garbage collector. It sends the same
  telemetry, generated from a seed, through an exporter made by its factory to a Kinesis on loopback that stores nothing,
  in another process. Rounds are interleaved; figures are medians, ratios of CPU time are medians of the ratios within a round,
  other ratios those of the medians.
- **CPU s/M**: user and system time of the exporter's process for a million log records, spans or data points, after a
  warm-up. **spread**: the most less the least of all rounds, in percent of the median. Compare ratios, not seconds: machines
  differ, and shared ones are noisy.
- **× peer**: to the cheapest awskinesis variant with the same shape and compression; where the peer has no such
  compression, to its cheapest without.
- **× limit**: to the program that does the unavoidable alone, on one connection, in memory that is there already: marshal once,
  compress, MD5 for an aggregate of what messages have left over, base64, one SHA-256 a call, a POST in
  one write to a socket, without an HTTP client. "limit, CBOR" does the same without base64.
- **MB/s a core**: OTLP bytes for a second of CPU time. **alloc**: bytes of heap allocated for an item. **peak**: the most memory
  resident, **idle**: before the first request; the program and the generated telemetry are in both, about the same for all.
  **growth**: the one less the other.
- **records**, **calls**, **PUT units**: what Kinesis bills and limits, for a million items; units are 25,600 bytes, rounded
  up for each record. **× least units**: to the bytes divided by 25,600. **wire**: bytes of the requests with their heads.
- awskinesis is contrib's v0.161.0, built with the versions of the AWS SDK in its own release; "new SDK" is the same with the
  version that this exporter uses. "queue" is each exporter's default queue, without that word it is off, with 10 callers.
  "batches" are of at least 2 MiB, without an upper bound, which suits the peer best.
- kinesis_kpl has its default configuration. With its queue off it cannot know that all callers wait for it, so a small request
  waits ` + "`record_max_buffered_time`" + ` for others, which costs no CPU time. The stream has 512 shards, so that no limit of a
  shard is met. awskinesis reads no outcome of a record and has no limiter; this exporter does all of that work here.
- Each compression has its default level; gzip's is 5 here and 1 in awskinesis.
- **tls**: the same to a service that speaks TLS 1.3, as the real one does. There is no limit program for that.
- **paced**: both are given so many items a second; the higher rate keeps 60 to 80 %% of a core busy with the peer.
- **lone**: requests of 10 log records, one at a time, confirmed. **loaded**: 50 such requests a second to a Kinesis that takes
  10 ms for a call; each counts from when it is due, done or not what was sent before. limit is a POST of the same size, one at
  a time. The queue is off in both.
- **core**: the library alone, from 200-byte user records with random partition keys to requests that a client discards.
  aws_kinesis_agg only packs.

Left out, for they say nothing more: compressions other than snappy with the queue off, and all of them with batches;
` + "`wire_protocol`" + ` with the queue off or with batches; it and zstd for traces and metrics; the peer's gzip with a queue or
the new SDK.

## Goals

`

const pageEnd = `
## What holds the goals that are missed

- **Snappy on 10000x1.** The program that does the unavoidable alone misses it too, see "limit" with snappy: the goal is
  against the cheapest awskinesis, which is the one with the newer SDK, not the one of its release. In a profile of kinesis_kpl
  (2,500,000 items, queue off) 35 % is Snappy's encoder, 34 % pdata's marshalling, 9 % SHA-256, 5 % the socket, 5 % finding the
  items; what is left is mostly copying. Tried without a difference beyond the noise: writing Snappy's frames by hand, a faster
  reader of lengths.
- **The default queue.** It counts the bytes of each request to keep to its bound, which is a walk through all of it: 10 % of
  the time on 100x100 and 13 % on 10000x1. With snappy that is what decides. Sizers of requests or items would not, and have no
  bound in bytes.
- **Peak RSS.** "idle" is what process and generated telemetry take before the first request, about the same for both, 15 MiB of
  it pages of the program's file. Where it is most of the peer's peak, no exporter can have half of that; by how much the process
  grows says more. At 50,000 items a second in small requests both grow by a few MiB: code that is read for the first time, and
  a heap so small that Go does not collect it.

The same figures, and more, are in [bench/results.json](../bench/results.json).
`
