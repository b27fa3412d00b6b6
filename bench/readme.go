// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// The figures in README.md are between these marks.
const (
	figuresBegin = "<!-- figures of make bench -->\n"
	figuresEnd   = "<!-- end of the figures -->\n"
)

// withFigures returns README.md with the figures of rows.
func withFigures(readme string, rows []report.Row) (string, error) {
	before, rest, begins := strings.Cut(readme, figuresBegin)
	_, after, ends := strings.Cut(rest, figuresEnd)
	if !begins || !ends {
		return "", errors.New("README.md has no place for the figures")
	}
	return before + figuresBegin + figures(rows) + figuresEnd + after, nil
}

// figures is a small table of the most important figures.
func figures(rows []report.Row) string {
	find := newLookup(rows)
	var text bytes.Buffer
	fmt.Fprintf(&text, "On one core of %s, both with their default queue, as multiples of awskinesisexporter:\n\n"+
		"| resources × logs in a request | CPU | CPU, `snappy` | Kinesis records | PUT units | peak memory |\n"+
		"|---|---:|---:|---:|---:|---:|\n", rows[0].Machine)
	for _, s := range logShapes() {
		toTheirs := func(shape string, value func(*report.Row) *float64) *float64 {
			return quotient(find.of(shape, "none", queued, value), find.of(shape, "none", theirs, value))
		}
		cpu := func(r *report.Row) *float64 { return r.CPURatio }
		fmt.Fprintf(&text, "| %d × %d | %s | %s | %s | %s | %s |\n", s.Resources, s.Items,
			figure(find.of(s.Name, "none", queued, cpu)),
			figure(find.of(s.Name, "snappy", queued, cpu)),
			figure(toTheirs(s.Name, func(r *report.Row) *float64 { return r.KinesisRecordsPerMillion })),
			figure(toTheirs(s.Name, func(r *report.Row) *float64 { return r.PutUnitsPerMillion })),
			figure(toTheirs(pacedShape(s.Name, highRate(s)), func(r *report.Row) *float64 { return &r.PeakRSS })))
	}
	text.WriteString(`
CPU is compared with the cheapest way to run awskinesisexporter, which is without compression: it has no snappy. Memory is
that of the whole process at equal throughput. All figures, and how to read them: [docs/bench.md](docs/bench.md).
`)
	return text.String()
}
