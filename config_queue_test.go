// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// The errors and warnings about exporterhelper name the version that is built in.
func TestHelperVersion(t *testing.T) {
	module, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	name, version, _ := strings.Cut(helperVersion, " ")
	assert.Contains(t, string(module), "go.opentelemetry.io/collector/exporter/"+name+" "+version+"\n",
		"check what config_queue.go says about it, then change helperVersion")
}

// What is allowed but hardly meant is logged once at the start, with its key.
func TestWarnings(t *testing.T) {
	for name, tt := range map[string]struct {
		yaml string
		want []string // beginnings of the warnings for metrics
	}{
		"nothing": {"", nil},
		"a batch": {"sending_queue: {batch: {}}", nil},
		"a call longer than a record's life": {
			"record_ttl: 5s\ntimeout: 10s", []string{"request_timeout (6s) is more than record_ttl (5s)"},
		},
		"a queue of 2 MiB": {
			"sending_queue: {queue_size: 2097152}", []string{"sending_queue::queue_size is 2097152 bytes."},
		},
		"an overflow without shares": {"shard_overflow: drop", []string{"shard_overflow is drop and has no effect"}},
		"an overflow of shares":      {"shard_overflow: drop\npartition_key: {resource_attributes: [a]}", nil},
		"a producer smaller than the queue": {
			"max_outstanding_bytes: 1048576", []string{"max_outstanding_bytes (1048576) is less than sending_queue::queue_size"},
		},
		"trace ids of data points": {
			"metrics: {partition_key: {trace_id: true}}", []string{"metrics::partition_key::trace_id is true and has no effect"},
		},
		"trace ids of all signals": {"partition_key: {trace_id: true}", nil},
		"a queue of requests":      {"sending_queue: {sizer: requests, queue_size: 10}", nil},
		"a storage without retries": {
			"sending_queue: {storage: file_storage}\nretry_on_failure: {enabled: false}",
			[]string{"sending_queue::storage is set and retry_on_failure::enabled is false: with exporterhelper v0.165.0"},
		},
		"a batch of 8192 bytes": {
			"sending_queue: {batch: {sizer: bytes}}", []string{"sending_queue::batch::min_size is 8192 bytes"},
		},
		"batches cut by bytes": {
			"sending_queue: {batch: {sizer: bytes, min_size: 1048576, max_size: 2097152}}",
			nil,
		},
		"batches cut by items": {"sending_queue: {batch: {max_size: 10000}}", nil},
		"no queue":             {"sending_queue: {enabled: false}\nretry_on_failure: {enabled: false}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := exporterConfig([]byte(tt.yaml + "\naws: {stream_name: telemetry}"))
			require.NoError(t, err)
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.WarnLevel)
				set := exportertest.NewNopSettings(metadata.Type)
				set.Logger = zap.New(core)
				host := storageHost{component.MustNewID("file_storage"): &memoryStorage{values: map[string][]byte{}}}
				f := factoryFor(newTestKinesis(1))
				metrics, err := f.CreateMetrics(t.Context(), set, c)
				require.NoError(t, err)
				traces, err := f.CreateTraces(t.Context(), set, c)
				require.NoError(t, err)
				for _, signal := range []component.Component{metrics, traces} {
					require.NoError(t, signal.Start(t.Context(), host))
				}
				for _, signal := range []component.Component{metrics, traces} {
					require.NoError(t, signal.Shutdown(t.Context()))
				}
				found := logs.FilterMessage("A setting is probably not meant like this").All()
				require.Len(t, found, len(tt.want))
				for i, want := range tt.want {
					assert.Contains(t, found[i].ContextMap()["warning"], want)
				}
			})
		})
	}
}

// One key that is wrong makes one error, also where limits of other keys come from it.
func TestFollowOnErrorsAreLeftOut(t *testing.T) {
	for yaml, want := range map[string]string{
		"record_ttl: 100":                                   "record_ttl must be at least",
		"max_record_size: 11000000":                         "max_record_size must be",
		"max_record_size: 10":                               "max_record_size must be",
		"aggregation_max_size: 0":                           "aggregation_max_size must be",
		"record_max_buffered_time: 100":                     "record_max_buffered_time must be",
		"record_max_buffered_time: -1m":                     "record_max_buffered_time must not be negative",
		"compression: lz4\ncompression_params: {level: 99}": "compression must be",
	} {
		_, err := exporterConfig([]byte(yaml + "\naws: {stream_name: telemetry}"))
		require.ErrorContains(t, err, want, yaml)
		assert.NotContains(t, err.Error(), "\n", yaml)
	}
	_, err := exporterConfig([]byte("record_ttl: 100\ndelivery: maybe\nmax_connections: 0\naws: {stream_name: telemetry}"))
	require.Error(t, err)
	assert.Len(t, strings.Split(err.Error(), "\n"), 3, "three faults, three errors")
}

// A request that is larger than the queue is rejected for good, however the queue is set up. A queue that is merely full is not.
func TestRequestLargerThanTheQueue(t *testing.T) {
	tooManyBytes := func() plog.Logs { return oneResource(strings.Repeat("x", 2000), 1000) }
	tooManyItems := func() plog.Logs { return oneResource("x", 11) }
	for name, tt := range map[string]struct {
		queue func(*exporterhelper.QueueBatchConfig)
		data  func() plog.Logs
		want  string
	}{
		"bytes": {func(q *exporterhelper.QueueBatchConfig) { q.QueueSize = 1 << 20 }, tooManyBytes, " bytes and never fits"},
		"bytes, storage": {func(q *exporterhelper.QueueBatchConfig) {
			id := component.MustNewID("file_storage")
			q.QueueSize, q.StorageID = 1<<20, &id
		}, tooManyBytes, " bytes and never fits"},
		"bytes, storage, blocking": {func(q *exporterhelper.QueueBatchConfig) {
			id := component.MustNewID("file_storage")
			q.QueueSize, q.StorageID, q.BlockOnOverflow = 1<<20, &id, true
		}, tooManyBytes, " bytes and never fits"},
		"bytes, blocking": {func(q *exporterhelper.QueueBatchConfig) {
			q.QueueSize, q.BlockOnOverflow = 1<<20, true
		}, tooManyBytes, " bytes and never fits"},
		"items": {func(q *exporterhelper.QueueBatchConfig) {
			q.Sizer, q.QueueSize = exporterhelper.RequestSizerTypeItems, 10
		}, tooManyItems, "has 11 items and never fits"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := directConfig()
				c.Queue, c.Retry = defaultConfig().Queue, defaultConfig().Retry
				tt.queue(c.Queue.Get())
				e := newRig(t, factoryFor(newTestKinesis(1)), c)
				e.host.Host = storageHost{component.MustNewID("file_storage"): &memoryStorage{values: map[string][]byte{}}}
				require.NoError(t, e.Start(t.Context(), e.host))
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				for range 3 {
					err := e.ConsumeLogs(ctx, tt.data())
					require.ErrorContains(t, err, tt.want)
					require.ErrorContains(t, err, "sending_queue::queue_size")
					assert.True(t, consumererror.IsPermanent(err))
					assert.Equal(t, codes.InvalidArgument, status.Code(errors.Unwrap(err)))
				}
				require.NoError(t, ctx.Err(), "nobody waits for room that can never be")
				assert.Equal(t, 1, e.logs.FilterMessageSnippet("A request is larger than the queue").Len())
				require.NoError(t, e.ConsumeLogs(ctx, logsOf("a")))
				e.stop(t)
			})
		})
	}
}

func TestFullQueueIsNotTooSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := directConfig()
		c.Queue = defaultConfig().Queue
		c.Queue.Get().QueueSize, c.Queue.Get().NumConsumers = 1<<20, 1
		e := startLogs(t, newTestKinesis(1), c)
		var err error
		for range 100 {
			if err = e.ConsumeLogs(t.Context(), logsOf(strings.Repeat("x", 300_000))); err != nil {
				break
			}
		}
		require.ErrorIs(t, err, exporterhelper.ErrQueueIsFull)
		assert.False(t, consumererror.IsPermanent(err))
		e.stop(t)
	})
}

// Callers that wait for room in the queue get it, in memory and with a storage, and what they handed over is delivered once.
func TestBlockOnOverflow(t *testing.T) {
	for name, stored := range map[string]bool{"memory": false, "storage": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const callers, pushes = 20, 20
				c := directConfig()
				c.Queue, c.Retry = defaultConfig().Queue, defaultConfig().Retry
				queue := c.Queue.Get()
				queue.Sizer, queue.QueueSize, queue.BlockOnOverflow = exporterhelper.RequestSizerTypeItems, 9, true
				id := component.MustNewID("file_storage")
				if stored {
					queue.StorageID = &id
				}
				k := newTestKinesis(1)
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(20*time.Millisecond)))
				e := newRig(t, factoryFor(k), c)
				e.host.Host = storageHost{id: &memoryStorage{values: map[string][]byte{}}}
				require.NoError(t, e.Start(t.Context(), e.host))
				var running sync.WaitGroup
				want := 0
				for caller := range callers {
					size := 1 + caller%9 // up to the whole queue
					want += pushes * size
					running.Go(func() {
						for i := range pushes {
							ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
							assert.NoError(t, e.ConsumeLogs(ctx, oneResource(fmt.Sprint(caller, "/", i, "/"), size)))
							cancel()
						}
					})
				}
				running.Wait()
				advance(time.Minute)
				e.stop(t)
				assert.Len(t, distinct(t, storedBodies(t, k)), want)
			})
		})
	}
}

// The producer takes what the queue lets in. It has a bound of its own where the queue limits no memory.
func TestProducerBounds(t *testing.T) {
	for yaml, want := range map[string][2]int{
		"":                                             {4 * 64 << 20, 4 * 64 << 20 / messageOverhead},
		"sending_queue: {queue_size: 134217728}":       {4 * 128 << 20, 4 * 128 << 20 / messageOverhead},
		"sending_queue: {queue_size: 1048576}":         {defaultOutstandingBytes, defaultOutstandingBytes / messageOverhead},
		"sending_queue: {storage: file_storage}":       {defaultOutstandingBytes, defaultOutstandingRecords},
		"sending_queue: {sizer: items, queue_size: 9}": {defaultOutstandingBytes, defaultOutstandingRecords},
		"sending_queue: {enabled: false}":              {defaultOutstandingBytes, defaultOutstandingRecords},
		"delivery: fire_and_forget":                    {defaultOutstandingBytes, defaultOutstandingRecords},
		"max_outstanding_bytes: 134217728\nmax_outstanding_records: 7": {128 << 20, 7},
	} {
		c, err := exporterConfig([]byte(yaml + "\naws: {stream_name: telemetry}"))
		require.NoError(t, err)
		p := c.boundedProducer()
		assert.Equal(t, want, [2]int{p.MaxOutstandingBytes, p.MaxOutstandingRecords}, yaml)
	}
}

// The whole queue can be on its way at the same time, whatever its size is. A number that somebody chose stays.
func TestConsumers(t *testing.T) {
	for yaml, want := range map[string]int{
		"": 1024,
		"sending_queue: {queue_size: 1073741824}":                        16384,
		"sending_queue: {queue_size: 1073741824, storage: file_storage}": 1024,
		"sending_queue: {queue_size: 20971520}":                          1024,
		"sending_queue: {queue_size: 1073741824, num_consumers: 10}":     10,
		"sending_queue: {sizer: requests, queue_size: 1000000}":          1024,
	} {
		c, err := exporterConfig([]byte(yaml + "\naws: {stream_name: telemetry}"))
		require.NoError(t, err)
		queue := c.helperQueue()
		assert.Equal(t, want, queue.Get().NumConsumers, yaml)
	}
}

// Small requests are merged, unless their results must stay apart.
func TestMergingOfRequests(t *testing.T) {
	for yaml, want := range map[string]int64{
		"":                                       mergedSize,
		"sending_queue: {wait_for_result: true}": 0,
		"sending_queue: {storage: file_storage}": 0,
		"sending_queue: {batch: {sizer: bytes, min_size: 1000000}}": 1_000_000,
	} {
		c, err := exporterConfig([]byte(yaml + "\naws: {stream_name: telemetry}"))
		require.NoError(t, err)
		queue := c.helperQueue()
		assert.Equal(t, want, queue.Get().Batch.Get().MinSize, yaml)
	}
}
