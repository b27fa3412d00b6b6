// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// column is a column of the table: its title, and the text of a row.
type column struct {
	title string
	text  func(*Row) string
}

// numbers returns a column of numbers.
func numbers(title string, places int, value func(*Row) *float64) column {
	return column{title, func(r *Row) string { return number(value(r), places) }}
}

// columns returns the columns of the tables of a kind. The JSON has more figures.
func columns(kind Kind) []column {
	variant := column{"variant", func(r *Row) string { return r.Variant }}
	compression := column{"compression", func(r *Row) string { return r.Compression }}
	rate := numbers("items/s", 0, func(r *Row) *float64 { return &r.ItemsPerSecond })
	cpu := numbers("CPU s/M", 2, func(r *Row) *float64 { return &r.CPUSecondsPerMillion })
	spread := numbers("spread %", 0, func(r *Row) *float64 { return new(100 * r.Spread) })
	toPeer := numbers("× peer", 2, func(r *Row) *float64 { return r.CPURatio })
	speed := numbers("MB/s a core", 0, func(r *Row) *float64 { return &r.MBPerSecondCore })
	alloc := numbers("alloc B/item", 0, func(r *Row) *float64 { return r.AllocBytesPerItem })
	peak := numbers("peak MiB", 0, func(r *Row) *float64 { return &r.PeakRSS })
	aboveNop := numbers("above nop MiB", 0, func(r *Row) *float64 { return r.ExporterRSS })
	switch kind {
	case Lone, Loaded:
		return []column{
			variant,
			numbers("p50 ms", 2, func(r *Row) *float64 { return r.LatencyP50 }),
			numbers("p99 ms", 2, func(r *Row) *float64 { return r.LatencyP99 }),
		}
	case Core:
		perCore := numbers("records/s a core", 0, func(r *Row) *float64 { return &r.ItemsPerSecondCore })
		return []column{variant, cpu, spread, perCore, speed, alloc, peak}
	case Collector:
		return []column{
			variant, compression, rate, cpu, spread, toPeer,
			numbers("exporter s/M", 2, func(r *Row) *float64 { return r.ExporterCPU }),
			numbers("exporter × peer's", 2, func(r *Row) *float64 { return r.ExporterRatio }),
			peak,
		}
	case Paced:
		idle := numbers("idle MiB", 0, func(r *Row) *float64 { return r.IdleRSS })
		return []column{variant, rate, cpu, spread, toPeer, idle, peak, numbers("growth MiB", 0, (*Row).Growth), aboveNop}
	case Full:
		return []column{
			variant, compression,
			numbers("accepted MB", 1, func(r *Row) *float64 { return r.Telemetry }),
			numbers("RSS MiB", 0, func(r *Row) *float64 { return &r.PeakRSS }),
			aboveNop,
			numbers("× queue_size", 2, func(r *Row) *float64 { return r.RSSPerQueue }),
			numbers("MB for a MB of telemetry", 2, func(r *Row) *float64 { return r.RSSPerTelemetry }),
		}
	default:
		return []column{
			variant, compression, cpu, spread, toPeer,
			numbers("× limit", 2, func(r *Row) *float64 { return r.LimitRatio }),
			speed, alloc, peak,
			numbers("records/M", 0, func(r *Row) *float64 { return r.KinesisRecordsPerMillion }),
			numbers("calls/M", 0, func(r *Row) *float64 { return r.CallsPerMillion }),
			numbers("PUT units/M", 0, func(r *Row) *float64 { return r.PutUnitsPerMillion }),
			numbers("× least units", 2, func(r *Row) *float64 { return r.PutUnitsRatio }),
			numbers("wire B/item", 0, func(r *Row) *float64 { return r.WireBytesPerItem }),
		}
	}
}

// number returns a number as text. For nil it returns an empty text.
func number(x *float64, places int) string {
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'f', places, 64)
}

// Kind is a kind of measurement, each with a table of its own.
type Kind string

// The kinds. The shapes of all but Load begin with the kind's name.
const (
	Load      Kind = ""          // as much telemetry as one core can send
	Lone      Kind = "lone"      // one small request after the other
	Loaded    Kind = "loaded"    // small requests at a fixed rate
	Core      Kind = "core"      // the library without an exporter
	Collector Kind = "collector" // CPU time of a whole collector
	Paced     Kind = "paced"     // memory of a whole collector while it sends
	Full      Kind = "full"      // memory of a whole collector whose queue is full
)

// kindOf returns the kind of a shape.
func kindOf(shape string) Kind {
	for _, kind := range []Kind{Lone, Loaded, Core, Collector, Paced, Full} {
		if strings.HasPrefix(shape, string(kind)) {
			return kind
		}
	}
	return Load
}

// Table writes a Markdown table for each shape among rows.
func Table(w io.Writer, rows []Row) {
	for i := range rows {
		list := columns(kindOf(rows[i].Shape))
		if i == 0 || rows[i].Shape != rows[i-1].Shape {
			if i > 0 {
				fmt.Fprintln(w)
			}
			tableHead(w, rows[i].Shape, list)
		}
		cells := make([]string, len(list))
		for j, c := range list {
			cells[j] = c.text(&rows[i])
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
}

func tableHead(w io.Writer, shape string, list []column) {
	titles := make([]string, len(list))
	for i, c := range list {
		titles[i] = c.title
	}
	fmt.Fprintf(w, "**%s**\n\n| %s |\n|%s\n", shape, strings.Join(titles, " | "), "---|"+strings.Repeat("---:|", len(list)-1))
}
