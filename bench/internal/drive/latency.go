// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package drive

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// latencies sends single requests and returns how long it took until each was confirmed. Without a rate, a request is sent
// when the one before is confirmed. With a rate, a request is sent at its time, even if earlier ones are not confirmed, and
// its latency is counted from that time.
func (d *driver) latencies(ctx context.Context) ([]time.Duration, error) {
	d.meter.Start()
	defer d.meter.Stop()
	latencies := make([]time.Duration, d.Lone)
	send := func(ctx context.Context, i int, began time.Time) error {
		err := d.running.consume(ctx, d.requests[i%len(d.requests)])
		latencies[i] = time.Since(began)
		return err
	}
	if d.Rate == 0 {
		for i := range latencies {
			if err := send(ctx, i, time.Now()); err != nil {
				return nil, err
			}
		}
		return latencies, nil
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, start := 0, time.Now(); i < len(latencies); i++ {
		at := start.Add(d.after(i))
		if !sleepUntil(ctx, at) {
			break
		}
		group.Go(func() error { return send(ctx, i, at) })
	}
	return latencies, group.Wait()
}

// after returns the time from the start until a request is due.
func (d *driver) after(request int) time.Duration {
	return time.Duration(float64(request*d.Shape.ItemsPerRequest()) / d.Rate * 1e9)
}

// sleepUntil waits for a time. It returns false if ctx ends first.
func sleepUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
