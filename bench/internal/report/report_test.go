// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
)

// rows returns the rows of three rounds: the limit, two variants of a peer, and ours with and without compression.
func rows() []report.Row {
	var s report.Samples
	variants := []string{"limit", "peer", "peer, queue", "ours"}
	for _, cpu := range [][]time.Duration{{1, 4, 5, 2}, {2, 8, 10, 3}, {1, 5, 5, 1}} {
		for i, variant := range variants {
			s.Add(report.Key{Shape: "logs", Compression: "none", Variant: variant}, result.Run{
				Items: 1000, Bytes: 300_000, CPU: cpu[i] * time.Millisecond, Wall: 10 * time.Millisecond,
				IdleKB: 20 << 10, Alloc: 500_000, Allocs: 250, PeakKB: 50 << 10,
				Sink: result.Counts{Calls: 1, Records: 6, Bytes: 307_200, PutUnits: 15, Wire: 410_000},
			})
		}
		s.Add(report.Key{Shape: "logs", Compression: "snappy", Variant: "ours"}, result.Run{Items: 1000, CPU: time.Millisecond})
	}
	return s.Rows(func(variant string) bool { return strings.HasPrefix(variant, "peer") }, "limit", "nop")
}

func TestRows(t *testing.T) {
	r := rows()
	require.Len(t, r, 5)
	assert.Equal(t, report.Row{
		Key:                  report.Key{Shape: "logs", Compression: "none", Variant: "ours"},
		CPUSecondsPerMillion: 2,
		CPURatio:             new(0.375), // the median of 2/4, 3/8 and 1/5: the peer without a queue is the cheaper one
		LimitRatio:           new(1.5),   // of 2/1, 3/2 and 1/1
		AllocBytesPerItem:    new(500.0), KinesisRecordsPerMillion: new(6000.0), PutUnitsPerMillion: new(15_000.0),
		WireBytesPerItem: new(410.0), PeakRSS: 50,
		Rounds: 3, Items: 1000, ItemsPerSecond: 100_000, IdleRSS: new(20.0),
		Spread: 1, MBPerSecondCore: 150, ItemsPerSecondCore: 500_000, AllocsPerItem: new(0.25),
		CallsPerMillion: new(1000.0), PutUnitsRatio: new(1.25),
	}, r[3])
	assert.Equal(t, new(30.0), r[3].Growth())
	assert.Nil(t, (&report.Row{PeakRSS: 50}).Growth())
	assert.Equal(t, new(1.0), r[0].LimitRatio)
	assert.Equal(t, new(0.25), r[0].CPURatio)
	assert.Equal(t, new(1.25), r[2].CPURatio, "a variant of the peer, to its cheapest")

	snappy := r[4]
	assert.Equal(t, new(0.2), snappy.CPURatio, "to the peer without compression, which has no such")
	assert.Nil(t, snappy.LimitRatio)
	assert.Nil(t, snappy.KinesisRecordsPerMillion, "nothing was sent")
	assert.Nil(t, snappy.AllocBytesPerItem, "nothing is known")
}

func TestLatencies(t *testing.T) {
	var s report.Samples
	for _, first := range []time.Duration{1, 51} {
		run := result.Run{Items: 1, CPU: 1}
		for i := range time.Duration(50) {
			run.Latencies = append(run.Latencies, (first+i)*time.Millisecond)
		}
		s.Add(report.Key{}, run)
	}
	row := s.Rows(func(string) bool { return false }, "limit", "nop")[0]
	assert.Equal(t, new(50.0), row.LatencyP50)
	assert.Equal(t, new(99.0), row.LatencyP99)
	assert.Nil(t, row.CPURatio)
}

func TestWrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "results.json")
	require.NoError(t, report.Write(name, rows()))
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	var list []map[string]any
	require.NoError(t, json.Unmarshal(text, &list))
	require.Len(t, list, 5)
	for _, row := range list {
		for _, field := range []string{
			"shape", "compression", "variant", "cpu_s_per_million", "cpu_ratio_vs_awskinesis", "limit_ratio",
			"alloc_bytes_per_item", "kinesis_records_per_million", "put_units_per_million", "wire_bytes_per_item", "peak_rss_mb",
		} {
			assert.Contains(t, row, field)
		}
	}
	again, err := report.Read(name)
	require.NoError(t, err)
	assert.Equal(t, rows(), again)
	assert.InDelta(t, 0.375, list[3]["cpu_ratio_vs_awskinesis"], 0)
	assert.Nil(t, list[4]["limit_ratio"])
}

func TestTable(t *testing.T) {
	list := rows()[2:4]
	list = append(list, report.Row{Key: report.Key{Shape: "lone-logs", Variant: "ours"}, LatencyP50: new(0.5)})
	paced := rows()[3]
	paced.Shape = "paced-logs"
	list = append(list, paced)
	list = append(list, collectors()...)
	var table bytes.Buffer
	report.Table(&table, list)
	assert.Equal(t, `**logs**

| variant | compression | CPU s/M | spread % | × peer | × limit | MB/s a core | alloc B/item | peak MiB | records/M | `+
		`calls/M | PUT units/M | × least units | wire B/item |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
| peer, queue | none | 5.00 | 100 | 1.25 | 5.00 | 60 | 500 | 50 | 6000 | 1000 | 15000 | 1.25 | 410 |
| ours | none | 2.00 | 100 | 0.38 | 1.50 | 150 | 500 | 50 | 6000 | 1000 | 15000 | 1.25 | 410 |

**lone-logs**

| variant | p50 ms | p99 ms |
|---|---:|---:|
| ours | 0.50 |  |

**paced-logs**

| variant | items/s | CPU s/M | spread % | × peer | idle MiB | peak MiB | growth MiB | above nop MiB |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
| ours | 100000 | 2.00 | 100 | 0.38 | 20 | 50 | 30 |  |

**collector-logs**

| variant | compression | items/s | CPU s/M | spread % | × peer | exporter s/M | exporter × peer's | peak MiB |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
| nop | none | 500000 | 2.00 | 0 | 0.29 |  |  | 20 |
| peer | none | 500000 | 7.00 | 86 | 1.00 | 5.00 | 1.00 | 90 |
| ours | none | 500000 | 4.00 | 25 | 0.57 | 2.00 | 0.40 | 60 |

**full-logs**

| variant | compression | accepted MB | RSS MiB | above nop MiB | × queue_size | MB for a MB of telemetry |
|---|---:|---:|---:|---:|---:|---:|
| nop | none | 41.9 | 20 |  |  |  |
| ours | snappy | 41.9 | 60 | 40 | 2.00 | 1.00 |
`, table.String())
}

// collectors returns rows of whole collectors: three rounds with all of them, and two with full queues.
func collectors() []report.Row {
	const cpu, full = "collector-logs", "full-logs"
	var s report.Samples
	add := func(shape, compression, variant string, r result.Run) {
		r.Items, r.Wall = 1000, 2*time.Millisecond
		s.Add(report.Key{Shape: shape, Compression: compression, Variant: variant}, r)
	}
	for _, round := range [][]time.Duration{{2, 4, 3}, {2, 7, 4}, {2, 10, 4}} {
		for i, variant := range []string{"nop", "peer", "ours"} {
			add(cpu, "none", variant, result.Run{CPU: round[i] * time.Millisecond, PeakKB: []int{20, 90, 60}[i] << 10})
		}
	}
	for range 2 {
		add(full, "none", "nop", result.Run{Bytes: 40 << 20, PeakKB: 20 << 10, Queue: 20 << 20})
		add(full, "snappy", "ours", result.Run{Bytes: 40 << 20, PeakKB: 60 << 10, Queue: 20 << 20})
	}
	return s.Rows(func(variant string) bool { return variant == "peer" }, "limit", "nop")
}

func TestExporters(t *testing.T) {
	rows := collectors()
	nop, peer, ours := rows[0], rows[1], rows[2]
	assert.Nil(t, nop.ExporterCPU, "it is what others are compared with")
	assert.Equal(t, new(5.0), peer.ExporterCPU)
	assert.Equal(t, new(2.0), ours.ExporterCPU, "the median of 1, 2 and 2")
	assert.Equal(t, new(0.4), ours.ExporterRatio, "the median of 1/2, 2/5 and 2/8")
	assert.Equal(t, new(40.0), ours.ExporterRSS)
	assert.Nil(t, ours.Telemetry, "its queue was not filled")
	assert.Nil(t, ours.RSSPerQueue)

	full := rows[4]
	assert.Equal(t, new(41.9), full.Telemetry)
	assert.Equal(t, new(40.0), full.ExporterRSS)
	assert.Equal(t, new(2.0), full.RSSPerQueue)
	assert.Equal(t, new(1.0), full.RSSPerTelemetry)
	assert.Nil(t, full.ExporterRatio, "the peer was not measured")
}

func TestPlot(t *testing.T) {
	svg := report.Plot("a < b", []string{"logs"}, []report.Bar{
		{Label: "theirs", Compression: "none", Variant: "peer", Color: "#111111"},
		{Label: "own", Compression: "none", Variant: "ours", Color: "#222222"},
		{Label: "not measured", Compression: "gzip", Variant: "ours", Color: "#333333"},
	}, rows())
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	widths := map[string]string{}
	var texts strings.Builder
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			attributes := map[string]string{}
			for _, a := range token.Attr {
				attributes[a.Name.Local] = a.Value
			}
			if token.Name.Local == "rect" {
				widths[attributes["fill"]] = attributes["width"]
			}
		case xml.CharData:
			texts.Write(token)
		}
	}
	assert.Equal(t, map[string]string{"#ffffff": "860", "#111111": "490.0", "#222222": "196.0"}, widths)
	assert.Contains(t, texts.String(), "a < b")
	assert.Contains(t, texts.String(), "2.00 s (0.38×)")
	assert.NotContains(t, texts.String(), "not measured")
}
