package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// Marks in README.md between which the figures stand.
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

// figures is a small table of what matters most.
func figures(rows []report.Row) string {
	find := newLookup(rows)
	var text bytes.Buffer
	fmt.Fprintf(&text, "Both with their default queue, on one core of %s:\n\n"+
		"| logs a request | CPU | CPU, `snappy` | Kinesis records | peak memory |\n|---|---:|---:|---:|---:|\n", rows[0].Machine)
	for _, s := range logShapes() {
		ratio := func(r *report.Row) *float64 { return r.CPURatio }
		records := func(r *report.Row) *float64 { return r.KinesisRecordsPerMillion }
		peak := func(r *report.Row) *float64 { return &r.PeakRSS }
		paced := pacedShape(s.Name, highRate(s))
		fmt.Fprintf(&text, "| %d resources × %d | %s× | %s× | %s× | %s× |\n", s.Resources, s.Items,
			figure(find.of(s.Name, "none", queued, ratio)), figure(find.of(s.Name, "snappy", queued, ratio)),
			figure(quotient(find.of(s.Name, "none", queued, records), find.of(s.Name, "none", theirs, records))),
			figure(quotient(find.of(paced, "none", queued, peak), find.of(paced, "none", theirs, peak))))
	}
	text.WriteString(`
CPU is compared with the cheapest way to run awskinesisexporter, which is without compression: it has no snappy. Memory is
that of the whole process at equal throughput. All figures, and how to read them: [docs/bench.md](docs/bench.md).
`)
	return text.String()
}
