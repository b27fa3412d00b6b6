// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command bench compares the exporter of this repository with contrib's awskinesisexporter, and with the least work that any
// exporter has to do. It runs in the directory of its module. Each measurement is a process of its own with GOMAXPROCS=1. The
// process sends generated telemetry to a sink on loopback, which is another process. Each round measures everything once, and
// figures are medians of the rounds.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	rounds := flags.Int("rounds", 5, "how often everything is measured")
	names := flags.String("shapes", "", "names of shapes, separated by commas or spaces; all if empty")
	only := flags.String("only", "", "parts to measure: "+exporters+", "+library+", "+collectors+"; all if empty")
	full := fullSize()
	items := flags.Int("items", full.items, "items of a measurement, those of costlier kinds have less")
	requests := flags.Int("requests", full.requests, "requests of a measurement of latency")
	python := flags.String("python", "", "an interpreter that has python/requirements.txt; without it, no Python is measured")
	built := flags.String("collectors", "", "directory of the collectors, by `make collectors`; without it, none is measured")
	out := flags.String("out", "results.json", "file for the rows")
	render := flags.Bool("render", false, "measure nothing: write the documents of the rows that -out has")
	root := flags.String("root", "", "root of the repository, for the documents; none if empty")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if *render {
		rows, err := report.Read(*out)
		if err != nil {
			return err
		}
		return writeDocs(*root, rows)
	}
	shapes, err := shapesOf(*names)
	if err != nil {
		return err
	}
	parts, err := partsOf(*only)
	if err != nil {
		return err
	}
	list := jobs(selection{shapes, parts, *python, *built}, size{*items, *requests})
	rows, err := measure(ctx, list, *rounds, stderr)
	if err != nil {
		return err
	}
	report.Table(stdout, rows)
	fmt.Fprint(stdout, "\n**goals**\n\n")
	goalsTable(stdout, rows)
	if err := report.Write(*out, rows); err != nil {
		return err
	}
	if *root == "" {
		return nil
	}
	return writeDocs(*root, rows)
}

// shapesOf returns the shapes of a list of names, or all shapes for an empty list.
func shapesOf(names string) ([]load.Shape, error) {
	var shapes []load.Shape
	for _, name := range split(names) {
		shape, err := load.Find(name)
		if err != nil {
			return nil, err
		}
		shapes = append(shapes, shape)
	}
	if len(shapes) == 0 {
		return load.Shapes(), nil
	}
	return shapes, nil
}

// partsOf returns the parts of a list of names, or all parts for an empty list.
func partsOf(names string) ([]string, error) {
	all := []string{exporters, library, collectors}
	parts := split(names)
	for _, part := range parts {
		if !slices.Contains(all, part) {
			return nil, fmt.Errorf("there is no part %q, only %v", part, all)
		}
	}
	if len(parts) == 0 {
		return all, nil
	}
	return parts, nil
}

// split returns the names of a list that commas or spaces separate.
func split(names string) []string {
	return strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' })
}

// measure builds the programs and runs all jobs, round by round. It returns a row for each job.
func measure(ctx context.Context, list []job, rounds int, stderr io.Writer) ([]report.Row, error) {
	bin, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(bin) //nolint:errcheck // it is a temporary directory
	if err := build(ctx, bin, stderr); err != nil {
		return nil, err
	}
	sinks, stop, err := startSinks(ctx, bin)
	if err != nil {
		return nil, err
	}
	defer stop()
	var samples report.Samples
	for round := range rounds {
		for i := range list {
			j := &list[i]
			if j.rounds > 0 && round >= j.rounds {
				continue
			}
			fmt.Fprintf(stderr, "round %d of %d: %s, %s, %s\n", round+1, rounds, j.Shape, j.Compression, j.Variant)
			program := j.program
			if !filepath.IsAbs(program) {
				program = filepath.Join(bin, program)
			}
			result, err := execute(ctx, program, j.args, sinks[j.sink])
			if err != nil {
				return nil, fmt.Errorf("%s, %s, %s: %w", j.Shape, j.Compression, j.Variant, err)
			}
			samples.Add(j.Key, result)
		}
	}
	rows := samples.Rows(func(variant string) bool { return strings.HasPrefix(variant, peer) }, limit, nop)
	for i := range rows {
		rows[i].Machine = machine()
	}
	return rows, nil
}
