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

Written by ` + "`make bench`" + `, which runs everything on this page again, in about 25 minutes. Do not edit.

Machine: %s. Rounds: %d.

![CPU time for a million items](bench.svg)

## How to read it

- Each measurement is a process of its own with ` + "`GOMAXPROCS=1`" + `. Each round measures everything once. Figures are
  medians of the rounds. A ratio of CPU times is the median of the ratios within each round, and so is each figure that is
  compared with **nop**; all other ratios are ratios of medians. Compare ratios, not seconds: machines differ, and shared
  machines are noisy.
- All telemetry is generated from a seed. It goes to a Kinesis on loopback that stores nothing and runs in another process.
- **Which figures are the exporter's?** The tables "collector", "paced" and "full" are about whole collectors, see below.
  "core" is about the library. All other tables, and the plot, are about exporters alone: the process makes an exporter with
  the exporter's factory and sends the same telemetry through it, with the default garbage collector.
- **CPU s/M**: user and system time of the process for a million log records, spans or data points, after a warm-up.
  **spread**: the highest less the lowest of all rounds, in percent of the median.
- **× peer**: compared with the cheapest awskinesis variant with the same shape and compression. If the peer does not have the
  compression, compared with its cheapest variant without compression.
- **× limit**: compared with a program that does only what no exporter can leave out, on one connection and in memory that is
  allocated before. It marshals once, compresses, computes MD5 for an aggregate of what does not fill a record, base64 and one
  SHA-256 a call, and writes each POST to a socket at once, without an HTTP client. "limit, CBOR" does the same without
  base64.
- **MB/s a core**: OTLP bytes for a second of CPU time. **alloc**: bytes of heap allocated for an item. **peak**: the most
  resident memory. For an exporter alone, this includes the generated telemetry, which is the same for all.
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
- **lone**: requests of 10 log records, one at a time, confirmed. **loaded**: 50 such requests a second to a Kinesis that
  takes 10 ms for a call. A request counts from the time at which it is due, even if earlier ones are not done. limit is a
  POST of the same size, one at a time. The queue is off in both.
- **core**: the library alone, from 200-byte user records with random partition keys to requests that a client discards.
  aws_kinesis_agg only packs.

### Whole collectors

- ocb builds three collectors of the same versions. Each has the OTLP receiver and one exporter: kinesis_kpl, awskinesis
  v0.161.0 with the newer parts of the Collector, or **nop**, which does nothing. Their own metrics are on. Another process
  sends to them over four connections that stay open. It encodes its requests once, and its CPU time does not count. All
  collectors get the same number of items a second.
- What a collector takes with nop is the price of receiving: HTTP or gRPC, decoding, and the Collector's own work. **exporter
  s/M** is the CPU time less that of nop, and **exporter × peer's** compares it with the peer's. **above nop** is the peak of
  memory less that of nop. **× peer** compares whole collectors: it is what a user pays.
- **collector**: the CPU time, from a warm-up until the collector has sent all and has ended. The garbage collector runs when
  the collector has 512 MiB (` + "`GOGC=off`" + `, ` + "`GOMEMLIMIT=512MiB`" + `), so peak says little. With the
  default, a collector that holds more memory collects less often and needs less CPU time for it. Here all have the same
  memory, and each pays for the garbage that it makes and for what it holds. A ballast in the heap would do the same, but it
  needs code in each collector.
- **otlpgateway** is [examples/otlpgateway](../examples/otlpgateway), which is no collector. It answers a request when its data is
  stored. It does not decode protobuf, so it takes less CPU time than a collector with nop, and the difference is negative.
  **busy**: it gets as much as it takes. Each connection sends when it has its answer.
- **paced**: how memory grows while telemetry is sent over gRPC, with the default garbage collector. gRPC is what collectors
  use between each other, and its buffers do not hide those of the exporter, as those of HTTP do. **idle** is the resident
  memory before the first request, and **growth** is peak less idle. A collector with nop grows too, so
  there are goals for growth with and without that.
- **full**: the service is down, and senders fill a queue of 64 MiB until the collector answers 503 or UNAVAILABLE. This is
  the default queue of kinesis_kpl. awskinesis has ` + "`sizer: bytes`" + ` and the same ` + "`queue_size`" + `. Each
  connection then tries again once a second. **RSS** is the highest of some samples after 1.5 seconds of this. nop gets as
  many bytes as the queue has room for. **accepted** is the OTLP that the collector took. Nothing listens on the port of the
  service; in "silent" it takes connections and requests and never answers. These tables have three rounds.

These are left out, because they show nothing more: compressions other than snappy with the queue off, and all compressions
with batches; ` + "`wire_protocol`" + ` with the queue off or with batches; ` + "`wire_protocol`" + ` and zstd for traces and
metrics; the peer's gzip with a queue or the new SDK; collectors for traces and metrics; a service that is silent for large
requests or over gRPC.

Tables that a change is about can be measured alone: ` + "`make bench ONLY=collectors`" + `, ` + "`SHAPES=logs-1x1000`" + `,
` + "`ROUNDS=1`" + `. Then the figures go to dist/bench.json and no document is written. The parts of ` + "`ONLY`" + ` are
` + "`exporters`" + `, ` + "`library`" + ` and ` + "`collectors`" + `.

## Goals

`

const pageEnd = `
## Why some goals are missed

- **Snappy on 10000x1.** The program that does only the unavoidable work misses it too, see "limit" with snappy. The goal
  compares with the cheapest awskinesis, which is the one with the newer SDK, not the one of its release. In a profile of
  kinesis_kpl (2,500,000 items, queue off) Snappy's encoder takes 35 %, pdata's marshalling 34 %, SHA-256 9 %, the socket 5 % and
  finding the items 5 %. The rest is mostly copying. Two changes made no difference beyond the noise: writing Snappy's frames by
  hand, and a faster reader of lengths.
- **The default queue.** In a profile of 100x100 (3,000,000 items), SHA-256 takes 29 % of the time, pdata's marshalling 22 %, the
  socket 14 %, copying 14 % and the search for what strict readers reject 10 %. All of it is there with the queue off, too. The
  queue itself takes less than one percent: nothing is walked again to be measured.
- **Memory with a full queue.** The messages are on Go's heap, which grows to twice what is used
  ([ADR 22](adr/0022-memory-on-the-heap.md)). Encoders and what is being received come on top of that.
- **Growth at 1x1000.** A collector with nop grows by half as much as the others. What is left is a few MiB for each of them.
- **The limit in CBOR.** That program does not look at text. The exporter searches all text for what strict readers reject
  ([ADR 20](adr/0020-strict-readers.md) has the cost).

The same figures, and more, are in [bench/results.json](../bench/results.json).
`
