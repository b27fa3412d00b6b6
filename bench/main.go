// Command bench measures the exporter of this repository beside contrib's awskinesisexporter and beside the least
// that any exporter has to do. It runs in the directory of its module. Each measurement is a process of its own with
// GOMAXPROCS=1 that sends generated telemetry to a sink on loopback, in another process. Rounds are interleaved;
// figures are medians.
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
	items := flags.Int("items", 200_000, "items of a measurement")
	python := flags.String("python", "", "an interpreter that has python/requirements.txt; without it, no Python is measured")
	out := flags.String("out", "results.json", "file for the rows")
	docs := flags.String("docs", "", "directory for the page and the plot; none if empty")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	shapes, err := shapesOf(*names)
	if err != nil {
		return err
	}
	bin, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin) //nolint:errcheck // it is a temporary directory
	if err := build(ctx, bin, stderr); err != nil {
		return err
	}
	rows, err := measure(ctx, bin, jobs(shapes, *items, *python), *rounds, stderr)
	if err != nil {
		return err
	}
	report.Table(stdout, rows)
	if err := report.Write(*out, rows); err != nil {
		return err
	}
	if *docs == "" {
		return nil
	}
	return writeDocs(*docs, rows, *rounds, *items)
}

// shapesOf returns the shapes of a list of names, or all.
func shapesOf(names string) ([]load.Shape, error) {
	var shapes []load.Shape
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' }) {
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

// measure runs all jobs, round by round, and returns their rows.
func measure(ctx context.Context, bin string, list []job, rounds int, stderr io.Writer) ([]report.Row, error) {
	sink, err := startSink(ctx, filepath.Join(bin, "sink"))
	if err != nil {
		return nil, err
	}
	defer sink.stop()
	var samples report.Samples
	for round := range rounds {
		for i := range list {
			j := &list[i]
			fmt.Fprintf(stderr, "round %d of %d: %s, %s, %s\n", round+1, rounds, j.Shape, j.Compression, j.Variant)
			program, args := j.program, j.args
			if !filepath.IsAbs(program) {
				program = filepath.Join(bin, program)
			}
			if !j.alone {
				args = append(slices.Clone(args), "-endpoint", sink.url)
			}
			result, err := execute(ctx, program, args)
			if err != nil {
				return nil, fmt.Errorf("%s, %s, %s: %w", j.Shape, j.Compression, j.Variant, err)
			}
			samples.Add(j.Key, result)
		}
	}
	isPeer := func(variant string) bool { return strings.HasPrefix(variant, peer) }
	return samples.Rows(isPeer, limit), nil
}
