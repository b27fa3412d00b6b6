// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/drive"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/otlp"
)

// senders is how many connections send to the collector.
const senders = 4

// sender sends the same requests again and again, over a few connections.
type sender struct {
	bodies      [][]byte
	perRequest  int // items
	connections []otlp.Connection
	accepted    atomic.Int64 // requests
	bytes       atomic.Int64 // of them
}

func newSender(shape load.Shape, seed uint64, protocol, address string) (*sender, error) {
	s := &sender{perRequest: shape.ItemsPerRequest()}
	one, err := load.Requests(shape, 1, seed)[0].Marshal(shape)
	if err != nil {
		return nil, err
	}
	for _, request := range load.Requests(shape, 1+drive.Variety/len(one), seed) {
		body, err := request.Marshal(shape)
		if err != nil {
			return nil, err
		}
		s.bodies = append(s.bodies, body)
	}
	for range senders {
		connection, err := otlp.Dial(protocol, address)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.connections = append(s.connections, connection)
	}
	return s, nil
}

func (s *sender) close() error {
	var errs []error
	for _, c := range s.connections {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// send sends request i, and counts it if the collector accepts it.
func (s *sender) send(ctx context.Context, connection otlp.Connection, i int) error {
	body := s.bodies[i%len(s.bodies)]
	if err := connection.Send(ctx, body); err != nil {
		return err
	}
	s.accepted.Add(1)
	s.bytes.Add(int64(len(body)))
	return nil
}

// atRate sends at least so many items, at a rate of items a second. A request for which the collector has no room is sent again,
// because on a busy machine an exporter may be late for a moment.
func (s *sender) atRate(ctx context.Context, items int, rate float64) error {
	n := (items + s.perRequest - 1) / s.perRequest
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	var next atomic.Int64
	for _, connection := range s.connections {
		group.Go(func() error {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				due := time.Duration(float64(i*s.perRequest) / rate * 1e9)
				if err := pause(ctx, time.Until(began.Add(due))); err != nil {
					return err
				}
				if err := s.sendWithin(ctx, connection, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// roomWithin is how long a collector may have no room for a request at a rate that its exporter can keep.
const roomWithin = 10 * time.Second

// sendWithin sends request i until the collector accepts it. It gives up after roomWithin.
func (s *sender) sendWithin(ctx context.Context, connection otlp.Connection, i int) error {
	for began := time.Now(); ; {
		err := s.send(ctx, connection, i)
		if !errors.Is(err, otlp.ErrFull) || time.Since(began) >= roomWithin {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// untilFull sends as fast as the collector accepts requests, until the collector rejects one or has accepted a number of
// bytes. From then on each connection sends one request a second, as clients do that try again, and full is called once.
func (s *sender) untilFull(ctx context.Context, most int64, full func()) error {
	group, ctx := errgroup.WithContext(ctx)
	var isFull atomic.Bool
	for first, connection := range s.connections {
		group.Go(func() error {
			for i := first; ; i += senders {
				err := s.send(ctx, connection, i)
				if err != nil && !errors.Is(err, otlp.ErrFull) {
					return err
				}
				if err == nil && s.bytes.Load() < most && !isFull.Load() {
					continue
				}
				if !isFull.Swap(true) {
					full()
				}
				if err := pause(ctx, time.Second); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// pause waits. It returns an error if ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
