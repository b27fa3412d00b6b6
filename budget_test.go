// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// helperGauge returns a gauge of exporterhelper.
func helperGauge(t *testing.T, r *rig, what string) int {
	t.Helper()
	m, err := r.telemetry.GetMetric("otelcol_exporter_" + what)
	require.NoError(t, err)
	points := m.Data.(metricdata.Gauge[int64]).DataPoints
	require.Len(t, points, 1)
	return int(points[0].Value)
}

// A message that is delivered makes room, although another one of its request waits. The metrics of the queue show that, and
// items that found no room.
func TestBudgetIsGivenBackMessageByMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 2 << 20
		k, c := newTestKinesis(1), queuedConfig()
		heal := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, failing(kpltest.CodeThrottled, "stuck")))
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(time.Second)))
		c.Queue.Get().QueueSize = size
		c.Retry.Enabled = true
		e := startLogs(t, k, c)
		assert.Zero(t, helperGauge(t, e, "queue_size"))
		assert.Equal(t, size, helperGauge(t, e, "queue_capacity"))

		// The large resource and the small one are two messages of one request.
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("stuck", strings.Repeat("x", 450_000))))
		assert.Greater(t, helperGauge(t, e, "queue_size"), 900_000)
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(strings.Repeat("y", 450_000))))
		require.ErrorIs(t, e.ConsumeLogs(t.Context(), logsOf(strings.Repeat("z", 450_000))), exporterhelper.ErrQueueIsFull)
		assert.Equal(t, 1, helperItems(t, e, "enqueue_failed"))
		assert.Equal(t, 1, e.logs.FilterMessageSnippet("The queue is full").Len())

		advance(5 * time.Second)
		left := helperGauge(t, e, "queue_size")
		assert.Less(t, left, 3_000, "only the record that is stuck")
		assert.Positive(t, left)
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(strings.Repeat("z", 450_000))))
		heal()
		advance(time.Minute)
		assert.Zero(t, helperGauge(t, e, "queue_size"))
		e.stop(t)
		assert.Len(t, storedBodies(t, k), 4)
	})
}

// What exporterhelper drops after its retries leaves the budget as well.
func TestBudgetIsGivenBackByWhatIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), queuedConfig()
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, failing(kpltest.CodeThrottled, "stuck")))
		c.Retry.Enabled = true
		e := startLogs(t, k, c)
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("stuck", "good")))
		advance(c.Retry.MaxElapsedTime + c.Timeout.Timeout)
		assert.Zero(t, helperGauge(t, e, "queue_size"))
		e.stop(t)
	})
}

// Callers that wait for room wait no longer than their context, and those that came first go first.
func TestBudgetBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100, true)
		first := requestOfSize(100, "a")
		require.NoError(t, b.take(t.Context(), first))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, b.take(ctx, requestOfSize(1, "a")), context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))

		taken := make(chan error)
		second := requestOfSize(60, "a")
		go func() { taken <- b.take(t.Context(), second) }()
		synctest.Wait()
		first.release()
		require.NoError(t, <-taken)
		assert.EqualValues(t, 60, b.used.Load())
		second.release()
		assert.Zero(t, b.used.Load())
	})
}
