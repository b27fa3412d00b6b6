// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package drive sends telemetry through an exporter and measures what that costs.
package drive

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"go.opentelemetry.io/collector/exporter"
	"golang.org/x/sync/errgroup"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/measure"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/sink"
)

// Variant is an exporter with a configuration.
type Variant struct {
	Factory exporter.Factory
	Keys    map[string]any // the keys of its configuration
	Queued  bool           // whether the exporter has a queue, so that its Consume functions return before data is sent
	Moves   bool           // whether the exporter changes requests, so that each can be used only once
}

// callers is how many goroutines give requests to an exporter without a queue. A queue has as many consumers by default.
const callers = 10

// window is the largest number of bytes of OTLP in an exporter with a queue. It is far below the bounds of the default
// queues, and far more than keeps the exporter busy.
const window = 32 << 20

// Variety is the smallest number of bytes of different telemetry, which is sent again and again. It is more than fits into the
// nearest caches of a processor, more than the window of a compressor, and little compared with the memory of an exporter.
const Variety = 1 << 20

// Run measures one variant in this process.
func Run(ctx context.Context, v Variant, p *Plan) (result.Run, error) {
	one, err := load.Requests(p.Shape, 1, p.Seed)[0].Marshal(p.Shape)
	if err != nil {
		return result.Run{}, err
	}
	d := &driver{Variant: v, Plan: p, requests: load.Requests(p.Shape, 1+Variety/len(one), p.Seed), size: len(one)}
	if err := measure.ForgetPeak(); err != nil {
		return result.Run{}, err
	}
	d.running, err = start(ctx, v.Factory, v.Keys, p.Shape.Signal)
	if err != nil {
		return result.Run{}, err
	}
	run, err := d.measure(ctx)
	return run, errors.Join(err, d.running.Shutdown(ctx))
}

type driver struct {
	Variant
	*Plan

	requests []load.Request
	size     int // of a request, in bytes of OTLP
	running  *running
	meter    measure.Meter
	given    int // items
}

func (d *driver) measure(ctx context.Context) (run result.Run, err error) {
	control := sink.Control{Endpoint: d.Endpoint}
	if run.IdleKB, err = measure.ResidentKB(); err != nil {
		return run, err
	}
	if err := d.send(ctx, d.wholeRequests(d.WarmUp)); err != nil {
		return run, fmt.Errorf("warm-up: %w", err)
	}
	if err := control.Reset(ctx); err != nil {
		return run, err
	}
	stop, err := d.Profile.Start()
	if err != nil {
		return run, err
	}
	d.meter = measure.Meter{}
	n := d.wholeRequests(d.Items)
	if d.Lone > 0 {
		n = d.Lone
		run.Latencies, err = d.latencies(ctx)
	} else {
		err = d.send(ctx, n)
	}
	if err := errors.Join(err, stop()); err != nil {
		return run, err
	}
	used := d.meter.Sum
	run.Items, run.Bytes = n*d.Shape.ItemsPerRequest(), n*d.size
	run.CPU, run.Wall, run.Alloc, run.Allocs = used.CPU, used.Wall, used.Alloc, used.Allocs
	if run.PeakKB, err = measure.PeakKB(); err != nil {
		return run, err
	}
	run.Sink, err = control.Counts(ctx)
	return run, err
}

// wholeRequests returns the number of requests that have at least so many items.
func (d *driver) wholeRequests(items int) int {
	per := d.Shape.ItemsPerRequest()
	return (items + per - 1) / per
}

// send sends n requests and waits until all are done. Preparing them is not measured.
func (d *driver) send(ctx context.Context, n int) error {
	if !d.Moves {
		runtime.GC()
		return d.sendMeasured(ctx, n, func(i int) load.Request { return d.requests[i%len(d.requests)] })
	}
	for n > 0 {
		copies := make([]load.Request, min(n, max(1, window/d.size)))
		for i := range copies {
			copies[i] = d.requests[i%len(d.requests)].Clone(d.Shape)
		}
		runtime.GC()
		if err := d.sendMeasured(ctx, len(copies), func(i int) load.Request { return copies[i] }); err != nil {
			return err
		}
		n -= len(copies)
	}
	return nil
}

func (d *driver) sendMeasured(ctx context.Context, n int, request func(int) load.Request) error {
	d.meter.Start()
	defer d.meter.Stop()
	if d.Queued {
		return d.sendQueued(ctx, n, request)
	}
	group, ctx := errgroup.WithContext(ctx)
	for caller := range callers {
		group.Go(func() error {
			for i := caller; i < n; i += callers {
				if err := d.running.consume(ctx, request(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	d.given += n * d.Shape.ItemsPerRequest()
	return errors.Join(group.Wait(), d.wait(ctx, 0))
}

func (d *driver) sendQueued(ctx context.Context, n int, request func(int) load.Request) error {
	per := d.Shape.ItemsPerRequest()
	room := max(1, window/d.size) * per
	began := time.Now()
	for i := range n {
		if err := d.wait(ctx, room-per); err != nil {
			return err
		}
		if d.Rate > 0 && !sleepUntil(ctx, began.Add(d.after(i))) {
			return ctx.Err()
		}
		if err := d.running.consume(ctx, request(i)); err != nil {
			return err
		}
		d.given += per
	}
	return d.wait(ctx, 0)
}

// wait waits until at most so many items have been given to the exporter and have no outcome yet.
func (d *driver) wait(ctx context.Context, items int) error {
	o := d.running.outcomes
	for d.given-int(o.sent.Load()) > items {
		if failed := o.failed.Load(); failed > 0 {
			return fmt.Errorf("%d items failed", failed)
		}
		select {
		case <-o.changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
