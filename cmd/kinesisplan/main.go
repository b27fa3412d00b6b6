// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command kinesisplan says what a load takes: shards, PUT units, collectors, memory, and a monthly bill for each mode of a
// stream.
// The rules are those of docs/sizing.md. It asks nobody: prices are those of AWS's list for us-east-1, unless flags say
// otherwise.
//
//	kinesisplan -items 50000 -bytes 300 -compression snappy
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	err := run(os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "kinesisplan:", err)
		os.Exit(1)
	}
}

// ratios are what logs shrink to with each compression, see the README.
func ratios() map[string]float64 {
	return map[string]float64{"none": 1, "snappy": 0.41, "zstd": 0.32, "gzip": 0.32}
}

// run writes the plan to stdout. If the usage is requested, run writes it there and returns flag.ErrHelp.
func run(args []string, stdout io.Writer) error {
	var l load
	price := listPrices()
	flags := flag.NewFlagSet("kinesisplan", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Float64Var(&l.items, "items", 10_000, "log records, spans and data points a second, on average")
	flags.Float64Var(&l.itemBytes, "bytes", 300, "bytes of an item in OTLP, with its part of the resource")
	compression := flags.String("compression", "none", "none, snappy, zstd or gzip")
	flags.Float64Var(&l.ratio, "ratio", 0, "compressed bytes for each byte; 0: what logs have with -compression")
	flags.Float64Var(&l.peak, "peak", 2, "how many times the average the highest rate is")
	flags.Float64Var(&l.fill, "fill", 0.8, "the part of a shard that may be used at the peak, up to 1")
	flags.Float64Var(&l.readers, "readers", 1, "how many applications read everything")
	flags.Float64Var(&l.recordSize, "record", 51_200, "aggregation_max_size")
	flags.DurationVar(&l.recordTime, "linger", 100*time.Millisecond, "record_max_buffered_time")
	flags.Float64Var(&l.collectors, "collectors", 0, "collectors that write; 0: as few as their CPU time allows")
	flags.Float64Var(&l.cores, "cores", 1, "cores of a collector")
	flags.Float64Var(&l.cpu, "cpu", 2, "CPU seconds of a whole collector for a million items")
	flags.Float64Var(&l.queue, "queue", 64<<20, "sending_queue::queue_size in bytes")
	flags.Float64Var(&l.signals, "signals", 3, "signals that a collector has")
	flags.DurationVar(&l.answer, "answer", 50*time.Millisecond, "how long a PutRecords call takes")
	hours := flags.Float64("hours", 730, "hours of a month")
	flags.Float64Var(&price.shardHour, "price-shard-hour", price.shardHour, "provisioned: US$ for a shard and an hour")
	flags.Float64Var(&price.millionUnits, "price-units", price.millionUnits, "provisioned: US$ for a million PUT payload units")
	flags.Float64Var(&price.streamHour, "price-stream-hour", price.streamHour, "on-demand standard: US$ for a stream and an hour")
	flags.Float64Var(&price.in, "price-in", price.in, "on-demand standard: US$ for a GB written")
	flags.Float64Var(&price.out, "price-out", price.out, "on-demand standard: US$ for a GB read")
	flags.Float64Var(&price.advantageIn, "price-advantage-in", price.advantageIn, "on-demand advantage: US$ for a GB written")
	flags.Float64Var(&price.advantageOut, "price-advantage-out", price.advantageOut, "on-demand advantage: US$ for a GB read")
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(stdout)
		flags.Usage()
	}
	if err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("found argument %q: there are only flags, see -help", flags.Arg(0))
	}
	ratio, known := ratios()[*compression]
	if !known {
		return fmt.Errorf("-compression must be none, snappy, zstd or gzip, found %q", *compression)
	}
	if l.ratio == 0 {
		l.ratio = ratio
	}
	if err := l.check(); err != nil {
		return err
	}
	p := newPlan(l)
	return write(stdout, l, p, newBill(p, l.readers, *hours, price))
}
