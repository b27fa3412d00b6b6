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

// writeDocs writes the page and the plot.
func writeDocs(directory string, rows []report.Row, rounds, items int) error {
	var page bytes.Buffer
	fmt.Fprintf(&page, pageHead, machine(), runtime.Version(), rounds, items)
	report.Table(&page, rows)
	page.WriteString(pageEnd)
	shapes := load.Shapes()
	names := make([]string, len(shapes))
	for i, shape := range shapes {
		names[i] = shape.Name
	}
	plot := report.Plot("CPU-seconds for a million items (and times the peer's cheapest); less is better", names, bars(), rows)
	for name, text := range map[string][]byte{"bench.md": page.Bytes(), "bench.svg": plot} {
		if err := os.WriteFile(filepath.Join(directory, name), text, 0o644); err != nil { //nolint:gosec // for everyone
			return err
		}
	}
	return nil
}

func bars() []report.Bar {
	const theirs, own, least = "#b0b7c0", "#2563ab", "#3c9a5f"
	return []report.Bar{
		{Label: "awskinesis, queue off", Compression: "none", Variant: peer, Color: theirs},
		{Label: "awskinesis, default queue", Compression: "none", Variant: variant(peer, "default"), Color: theirs},
		{Label: "awskinesis, queue with batches", Compression: "none", Variant: variant(peer, "batch"), Color: theirs},
		{Label: "kinesis_kpl, queue off", Compression: "none", Variant: ours, Color: own},
		{Label: "kinesis_kpl, default queue", Compression: "none", Variant: variant(ours, "default"), Color: own},
		{Label: "kinesis_kpl, snappy", Compression: "snappy", Variant: variant(ours, "default"), Color: own},
		{Label: "kinesis_kpl, zstd", Compression: "zstd", Variant: variant(ours, "default"), Color: own},
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
	return fmt.Sprintf("%s, %d cores, %s", model, runtime.NumCPU(), runtime.GOOS)
}

const pageHead = `# Benchmarks

Written by ` + "`make bench`" + `, which runs everything on this page again. Do not edit.

Machine: %s, %s. %d rounds, %d items a measurement.

![CPU time for a million items](bench.svg)

## How to read it

- Each measurement is a process of its own with ` + "`GOMAXPROCS=1`" + ` and the default garbage collector. It sends the same
  telemetry, generated from a seed, through an exporter made by its factory to a Kinesis on loopback that stores nothing,
  in another process. Rounds are interleaved; figures are medians, ratios are medians of the ratios within a round.
- **CPU s/M**: user and system time of the exporter's process for a million log records, spans or data points, after a
  warm-up. **spread**: the most less the least of all rounds, in percent of the median. Compare ratios, not seconds: machines
  differ, and shared ones are noisy.
- **× peer**: to the cheapest awskinesis variant with the same shape and compression; where the peer has no such
  compression, to its cheapest without.
- **× limit**: to the program that does the unavoidable alone: marshal once, compress, MD5 for the last, partly filled record of a
  request, base64 with vector instructions, one SHA-256 a call, a plain POST.
- **MB/s a core**: OTLP bytes for a second of CPU time. **alloc**: bytes of heap allocated for an item. **peak**: the most memory
  resident, the generated telemetry included, which is the same for all.
- **records**, **calls**, **PUT units**: what Kinesis bills and limits, for a million items; units are 25,600 bytes, rounded
  up for each record. **× least units**: to the bytes divided by 25,600. **wire**: bytes of the requests with their heads.
- awskinesis is contrib's v0.161.0, built with the versions of the AWS SDK in its own release; "new SDK" is the same with the
  version that this exporter uses. "queue" is each exporter's default queue, without that word it is off, with 10 callers.
  "batches" are of at least 2 MiB, without an upper bound, which suits the peer best.
- kinesis_kpl has its default configuration. The stream has 512 shards, so that no limit of a shard is met. awskinesis reads no
  outcome of a record and has no limiter; this exporter does all of that work here.
- **paced**: both are given 50,000 items a second. **lone**: requests of 10 log records, one at a time, confirmed;
  the queue is off.
- **core**: the library alone, from 200-byte user records with random partition keys to requests that a client discards.
  aws_kinesis_agg only packs.

## Results

`

const pageEnd = `
The same figures, and more, are in [bench/results.json](../bench/results.json).
`
