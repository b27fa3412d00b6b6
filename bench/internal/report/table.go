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

// columns returns the columns of the tables of a kind. The JSON has more figures.
func columns(kind Kind) []column {
	list := []column{{"variant", func(r *Row) string { return r.Variant }}}
	add := func(title string, places int, value func(*Row) *float64) {
		list = append(list, column{title, func(r *Row) string { return number(value(r), places) }})
	}
	if kind == Lone || kind == Loaded {
		add("p50 ms", 2, func(r *Row) *float64 { return r.LatencyP50 })
		add("p99 ms", 2, func(r *Row) *float64 { return r.LatencyP99 })
		return list
	}
	if kind == Load {
		list = append(list, column{"compression", func(r *Row) string { return r.Compression }})
	}
	if kind == Paced {
		add("items/s", 0, func(r *Row) *float64 { return &r.ItemsPerSecond })
	}
	add("CPU s/M", 2, func(r *Row) *float64 { return &r.CPUSecondsPerMillion })
	add("spread %", 0, func(r *Row) *float64 { return new(100 * r.Spread) })
	if kind != Core {
		add("× peer", 2, func(r *Row) *float64 { return r.CPURatio })
	}
	if kind == Load {
		add("× limit", 2, func(r *Row) *float64 { return r.LimitRatio })
	}
	if kind == Core {
		add("records/s a core", 0, func(r *Row) *float64 { return &r.ItemsPerSecondCore })
	}
	if kind != Paced {
		add("MB/s a core", 0, func(r *Row) *float64 { return &r.MBPerSecondCore })
	}
	add("alloc B/item", 0, func(r *Row) *float64 { return r.AllocBytesPerItem })
	if kind == Paced {
		add("idle MiB", 0, func(r *Row) *float64 { return r.IdleRSS })
	}
	add("peak MiB", 0, func(r *Row) *float64 { return &r.PeakRSS })
	if kind == Paced {
		add("growth MiB", 0, (*Row).Growth)
	}
	if kind == Load {
		add("records/M", 0, func(r *Row) *float64 { return r.KinesisRecordsPerMillion })
		add("calls/M", 0, func(r *Row) *float64 { return r.CallsPerMillion })
		add("PUT units/M", 0, func(r *Row) *float64 { return r.PutUnitsPerMillion })
		add("× least units", 2, func(r *Row) *float64 { return r.PutUnitsRatio })
		add("wire B/item", 0, func(r *Row) *float64 { return r.WireBytesPerItem })
	}
	return list
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
	Load   Kind = ""       // as much telemetry as one core can send
	Paced  Kind = "paced"  // the same amount in the same time for each variant
	Lone   Kind = "lone"   // one small request after the other
	Loaded Kind = "loaded" // small requests at a fixed rate
	Core   Kind = "core"   // the library without an exporter
)

// kindOf returns the kind of a shape.
func kindOf(shape string) Kind {
	for _, kind := range []Kind{Paced, Lone, Loaded, Core} {
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
