// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package drive

import (
	"context"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"
)

// outcomes counts how many of its items an exporter has sent or failed to send. It reads the metrics that exporterhelper
// keeps for every exporter. It wraps the meter provider of a collector and passes all calls on.
type outcomes struct {
	metric.MeterProvider

	sent, failed atomic.Int64
	changed      chan struct{} // has room for one
}

func newOutcomes(provider metric.MeterProvider) *outcomes {
	return &outcomes{MeterProvider: provider, changed: make(chan struct{}, 1)}
}

// Meter returns a meter whose counters are read.
func (o *outcomes) Meter(name string, options ...metric.MeterOption) metric.Meter {
	return meter{o.MeterProvider.Meter(name, options...), o}
}

type meter struct {
	metric.Meter

	outcomes *outcomes
}

// Int64Counter returns a counter. The counter is read if it counts outcomes.
func (m meter) Int64Counter(name string, options ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	c, err := m.Meter.Int64Counter(name, options...)
	switch {
	case strings.HasPrefix(name, "otelcol_exporter_sent_"):
		return counter{c, &m.outcomes.sent, m.outcomes.changed}, err
	case strings.HasPrefix(name, "otelcol_exporter_send_failed_"):
		return counter{c, &m.outcomes.failed, m.outcomes.changed}, err
	}
	return c, err
}

type counter struct {
	metric.Int64Counter

	sum     *atomic.Int64
	changed chan struct{}
}

// Add adds to the counter, and wakes the goroutine that waits for outcomes.
func (c counter) Add(ctx context.Context, n int64, options ...metric.AddOption) {
	c.Int64Counter.Add(ctx, n, options...)
	c.sum.Add(n)
	select {
	case c.changed <- struct{}{}:
	default:
	}
}
