// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command limit does what no exporter to Kinesis can leave out, and nothing else: marshal once, compress, MD5 where an
// aggregate is needed, base64 or CBOR, SHA-256, POST. What that costs is the least an exporter can cost.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/drive"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/measure"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/sink"
)

func main() {
	if err := run(context.Background(), os.Args, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	compression := flags.String("compression", "none", "none, snappy, zstd or gzip")
	cbor := flags.Bool("cbor", false, "write requests in CBOR, not in JSON")
	p := &drive.Plan{}
	p.Flags(flags)
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if err := p.Check(); err != nil {
		return err
	}
	compress, err := compressor(*compression)
	if err != nil {
		return err
	}
	one, err := load.Requests(p.Shape, 1, p.Seed)[0].Marshal(p.Shape)
	if err != nil {
		return err
	}
	in := inJSON()
	if *cbor {
		in = inCBOR()
	}
	conn, err := dial(ctx, p.Endpoint, in.contentType)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // everything was answered
	l := &limit{
		Plan:     p,
		requests: load.Requests(p.Shape, 1+drive.Variety/len(one), p.Seed),
		body:     newBody(in, compress, conn.post),
	}
	if err := measure.ForgetPeak(); err != nil {
		return err
	}
	measured, err := l.measure(ctx, len(one))
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(measured)
}

type limit struct {
	*drive.Plan

	requests []load.Request
	message  []byte
	body     *body
}

func (l *limit) measure(ctx context.Context, size int) (run result.Run, err error) {
	control := sink.Control{Endpoint: l.Endpoint}
	if run.IdleKB, err = measure.ResidentKB(); err != nil {
		return run, err
	}
	if err := l.send(l.WarmUp); err != nil {
		return run, err
	}
	if err := control.Reset(ctx); err != nil {
		return run, err
	}
	runtime.GC()
	n, per := (l.Items+l.Shape.ItemsPerRequest()-1)/l.Shape.ItemsPerRequest(), l.Shape.ItemsPerRequest()
	var meter measure.Meter
	meter.Start()
	if l.Lone > 0 {
		n = l.Lone
		run.Latencies, err = l.alone()
	} else {
		err = l.send(l.Items)
	}
	meter.Stop()
	if err != nil {
		return run, err
	}
	run.Items, run.Bytes = n*per, n*size
	run.CPU, run.Wall, run.Alloc, run.Allocs = meter.Sum.CPU, meter.Sum.Wall, meter.Sum.Alloc, meter.Sum.Allocs
	if run.PeakKB, err = measure.PeakKB(); err != nil {
		return run, err
	}
	run.Sink, err = control.Counts(ctx)
	return run, err
}

// send sends at least so many items.
func (l *limit) send(items int) (err error) {
	for sent := 0; sent < items; sent += l.Shape.ItemsPerRequest() {
		request := l.requests[sent/l.Shape.ItemsPerRequest()%len(l.requests)]
		if l.message, err = request.AppendMarshal(l.Shape, l.message[:0]); err != nil {
			return err
		}
		if err := l.body.add(l.message); err != nil {
			return err
		}
	}
	return l.body.flush()
}

// alone sends requests one at a time, whatever the rate, and returns how long each took.
func (l *limit) alone() ([]time.Duration, error) {
	latencies := make([]time.Duration, l.Lone)
	for i := range latencies {
		began := time.Now()
		if err := l.send(1); err != nil {
			return nil, err
		}
		latencies[i] = time.Since(began)
	}
	return latencies, nil
}
