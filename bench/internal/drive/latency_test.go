// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package drive

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
)

// exporting returns a driver of four requests for an exporter that takes the given times for them.
func exporting(rate float64, times ...time.Duration) *driver {
	n := 0
	return &driver{
		Plan:     &Plan{Shape: load.Lone(), Lone: len(times), Rate: rate},
		requests: make([]load.Request, 1),
		running: &running{consume: func(context.Context, load.Request) error {
			n++
			time.Sleep(times[n-1]) //nolint:forbidigo // in a bubble
			return nil
		}},
	}
}

func TestLatencies(t *testing.T) {
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		rate float64
		ends time.Duration
	}{
		"one after the other": {0, 63 * ms},
		"each at its time":    {1000, 50 * ms}, // 10 items each: one in 10 ms
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				times := []time.Duration{50 * ms, 3 * ms, 10 * ms}
				latencies, err := exporting(test.rate, times...).latencies(t.Context())
				require.NoError(t, err)
				assert.Equal(t, times, latencies)
				assert.Equal(t, test.ends, time.Since(began))
			})
		})
	}
}

func TestLatenciesOfAnExporterThatFails(t *testing.T) {
	for name, rate := range map[string]float64{"one after the other": 0, "each at its time": 1000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := exporting(rate, 0, 0)
				failure := errors.New("failed")
				d.running.consume = func(context.Context, load.Request) error { return failure }
				_, err := d.latencies(t.Context())
				assert.Equal(t, failure, err)
			})
		})
	}
}
