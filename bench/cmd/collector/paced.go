// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/collector"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/sink"
)

// paced measures a collector that gets a fixed number of items a second. The CPU time is counted from the end of the warm-up
// until the collector has sent all and has ended.
func paced(ctx context.Context, o options) (run result.Run, err error) {
	p, err := o.start(ctx, o.Endpoint, false)
	if err != nil {
		return run, err
	}
	before, err := o.sendPaced(ctx, p, &run)
	if err != nil {
		return run, errors.Join(err, p.Kill())
	}
	used, err := p.Stop(ctx)
	if err != nil {
		return run, err
	}
	run.CPU = used - before
	if o.program == "nop" {
		return run, nil
	}
	run.Sink, err = sink.Control{Endpoint: o.Endpoint}.Counts(ctx)
	if err == nil && o.compression == "none" && run.Sink.Bytes < run.Bytes {
		err = fmt.Errorf("the service got %d bytes of %d", run.Sink.Bytes, run.Bytes)
	}
	return run, err
}

// sendPaced sends all items and sets the memory in run. It returns the CPU time of the collector before the measured part.
func (o options) sendPaced(ctx context.Context, p *collector.Process, run *result.Run) (before time.Duration, err error) {
	s, err := newSender(o.Shape, o.Seed, o.protocol, p.Address)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if run.IdleKB, err = p.ResidentKB(); err != nil {
		return 0, err
	}
	if err := p.ForgetPeak(); err != nil {
		return 0, err
	}
	if err := s.atRate(ctx, o.WarmUp, o.Rate); err != nil {
		return 0, fmt.Errorf("warm-up: %w", err)
	}
	if o.program != "nop" {
		if err := (sink.Control{Endpoint: o.Endpoint}).Reset(ctx); err != nil {
			return 0, err
		}
	}
	if before, err = p.CPU(); err != nil {
		return 0, err
	}
	warm, warmBytes, began := s.accepted.Load(), s.bytes.Load(), time.Now()
	if err := s.atRate(ctx, o.Items, o.Rate); err != nil {
		return 0, err
	}
	run.Wall = time.Since(began)
	run.Items, run.Bytes = int(s.accepted.Load()-warm)*s.perRequest, int(s.bytes.Load()-warmBytes)
	run.PeakKB, err = p.PeakKB()
	return before, err
}
