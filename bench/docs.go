// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

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

- Each measurement is a process of its own with ` + "`GOMAXPROCS=1`" + ` and the default garbage collector. It makes an exporter
  with the exporter's factory and sends the same telemetry through it, which is generated from a seed. The telemetry goes to a
  Kinesis on loopback that stores nothing and runs in another process. Each round measures everything once. Figures are medians
  of the rounds. A ratio of CPU times is the median of the ratios within each round; all other ratios are ratios of medians.
- **CPU s/M**: user and system time of the exporter's process for a million log records, spans or data points, after a
  warm-up. **spread**: the highest less the lowest of all rounds, in percent of the median. Compare ratios, not seconds: machines
  differ, and shared machines are noisy.
- **× peer**: compared with the cheapest awskinesis variant with the same shape and compression. If the peer does not have the
  compression, compared with its cheapest variant without compression.
- **× limit**: compared with a program that does only what no exporter can leave out, on one connection and in memory that is
  allocated before. It marshals once, compresses, computes MD5 for an aggregate of what does not fill a record, base64 and one
  SHA-256 a call, and writes each POST to a socket at once, without an HTTP client. "limit, CBOR" does the same without base64.
- **MB/s a core**: OTLP bytes for a second of CPU time. **alloc**: bytes of heap allocated for an item. **peak**: the most
  resident memory. **idle**: the resident memory before the first request. Both include the program and the generated
  telemetry, which are about the same for all. **growth**: peak less idle.
- **records**, **calls**, **PUT units**: what Kinesis bills and limits, for a million items. A unit is 25,600 bytes, rounded
  up for each record. **× least units**: compared with the bytes divided by 25,600. **wire**: bytes of the requests with their
  heads.
- awskinesis is contrib's v0.161.0, built with the versions of the AWS SDK in its own release. "new SDK" is the same with the
  version that this exporter uses. "queue" is each exporter's default queue. Without that word the queue is off, and there are 10
  callers. "batches" have at least 2 MiB and no upper bound, which is best for the peer.
- kinesis_kpl has its default configuration. The stream has 512 shards, so that no limit of a shard is reached. awskinesis does
  not read the outcome of a record and has no limiter; this exporter does all of that work.
- Each compression has its default level. That of gzip is 5 here and 1 in awskinesis.
- **tls**: the same with a service that speaks TLS 1.3, as the real one does. There is no limit program for that.
- **paced**: both get the same number of items a second. The higher rate keeps 60 to 80 %% of a core busy with the peer.
- **lone**: requests of 10 log records, one at a time, confirmed. **loaded**: 50 such requests a second to a Kinesis that takes
  10 ms for a call. A request counts from the time at which it is due, even if earlier ones are not done. limit is a POST of the
  same size, one at a time. The queue is off in both.
- **core**: the library alone, from 200-byte user records with random partition keys to requests that a client discards.
  aws_kinesis_agg only packs.

These are left out, because they show nothing more: compressions other than snappy with the queue off, and all compressions with
batches; ` + "`wire_protocol`" + ` with the queue off or with batches; ` + "`wire_protocol`" + ` and zstd for traces and metrics;
the peer's gzip with a queue or the new SDK.

## Goals

`

const pageEnd = `
## Why some goals are missed

- **Snappy on 10000x1.** The program that does only the unavoidable work misses it too, see "limit" with snappy. The goal
  compares with the cheapest awskinesis, which is the one with the newer SDK, not the one of its release. In a profile of
  kinesis_kpl (2,500,000 items, queue off) Snappy's encoder takes 35 %, pdata's marshalling 34 %, SHA-256 9 %, the socket 5 % and
  finding the items 5 %. The rest is mostly copying. Two changes made no difference beyond the noise: writing Snappy's frames by
  hand, and a faster reader of lengths.
- **The default queue.** It keeps to a bound in bytes, so it counts the bytes of each request and walks through all of it
  for that. This takes 10 % of the time on 100x100 and 13 % on 10000x1. A queue that counts requests or items would not need that
  time, but it has no bound in bytes.
- **The limit in CBOR.** That program does not look at text. The exporter searches all text for what strict readers reject
  ([ADR 20](adr/0020-strict-readers.md) has the cost).
- **Peak RSS.** "idle" is what the process and the generated telemetry take before the first request. It is about the same for
  both, and 15 MiB of it are pages of the program's file. Where "idle" is most of the peer's peak, no exporter can have half of
  the peak. The growth of the process says more. On 1x1000 both grow by a few MiB only: by code that runs for the first time, and
  by a heap so small that Go does not collect it.

The same figures, and more, are in [bench/results.json](../bench/results.json).
`
