// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap/zapcore"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadatatest"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// queueAll lets the exporter accept one push of one log record for each body.
func queueAll(t *testing.T, e *rig, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(body)))
	}
}

// names returns n names with a prefix.
func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return all
}

// stopsIn stops an exporter as the Collector does, with a context that never ends, and requires how long that takes.
func stopsIn(t *testing.T, e component.Component, want time.Duration) {
	t.Helper()
	start := time.Now()
	require.NoError(t, e.Shutdown(context.Background()))
	assert.Equal(t, want, time.Since(start))
}

// drainLines returns the line at the beginning and the line at the end of the only drain.
func drainLines(t *testing.T, e *rig) (begin, end map[string]any, level zapcore.Level) {
	t.Helper()
	begins := e.logs.FilterMessageSnippet("Draining").All()
	ends := e.logs.FilterMessageSnippet("Drained").All()
	require.Len(t, begins, 1)
	require.Len(t, ends, 1)
	return begins[0].ContextMap(), ends[0].ContextMap(), ends[0].Level
}

// Some records are never taken, and others are delivered all the time. The drain ends when its time is over, and every lost item
// is counted.
func TestDrainEndsAlthoughSomethingIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(2), queuedConfig()
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(time.Second)))
		k.Inject(failing(kpltest.CodeThrottled, "stuck"))
		c.Retry.Enabled = true
		c.Queue.Get().Sizer, c.Queue.Get().QueueSize = exporterhelper.RequestSizerTypeRequests, 1000
		e := startLogs(t, k, c)
		queueAll(t, e, append(names("stuck", 3), names("good", 400)...)...)
		synctest.Wait()
		stopsIn(t, e, defaultDrainTimeout)

		stored := len(distinct(t, storedBodies(t, k)))
		assert.Positive(t, stored)
		begin, end, level := drainLines(t, e)
		assert.Equal(t, map[string]any{
			"queue_size": int64(403), "queue_unit": "requests", "messages": begin["messages"], "message_bytes": begin["message_bytes"],
			"storage": false, "drain_timeout": "20s",
		}, begin)
		assert.Equal(t, zapcore.ErrorLevel, level)
		assert.Equal(t, map[string]any{
			"delivered_items": int64(stored), "lost_items": int64(403 - stored), "took": "20s",
			"gave_up": timeIsOver,
		}, end)
	})
}

// A drain without trouble says what was delivered, and takes no longer than that.
func TestDrainSaysWhatWasDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), queuedConfig()
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(time.Second)))
		e := startLogs(t, k, c)
		queueAll(t, e, names("a", 10)...)
		synctest.Wait()
		stopsIn(t, e, time.Second)
		begin, end, level := drainLines(t, e)
		assert.Equal(t, "bytes", begin["queue_unit"])
		assert.Positive(t, begin["queue_size"])
		assert.Equal(t, zapcore.InfoLevel, level)
		assert.Equal(t, map[string]any{"delivered_items": int64(10), "took": "1s"}, end)
	})
}

// Without a limit a drain goes on as long as something is delivered within the record_ttl.
func TestDrainWithoutALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := queuedConfig()
		c.Timeout.Timeout, c.DrainTimeout = 0, 0
		e := startLogs(t, hanging(), c)
		queueAll(t, e, names("a", 200)...)
		synctest.Wait()
		stopsIn(t, e, c.Producer.RecordTTL)
		_, end, _ := drainLines(t, e)
		assert.Equal(t, "nothing was delivered for record_ttl", end["gave_up"])
		assert.EqualValues(t, 200, end["lost_items"])
	})
}

// With a storage, a drain gives up as soon as waiting gains nothing. What is left is delivered after the next start.
func TestDrainWithStorageEndsEarly(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fault  kpltest.Fault
		before time.Duration // from the push to the stop
		want   time.Duration
		slack  time.Duration
		reason string
	}{
		{"unavailable", kpltest.FailCall(kpltest.CodeAccessDenied), 5 * time.Second, drainCheck, 0, "the stream is unavailable"},
		{"throttled", failing(kpltest.CodeThrottled, ""), 0, storagePatience, 0, "nothing is delivered"},
		{"throttled before", failing(kpltest.CodeThrottled, ""), 10 * time.Second, drainCheck, 0, "nothing is delivered"},
		{"no answer", kpltest.Break(kpltest.ConnectionHangs), 0, storagePatience, 0, "nothing is delivered"},
		{ // the last record of the other shard is delivered at once, or after a pause
			"one shard takes nothing", failing(kpltest.CodeThrottled, "a-7"), 2 * time.Second, 3100 * time.Millisecond,
			drainCheck, "nothing is delivered",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, files := newTestKinesis(2), newMemoryStorage()
				heal := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, tt.fault))
				e := startStored(t, k, files)
				want := names("a", 50)
				queueAll(t, e, want...)
				synctest.Wait()
				pass(tt.before)
				start := time.Now()
				require.NoError(t, e.Shutdown(context.Background()))
				assert.InDelta(t, tt.want, time.Since(start), float64(tt.slack))
				begin, end, level := drainLines(t, e)
				assert.Equal(t, true, begin["storage"])
				assert.Equal(t, zapcore.WarnLevel, level)
				assert.Equal(t, tt.reason, end["gave_up"])
				assert.Positive(t, end["left_in_storage"])
				assert.NotContains(t, end, "lost_items")
				assert.Zero(t, e.logs.FilterMessageSnippet(droppingData).Len(), "the storage keeps it")
				assert.Positive(t, e.logs.FilterMessage(keptInStorage).Len())

				heal()
				e = startStored(t, k, files)
				require.NoError(t, k.WaitRecords(t.Context(), testStream, len(want)))
				e.stop(t)
				assert.ElementsMatch(t, want, storedBodies(t, k))
			})
		})
	}
}

// The time for a drain is that of all that stops together, signals and components: the Collector stops one after the other.
func TestDrainTimeIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c, other := factoryFor(hanging()), queuedConfig(), queuedConfig()
		r, second := newRig(t, f, c), newRig(t, f, other)
		traces, consume, err := pushTraces.start(t.Context(), f, metadatatest.NewSettings(r.telemetry), c)
		require.NoError(t, err)
		for _, e := range []component.Component{r, traces, second} {
			require.NoError(t, e.Start(t.Context(), r.host))
		}
		queueAll(t, r, "a")
		queueAll(t, second, "b")
		require.NoError(t, consume(t.Context(), tracesOf("a")))
		synctest.Wait()
		stopsIn(t, r, defaultDrainTimeout)
		stopsIn(t, traces, 0)
		stopsIn(t, second, 0)

		pass(time.Hour)
		late := newRig(t, f, queuedConfig())
		require.NoError(t, late.Start(t.Context(), r.host))
		queueAll(t, late, "c")
		synctest.Wait()
		stopsIn(t, late, defaultDrainTimeout)
	})
}

// Without confirmation, what the producer holds when the queue is empty has the same time, and its loss counts.
func TestDrainOfFireAndForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := queuedConfig()
		c.Delivery, c.Producer.RecordTTL = FireAndForget, time.Minute
		e := startLogs(t, hanging(), c)
		queueAll(t, e, names("a", 20)...)
		synctest.Wait()
		stopsIn(t, e, defaultDrainTimeout)
		_, end, level := drainLines(t, e)
		assert.Equal(t, zapcore.ErrorLevel, level)
		assert.EqualValues(t, 20, end["lost_items"])
	})
}

// A stop begins with the first component, and is over when nothing stops for a while or something starts.
func TestStops(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Unix(0, 0).Add(time.Duration(seconds * float64(time.Second)))
	}
	var s stops
	assert.Equal(t, at(10), s.begin(at(10)))
	assert.Equal(t, at(10), s.begin(at(100)), "the first still stops")
	s.end(at(110))
	s.end(at(111))
	assert.Equal(t, at(10), s.begin(at(112)), "the next component of the same stop")
	s.end(at(112))
	assert.Equal(t, at(113.1), s.begin(at(113.1)), "another stop")
	s.restart()
	assert.Equal(t, at(113.1), s.begin(at(113.2)), "a start in between changes nothing while something stops")
	s.end(at(114))
	s.end(at(114))
	s.restart()
	assert.Equal(t, at(114.5), s.begin(at(114.5)), "something was started in between")
}

// Without metrics, all instruments of the Collector are equal. The size of the queue is not its capacity all the same.
func TestQueueSizeWithoutMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := metadatatest.NewSettings(componenttest.NewTelemetry())
		set.MeterProvider = noop.NewMeterProvider()
		k := newTestKinesis(1)
		e, err := factoryFor(k).CreateLogs(t.Context(), set, queuedConfig())
		require.NoError(t, err)
		require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
		size, ok := e.(*logsExporter).lifecycle.pusher.view.queueSize()
		assert.True(t, ok)
		assert.Zero(t, size)
		require.NoError(t, e.Shutdown(t.Context()))
	})
}

// The view counts what exporterhelper gave up item by item, also of pushes that were delivered in part and of those that pause
// before their next attempt.
func TestHelperView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), queuedConfig()
		k.Inject(failing(kpltest.CodeThrottled, "stuck"))
		k.Inject(failing(kpltest.CodeInvalidArgument, "odd"))
		c.Retry.Enabled, c.Producer.FailIfThrottled = true, true
		c.Retry.InitialInterval, c.Retry.RandomizationFactor, c.Retry.MaxElapsedTime = time.Hour, 0, 0
		e := startLogs(t, k, c)
		view := e.Logs.(*logsExporter).lifecycle.pusher.view
		size, ok := view.queueSize()
		require.True(t, ok, "exporterhelper has another name for the size of the queue")
		assert.Zero(t, size)
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("good", "stuck-1", "odd", "stuck-2")))
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("odd")))
		pass(time.Minute)
		size, _ = view.queueSize()
		assert.Positive(t, size)
		assert.Equal(t, loss{}, view.losses())
		stopsIn(t, e, 0)
		assert.Equal(t, loss{interrupted: 2}, view.losses())
		_, end, _ := drainLines(t, e)
		assert.EqualValues(t, 2, end["lost_items"])

		c = queuedConfig()
		c.Retry.Enabled, c.Producer.FailIfThrottled = true, true
		c.Retry.MaxElapsedTime = time.Second
		e = startLogs(t, k, c)
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("good", "stuck-1")))
		pass(time.Minute)
		assert.Equal(t, loss{dropped: 1}, e.Logs.(*logsExporter).lifecycle.pusher.view.losses())
		e.stop(t)
		_, end, _ = drainLines(t, e)
		assert.NotContains(t, end, "lost_items", "it was lost before the drain")
	})
}
