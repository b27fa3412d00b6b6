// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package report makes rows from measurements, and tables and a plot from rows.
package report

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
)

// Key names a row.
type Key struct {
	Shape       string `json:"shape"`
	Compression string `json:"compression"`
	Variant     string `json:"variant"`
}

// Row has the figures of one variant with one shape of telemetry. Each figure is the median of all rounds. A ratio is the
// median of the ratios of each round. A figure is null if it was not measured or has no meaning.
type Row struct {
	Key

	CPUSecondsPerMillion     float64  `json:"cpu_s_per_million"`
	CPURatio                 *float64 `json:"cpu_ratio_vs_awskinesis"` // see [Samples.Rows]
	LimitRatio               *float64 `json:"limit_ratio"`             // CPU time, as a multiple of the limit's, see [Samples.Rows]
	AllocBytesPerItem        *float64 `json:"alloc_bytes_per_item"`
	KinesisRecordsPerMillion *float64 `json:"kinesis_records_per_million"`
	PutUnitsPerMillion       *float64 `json:"put_units_per_million"`
	WireBytesPerItem         *float64 `json:"wire_bytes_per_item"`
	PeakRSS                  float64  `json:"peak_rss_mb"` // MiB

	Machine            string   `json:"machine"`
	Rounds             int      `json:"rounds"`
	Items              int      `json:"items"`            // in a round
	Spread             float64  `json:"cpu_spread"`       // (most - least) / median of the CPU time
	MBPerSecondCore    float64  `json:"mb_per_s_core"`    // 10^6 bytes of payload for a second of CPU time
	ItemsPerSecondCore float64  `json:"items_per_s_core"` // for a second of CPU time
	ItemsPerSecond     float64  `json:"items_per_s"`      // for a second of the clock
	AllocsPerItem      *float64 `json:"allocs_per_item"`
	CallsPerMillion    *float64 `json:"put_records_calls_per_million"`
	PutUnitsRatio      *float64 `json:"put_units_ratio"` // as a multiple of the fewest that the same bytes need
	IdleRSS            *float64 `json:"idle_rss_mb"`     // MiB before the first request, with the generated telemetry
	LatencyP50         *float64 `json:"latency_p50_ms"`  // of a confirmed request
	LatencyP99         *float64 `json:"latency_p99_ms"`

	// What an exporter adds to a collector: the figure less that of the collector with the exporter nop, see [Samples.Rows].
	ExporterCPU     *float64 `json:"exporter_cpu_s_per_million"`
	ExporterRatio   *float64 `json:"exporter_cpu_ratio_vs_awskinesis"`
	ExporterRSS     *float64 `json:"exporter_rss_mb"`               // MiB, of the peaks
	RSSPerQueue     *float64 `json:"exporter_rss_per_queue_byte"`   // ExporterRSS for a byte of the size of a full queue
	RSSPerTelemetry *float64 `json:"exporter_rss_per_otlp_byte"`    // ExporterRSS for a byte of the OTLP in a full queue
	Telemetry       *float64 `json:"accepted_before_queue_full_mb"` // 10^6 bytes of OTLP in a full queue
}

// Growth returns how much the resident memory grew while telemetry was sent, in MiB: the peak minus the memory before. It
// returns nil if the memory before is not known.
func (row *Row) Growth() *float64 {
	if row.IdleRSS == nil {
		return nil
	}
	return new(row.PeakRSS - *row.IdleRSS)
}

// putUnit is the size of a PUT payload unit in bytes.
const putUnit = 25_600

// Samples are the runs of each row, one for each round. The rows are in the order of the report.
type Samples struct {
	keys []Key
	runs map[Key][]result.Run
}

// Add adds a run. All rows have their runs in the same order of rounds.
func (s *Samples) Add(key Key, run result.Run) {
	if s.runs == nil {
		s.runs = map[Key][]result.Run{}
	}
	if s.runs[key] == nil {
		s.keys = append(s.keys, key)
	}
	s.runs[key] = append(s.runs[key], run)
}

// Rows returns the rows. The CPU time of a row is compared with the variant named limit of the same shape and compression,
// and with the cheapest variant for which isPeer returns true. That one has the same shape and compression. If there is
// none with the same compression, it is the cheapest without compression. What an exporter adds is its figure less that of the
// variant named nop of the same shape.
func (s *Samples) Rows(isPeer func(variant string) bool, limit, nop string) []Row {
	rows := make([]Row, 0, len(s.keys))
	for _, key := range s.keys {
		row := s.row(key)
		peer, found := s.cheapest(key, isPeer)
		if !found {
			peer, found = s.cheapest(Key{key.Shape, "none", key.Variant}, isPeer)
		}
		if found {
			row.CPURatio = s.ratio(key, peer)
		}
		row.LimitRatio = s.ratio(key, Key{key.Shape, key.Compression, limit})
		s.exporter(&row, peer, Key{key.Shape, "none", nop})
		rows = append(rows, row)
	}
	return rows
}

// cheapest returns the row with the least CPU time among those with the shape and compression of key whose variant is wanted.
func (s *Samples) cheapest(key Key, wanted func(variant string) bool) (found Key, ok bool) {
	least := math.Inf(1)
	for _, k := range s.keys {
		if k.Shape != key.Shape || k.Compression != key.Compression || !wanted(k.Variant) {
			continue
		}
		if cost := median(each(s.runs[k], cpuPerItem)); cost < least {
			found, least, ok = k, cost, true
		}
	}
	return found, ok
}

// ratio returns the median of the ratios of CPU time in each round. It returns nil if there is no row other.
func (s *Samples) ratio(key, other Key) *float64 {
	return ratioOf(each(s.runs[key], cpuPerItem), each(s.runs[other], cpuPerItem))
}

func cpuPerItem(r result.Run) float64 { return r.CPU.Seconds() / float64(r.Items) }

func (s *Samples) row(key Key) Row {
	runs := s.runs[key]
	perItem := func(f func(result.Run) float64) float64 {
		return median(each(runs, func(r result.Run) float64 { return f(r) / float64(r.Items) }))
	}
	cpu := each(runs, cpuPerItem)
	row := Row{
		Key:                  key,
		CPUSecondsPerMillion: round(median(cpu)*1e6, 3),
		PeakRSS:              round(median(each(runs, func(r result.Run) float64 { return float64(r.PeakKB) / 1024 })), 1),
		Rounds:               len(runs),
		Items:                runs[0].Items,
		Spread:               round((slices.Max(cpu)-slices.Min(cpu))/median(cpu), 3),
		MBPerSecondCore:      round(perItem(func(r result.Run) float64 { return float64(r.Bytes) })/median(cpu)/1e6, 1),
		ItemsPerSecondCore:   math.Round(1 / median(cpu)),
		ItemsPerSecond: math.Round(median(each(runs, func(r result.Run) float64 {
			return float64(r.Items) / max(r.Wall.Seconds(), 1e-9)
		}))),
	}
	if runs[0].IdleKB > 0 {
		row.IdleRSS = new(round(median(each(runs, func(r result.Run) float64 { return float64(r.IdleKB) / 1024 })), 1))
	}
	if slices.ContainsFunc(runs, func(r result.Run) bool { return r.Alloc > 0 }) {
		row.AllocBytesPerItem = new(round(perItem(func(r result.Run) float64 { return float64(r.Alloc) }), 1))
		row.AllocsPerItem = new(round(perItem(func(r result.Run) float64 { return float64(r.Allocs) }), 3))
	}
	if runs[0].Sink.Calls > 0 {
		row.KinesisRecordsPerMillion = new(math.Round(1e6 * perItem(func(r result.Run) float64 { return float64(r.Sink.Records) })))
		row.PutUnitsPerMillion = new(math.Round(1e6 * perItem(func(r result.Run) float64 { return float64(r.Sink.PutUnits) })))
		row.CallsPerMillion = new(math.Round(1e6 * perItem(func(r result.Run) float64 { return float64(r.Sink.Calls) })))
		row.WireBytesPerItem = new(round(perItem(func(r result.Run) float64 { return float64(r.Sink.Wire) }), 1))
		row.PutUnitsRatio = new(round(median(each(runs, func(r result.Run) float64 {
			return float64(r.Sink.PutUnits) * putUnit / float64(r.Sink.Bytes)
		})), 3))
	}
	row.latencies(runs)
	return row
}

// latencies sets the latencies of a row, from the requests of all rounds together.
func (row *Row) latencies(runs []result.Run) {
	var all []time.Duration
	for _, r := range runs {
		all = append(all, r.Latencies...)
	}
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	at := func(share float64) *float64 { return new(round(1e3*all[int(share*float64(len(all)-1))].Seconds(), 3)) }
	row.LatencyP50, row.LatencyP99 = at(0.5), at(0.99)
}

// Read reads rows that Write has written.
func Read(name string) ([]Row, error) {
	text, err := os.ReadFile(name) //nolint:gosec // a document that is asked for
	if err != nil {
		return nil, err
	}
	var rows []Row
	err = json.Unmarshal(text, &rows)
	return rows, err
}

// Write writes rows as JSON.
func Write(name string, rows []Row) error {
	text, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(text, '\n'), 0o644) //nolint:gosec // a document for everyone
}

func each(runs []result.Run, f func(result.Run) float64) []float64 {
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = f(r)
	}
	return values
}

// median returns the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// round rounds to a number of decimal places.
func round(x float64, places int) float64 {
	scale := math.Pow10(places)
	return math.Round(x*scale) / scale
}
