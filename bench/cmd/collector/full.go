// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/collector"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/sink"
)

// How the memory with a full queue is measured: settle after the first rejected request, the highest of so many samples is taken.
const (
	settle  = 1500 * time.Millisecond
	samples = 5
	between = 100 * time.Millisecond
)

// Ways in which a service is down.
const (
	unreachable = "unreachable" // nothing listens on its port
	silent      = "silent"      // it takes connections and requests, and never answers
)

// full measures the memory of a collector whose queue is full, because the service is down. A collector without a queue gets
// as many bytes as the queue of the others has room for.
func full(ctx context.Context, o options) (run result.Run, err error) {
	service := sink.New(512)
	if o.down == silent {
		service.Delay = time.Hour
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return run, err
	}
	server := &http.Server{Handler: service} //nolint:gosec // no client on loopback is slow on purpose
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // it ends with an error when it is closed
	}()
	defer func() {
		_ = server.Close() // its connections have nothing to lose
		<-served
	}()
	p, err := o.start(ctx, "http://"+listener.Addr().String(), true)
	if err != nil {
		return run, err
	}
	if o.down == unreachable {
		if err := server.Close(); err != nil {
			return run, errors.Join(err, p.Kill())
		}
	}
	err = errors.Join(o.fill(ctx, p, &run), p.Kill())
	return run, err
}

// fill fills the queue, and sets what was accepted and the memory.
func (o options) fill(ctx context.Context, p *collector.Process, run *result.Run) (err error) {
	s, err := newSender(o.Shape, o.Seed, o.protocol, p.Address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if run.IdleKB, err = p.ResidentKB(); err != nil {
		return err
	}
	most := int64(math.MaxInt64)
	if o.program == "nop" {
		most = queueSize
	}
	began, isFull := time.Now(), make(chan struct{})
	ctx, done := context.WithCancel(ctx)
	group, sending := errgroup.WithContext(ctx)
	group.Go(func() error { return s.untilFull(sending, most, func() { close(isFull) }) })
	group.Go(func() error {
		defer done()
		select {
		case <-isFull:
		case <-sending.Done():
			return sending.Err()
		}
		run.Wall = time.Since(began)
		return highest(sending, p, run)
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	run.Items, run.Bytes, run.Queue = int(s.accepted.Load())*s.perRequest, int(s.bytes.Load()), queueSize
	run.CPU, err = p.CPU()
	return err
}

// highest sets the highest of some samples of resident memory, after that has settled.
func highest(ctx context.Context, p *collector.Process, run *result.Run) error {
	if err := pause(ctx, settle); err != nil {
		return err
	}
	for range samples {
		resident, err := p.ResidentKB()
		if err != nil {
			return err
		}
		run.PeakKB = max(run.PeakKB, resident)
		if err := pause(ctx, between); err != nil {
			return err
		}
	}
	return nil
}
