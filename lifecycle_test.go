// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// queuedConfig returns a configuration with the default queue.
func queuedConfig() *Config {
	c := directConfig()
	c.Queue = defaultConfig().Queue
	return c
}

func TestShutdown(t *testing.T) {
	for _, queued := range []bool{false, true} {
		for _, tt := range []struct {
			name string
			run  func(*testing.T, *rig)
		}{
			{"without start", func(t *testing.T, e *rig) {
				e.stop(t)
			}},
			{"without start, twice", func(t *testing.T, e *rig) {
				e.stop(t)
				e.stop(t)
			}},
			{"idle", func(t *testing.T, e *rig) {
				require.NoError(t, e.Start(t.Context(), e.host))
				e.stop(t)
			}},
			{"twice", func(t *testing.T, e *rig) {
				require.NoError(t, e.Start(t.Context(), e.host))
				require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
				e.stop(t)
				e.stop(t)
			}},
			{"at once from two sides", func(t *testing.T, e *rig) {
				require.NoError(t, e.Start(t.Context(), e.host))
				var both sync.WaitGroup
				for range 2 {
					both.Go(func() { assert.NoError(t, e.Shutdown(t.Context())) })
				}
				both.Wait()
			}},
			{"with a context that has ended", func(t *testing.T, e *rig) {
				require.NoError(t, e.Start(t.Context(), e.host))
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				start := time.Now()
				_ = e.Shutdown(ended) // it may or may not have had anything to give up on
				assert.Zero(t, time.Since(start))
			}},
		} {
			t.Run(fmt.Sprintf("%s, queue %t", tt.name, queued), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := directConfig()
					if queued {
						c = queuedConfig()
					}
					c.Retry.Enabled = true
					tt.run(t, newRig(t, factoryFor(newTestKinesis(1)), c))
				})
			})
		}
	}
}

// hanging is a service that never answers.
func hanging() kpl.Client {
	k := newTestKinesis(1)
	k.Inject(kpltest.Break(kpltest.ConnectionHangs))
	return k
}

// Shutdown ends when its context does, even if the service never answers, no push has a timeout, and exporterhelper's
// queue waits for its consumers without end. Nothing that it started is left (synctest fails on that).
func TestShutdownEndsWithItsContext(t *testing.T) {
	for _, tt := range []struct {
		name string
		tune func(*Config)
	}{
		{"confirmed", func(*Config) {}},
		{"fire and forget", func(c *Config) { c.Delivery = FireAndForget }},
		{"batches", func(c *Config) {
			c.Queue.Get().Batch.GetOrInsertDefault().FlushTimeout = 10 * time.Millisecond
		}},
		{"full producer", func(c *Config) { c.Producer.MaxOutstandingRecords = 5 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := queuedConfig()
				c.Timeout.Timeout = 0
				c.Retry.Enabled = true
				tt.tune(c)
				e := startLogs(t, hanging(), c)
				for i := range 200 {
					require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(fmt.Sprint(i))))
				}
				synctest.Wait()
				start := time.Now()
				err := e.Shutdown(within(t, 300*time.Millisecond))
				assert.Equal(t, 300*time.Millisecond, time.Since(start))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Zero(t, e.sum(t, "items_put", "outcome", "success"))
			})
		})
	}
}

// The same without a queue: callers that wait for a push get an error that lets them keep the data.
// The Collector gives shutdowns no deadline. If the stream accepts nothing, a shutdown must not take the record_ttl of all
// requests in the queue, one after the other.
func TestShutdownEndsWhenNothingIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := queuedConfig()
		c.Timeout.Timeout = 0
		e := startLogs(t, hanging(), c)
		for i := range 200 {
			require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(fmt.Sprint(i))))
		}
		synctest.Wait()
		start := time.Now()
		require.NoError(t, e.Shutdown(context.Background()))
		assert.Equal(t, defaultDrainTimeout, time.Since(start))
		assert.Zero(t, e.sum(t, "items_put", "outcome", "success"))
	})
}

func TestShutdownEndsPushesWithoutQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := directConfig()
		c.Timeout.Timeout = 0
		e := startLogs(t, hanging(), c)
		pushed := make(chan error, 1)
		go func() { pushed <- e.ConsumeLogs(t.Context(), logsOf("a")) }()
		synctest.Wait()
		require.ErrorIs(t, e.Shutdown(within(t, 300*time.Millisecond)), context.DeadlineExceeded)
		err := <-pushed
		require.ErrorIs(t, err, kpl.ErrClosed)
		assert.False(t, consumererror.IsPermanent(err))
	})
}

// Shutdown under load delivers what the queue took, as long as its context lasts, and does not wait for the linger.
func TestShutdownDrainsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(4)
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(50*time.Millisecond)))
		c := queuedConfig()
		c.Producer.AggregationFormat = kpl.AggregationKPL
		c.Producer.RecordMaxBufferedTime = 20 * time.Second
		e := startLogs(t, k, c)
		for i := range 1003 { // not a multiple of the consumers
			require.NoError(t, e.ConsumeLogs(t.Context(), oneResource(fmt.Sprintf("%d-", i), 10)))
		}
		start := time.Now()
		require.NoError(t, e.Shutdown(within(t, time.Minute)))
		assert.Less(t, time.Since(start), 10*time.Second)
		assert.Len(t, distinct(t, storedBodies(t, k)), 10_030)
		assert.Equal(t, 10_030, e.sum(t, "items_put", "outcome", "success"))
	})
}

// Pushes that come without a queue while the exporter stops are either delivered or fail.
func TestConsumeDuringShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(4)
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(5*time.Millisecond)))
		e := startLogs(t, k, directConfig())
		var accepted atomic.Int64
		var callers sync.WaitGroup
		for caller := range 8 {
			callers.Go(func() {
				for i := 0; ; i++ {
					if err := e.ConsumeLogs(t.Context(), logsOf(fmt.Sprintf("%d-%d", caller, i))); err != nil {
						assert.ErrorIs(t, err, kpl.ErrClosed)
						assert.False(t, consumererror.IsPermanent(err))
						return
					}
					accepted.Add(1)
				}
			})
		}
		require.NoError(t, k.WaitCalls(t.Context(), kpltest.OpPutRecords, 10))
		e.stop(t)
		callers.Wait()
		assert.Len(t, distinct(t, storedBodies(t, k)), int(accepted.Load()))
		assert.Greater(t, accepted.Load(), int64(8))
	})
}

// The signals of one component share a producer; it ends with the last of them.
func TestSignalsShareOneProducer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, connections, closed := newTestKinesis(1), 0, 0
		f := newFactory(func(context.Context, *Config, *zap.Logger) (kpl.Client, func(), error) {
			connections++
			return k, func() { closed++ }, nil
		})
		set := exportertest.NewNopSettings(metadata.Type)
		c, other := directConfig(), directConfig()
		logs, err := f.CreateLogs(t.Context(), set, c)
		require.NoError(t, err)
		traces, err := f.CreateTraces(t.Context(), set, c)
		require.NoError(t, err)
		metrics, err := f.CreateMetrics(t.Context(), set, c)
		require.NoError(t, err)
		separate, err := f.CreateLogs(t.Context(), set, other)
		require.NoError(t, err)
		assert.Zero(t, connections, "creating an exporter touches nothing")

		host := componenttest.NewNopHost()
		for _, e := range []component.Component{logs, traces, metrics} {
			require.NoError(t, e.Start(t.Context(), host))
		}
		assert.Equal(t, 1, connections)
		require.NoError(t, separate.Start(t.Context(), host))
		assert.Equal(t, 2, connections)
		require.NoError(t, separate.Shutdown(t.Context()))
		assert.Equal(t, 1, closed)

		require.NoError(t, traces.Shutdown(t.Context()))
		require.NoError(t, metrics.Shutdown(t.Context()))
		require.NoError(t, logs.ConsumeLogs(t.Context(), logsOf("a")), "the producer still runs")
		require.NoError(t, logs.Shutdown(t.Context()))
		assert.Equal(t, 2, closed)
		assert.Equal(t, []string{"a"}, storedBodies(t, k))

		again, err := f.CreateLogs(t.Context(), set, c)
		require.NoError(t, err)
		require.NoError(t, again.Start(t.Context(), host), "a configuration can be used again")
		require.NoError(t, again.ConsumeLogs(t.Context(), logsOf("b")))
		require.NoError(t, again.Shutdown(t.Context()))
		assert.Equal(t, 3, connections)
	})
}

func TestStartReportsErrorsOfTheConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFactory(func(context.Context, *Config, *zap.Logger) (kpl.Client, func(), error) {
			return nil, nil, errors.New("no such file")
		})
		e := newRig(t, f, queuedConfig())
		require.EqualError(t, e.Start(t.Context(), e.host), "kinesis_kpl: no such file")
		e.stop(t)

		c := queuedConfig()
		storage := component.MustNewID("missing")
		c.Queue.Get().StorageID = &storage
		e = newRig(t, factoryFor(newTestKinesis(1)), c)
		require.ErrorContains(t, e.Start(t.Context(), e.host), "storage")
		e.stop(t)
	})
}

func TestBatchingEnabledIsForwarded(t *testing.T) {
	for _, tt := range []struct {
		name string
		tune func(*Config)
		want bool
	}{
		{"no queue", func(c *Config) { c.Queue = configoptional.None[exporterhelper.QueueBatchConfig]() }, false},
		{"queue", func(*Config) {}, false},
		{"batches", func(c *Config) { c.Queue.Get().Batch.GetOrInsertDefault() }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := queuedConfig()
			tt.tune(c)
			e := newRig(t, factoryFor(newTestKinesis(1)), c)
			asked, ok := e.Logs.(interface{ ExporterHelperBatchingEnabled() bool })
			require.True(t, ok)
			assert.Equal(t, tt.want, asked.ExporterHelperBatchingEnabled())
			assert.False(t, e.Capabilities().MutatesData, "batches are made of encoded data")
		})
	}
}

// Back-pressure: the stream accepts nothing, the producer is full, pushes block, and the queue fills. The caller then gets
// an error that makes it wait. Once the stream works again, everything that was accepted arrives.
func TestBackPressureReachesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		heal := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, failing(kpltest.CodeThrottled, "")))
		c := queuedConfig()
		c.Queue.Get().Sizer, c.Queue.Get().QueueSize = exporterhelper.RequestSizerTypeRequests, 100
		c.Producer.MaxOutstandingRecords = 4
		e := startLogs(t, k, c)
		accepted := 0
		var err error
		for err == nil {
			if err = e.ConsumeLogs(t.Context(), logsOf(fmt.Sprint(accepted))); err == nil {
				accepted++
			}
			synctest.Wait()
		}
		require.ErrorIs(t, err, exporterhelper.ErrQueueIsFull)
		assert.False(t, consumererror.IsPermanent(err))
		assert.Equal(t, 100, accepted)
		assert.Equal(t, 4, int(gaugeOf(t, e, "user_records_pending")), "the producer is full")
		assert.Equal(t, 4, int(gaugeOf(t, e, "user_records_pending_limit")))
		heal()
		e.stop(t)
		assert.Len(t, distinct(t, storedBodies(t, k)), accepted)
	})
}
