// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/otlp"
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

// figures are small tables of the most important figures: of the exporter, and of whole collectors if they were measured.
func figures(rows []report.Row) string {
	find := newLookup(rows)
	var text bytes.Buffer
	fmt.Fprintf(&text, "On one core of %s, both exporters with their default queue, as multiples of awskinesisexporter:\n\n"+
		"| resources × logs in a request | CPU | CPU, `snappy` | Kinesis records | PUT units |\n"+
		"|---|---:|---:|---:|---:|\n", rows[0].Machine)
	for _, s := range logShapes() {
		toTheirs := func(value func(*report.Row) *float64) *float64 {
			return quotient(find.of(s.Name, "none", queued, value), find.of(s.Name, "none", theirs, value))
		}
		cpu := func(r *report.Row) *float64 { return r.CPURatio }
		fmt.Fprintf(&text, "| %d × %d | %s | %s | %s | %s |\n", s.Resources, s.Items,
			figure(find.of(s.Name, "none", queued, cpu)),
			figure(find.of(s.Name, "snappy", queued, cpu)),
			figure(toTheirs(func(r *report.Row) *float64 { return r.KinesisRecordsPerMillion })),
			figure(toTheirs(func(r *report.Row) *float64 { return r.PutUnitsPerMillion })))
	}
	text.WriteString(`
These are figures of the exporter alone. CPU is compared with the cheapest way to run awskinesisexporter, which is without
compression: it has no snappy.
`)
	collectorFigures(&text, find)
	text.WriteString("\nAll figures, and how to read them: [docs/bench.md](docs/bench.md).\n")
	return text.String()
}

// collectorFigures writes the figures of whole collectors. It writes nothing if they were not measured.
func collectorFigures(text *bytes.Buffer, find lookup) {
	if find.of(collectorShape(otlp.HTTP, logShapes()[0]), "none", queued, (*report.Row).Growth) == nil {
		return
	}
	text.WriteString(`
The next figures are of a whole collector, from OTLP to Kinesis. A collector receives and decodes what it gets, which costs the
same with each exporter. "of it the exporter" compares the figures less those of a collector with the exporter ` + "`nop`" + `.
As multiples of a collector with awskinesisexporter:

| resources × logs in a request | CPU, HTTP | of it the exporter | CPU, gRPC | of it the exporter | growth of memory |
|---|---:|---:|---:|---:|---:|
`)
	for _, s := range logShapes() {
		fmt.Fprintf(text, "| %d × %d |", s.Resources, s.Items)
		for _, protocol := range protocols() {
			shape := collectorShape(protocol, s)
			fmt.Fprintf(text, " %s | %s |",
				figure(find.of(shape, "none", queued, func(r *report.Row) *float64 { return r.CPURatio })),
				figure(find.of(shape, "none", queued, func(r *report.Row) *float64 { return r.ExporterRatio })))
		}
		growth := func(variant string) *float64 { return find.of(pacedShape(s), "none", variant, (*report.Row).Growth) }
		fmt.Fprintf(text, " %s |\n", figure(quotient(growth(queued), growth(theirs))))
	}
	text.WriteString(`
With a service that is down and a full queue of 64 MiB, a collector has so many MiB more than one with ` + "`nop`" + `:

| resources × logs in a request | this exporter, HTTP | gRPC | awskinesisexporter, HTTP | gRPC |
|---|---:|---:|---:|---:|
`)
	for _, s := range fullShapes(logShapes()) {
		fmt.Fprintf(text, "| %d × %d |", s.Resources, s.Items)
		for _, variant := range []string{queued, theirs} {
			for _, protocol := range protocols() {
				above := find.of(fullShape(protocol, s), "none", variant, func(r *report.Row) *float64 { return r.ExporterRSS })
				fmt.Fprintf(text, " %s |", figure(above))
			}
		}
		text.WriteString("\n")
	}
}
