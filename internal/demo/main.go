// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command demo shows the exporter at work on real telemetry of this machine. A collector sends host metrics, a log file and
// OTLP spans to a local stand-in for Kinesis. The demo reads the stream and compares. It ends by itself. Its status is 0
// only if every item that went into the pipelines of the collector is in the stream.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	streamName = "otel-demo"
	shardCount = 4
	// settleTime is how long the collector may take to pass on the last telemetry. A busy machine needs time.
	settleTime = time.Minute
	// progressInterval is the time between two lines of progress.
	progressInterval = 3 * time.Second
)

// options is the command line.
type options struct {
	bin      string        // directory of the programs: otelcol-kinesis, kinesisfake, kinesistail
	config   string        // the collector's configuration
	duration time.Duration // how long telemetry is made
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "dist", "`directory` with otelcol-kinesis, kinesisfake and kinesistail")
	flag.StringVar(&o.config, "config", "testdata/demo.yaml", "the collector's configuration `file`")
	flag.DurationVar(&o.duration, "duration", 15*time.Second, "how long to send telemetry")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run is the program. After an error it leaves the log of the collector behind, otherwise nothing.
func run(ctx context.Context, o options, out io.Writer) error {
	dir, err := os.MkdirTemp("", "kinesis-demo-")
	if err != nil {
		return err
	}
	if err := demonstrate(ctx, o, dir, out); err != nil {
		return fmt.Errorf("%w\nthe collector's log: %s", err, filepath.Join(dir, collectorLog))
	}
	return os.RemoveAll(dir)
}

// demonstrate is the program, with its files in dir.
func demonstrate(ctx context.Context, o options, dir string, out io.Writer) error {
	witness, err := startWitness()
	if err != nil {
		return err
	}
	defer witness.stop()
	// An interrupt does not end the stand-in, so that the collector can still send what it has.
	kinesis, err := startKinesis(context.WithoutCancel(ctx), o.bin)
	if err != nil {
		return err
	}
	defer kinesis.stop() //nolint:errcheck // Its stream has been read by then.
	fmt.Fprintf(out, "Kinesis stand-in: %s, stream %s with %d shards\n", kinesis.endpoint, streamName, shardCount)

	collector, err := startCollector(ctx, o, dir, kinesis.endpoint, witness.endpoint())
	if err != nil {
		return err
	}
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		<-collector.exited
		cancel(errors.New("the collector ended early"))
	}()
	reader := &streamReader{bin: o.bin, endpoint: kinesis.endpoint}
	sent, err := produceAndWatch(running, o, dir, witness, reader, out)
	if stopErr := collector.stop(); stopErr != nil {
		return errors.Join(err, stopErr)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The collector ended cleanly. Reading the stream.\n\n")

	found, err := reader.read(ctx)
	if err != nil {
		return err
	}
	return report(out, sent, witness.counts(), found)
}

// produceAndWatch makes telemetry for o.duration and prints lines of progress. It waits until all of that has passed the
// pipelines of the collector, and returns what it made.
func produceAndWatch(
	ctx context.Context, o options, dir string, w *witness, r *streamReader, out io.Writer,
) (items, error) {
	source, err := newSource(filepath.Join(dir, logFile), filepath.Join(dir, otlpSocket))
	if err != nil {
		return items{}, err
	}
	follower, err := r.follow(ctx)
	if err != nil {
		return items{}, errors.Join(err, source.close())
	}
	fmt.Fprintf(out, "The collector sends this machine's metrics, a log file and spans for %v.\n", o.duration)
	start := time.Now()
	progress := func() {
		fmt.Fprintf(out, "%4.0fs  sent %v; read back %v in %d Kinesis records\n",
			time.Since(start).Seconds(), w.counts(), follower.items(), follower.kinesisRecords())
	}
	err = source.produce(ctx, o.duration, progress)
	err = errors.Join(err, source.close())
	sent := source.sent()
	if err == nil {
		settle, cancel := context.WithTimeout(ctx, settleTime)
		defer cancel()
		err = w.wait(settle, sent)
	}
	if err == nil {
		err = showStatus(ctx, dir, out)
	}
	return sent, errors.Join(err, follower.stop())
}

// showStatus prints the exporter's status as the collector's health check shows it. Any other than OK is an error.
func showStatus(ctx context.Context, dir string, out io.Writer) error {
	status, err := exporterStatus(ctx, filepath.Join(dir, healthSocket))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The health check shows %s for the exporter.\n", status.Status)
	if status.Status != "StatusOK" {
		return fmt.Errorf("the exporter's status is %s: %s", status.Status, status.Error)
	}
	return nil
}
