// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// plainConfig returns a configuration with the producer's defaults and no queue.
func plainConfig() *Config {
	c := directConfig()
	c.PartitionKey = PartitionKeyConfig{}
	c.Producer = newDefaultProducerConfig()
	return c
}

// 200,000 log records of 8 callers go into a stream that throttles a fifth of the Kinesis records at random. Every one
// arrives, none arrives twice, and the metrics say what the service saw.
func TestThrottledStreamLosesNothing(t *testing.T) {
	const callers, requests, perRequest = 8, 25, 1000
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(8)
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(20*time.Millisecond)))
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2)))
		e := startLogs(t, k, plainConfig())
		var pushers sync.WaitGroup
		for caller := range callers {
			pushers.Go(func() {
				for i := range requests {
					assert.NoError(t, e.ConsumeLogs(t.Context(), oneResource(fmt.Sprintf("%d/%d/", caller, i), perRequest)))
				}
			})
		}
		pushers.Wait()
		e.stop(t)

		const total = callers * requests * perRequest
		assert.Len(t, distinct(t, storedBodies(t, k)), total)
		var stored, userBytes, throttled int
		for _, record := range k.Records(testStream) {
			stored += len(record.Data)
		}
		userRecords := k.UserRecords(testStream)
		for _, record := range userRecords {
			userBytes += len(record.Data)
		}
		for _, call := range k.Calls(kpltest.OpPutRecords) {
			throttled += call.Failed
		}
		require.Positive(t, throttled)
		assert.Equal(t, total, e.sum(t, "items_put"))
		assert.Equal(t, total, e.sum(t, "items_put", "signal", "logs", "outcome", "success"))
		assert.Equal(t, len(userRecords), e.sum(t, "user_records_put"))
		assert.Equal(t, len(userRecords), e.sum(t, "user_records_put", "outcome", "success"))
		assert.Equal(t, userBytes, e.sum(t, "user_records_data_put"))
		assert.Equal(t, len(k.Records(testStream)), e.sum(t, "kinesis_records_put", "outcome", "success"))
		assert.Equal(t, stored, e.sum(t, "kinesis_records_data_put"))
		assert.Equal(t, throttled, e.sum(t, "kinesis_records_put", "outcome", "failure"))
		assert.Equal(t, throttled, e.sum(t, "errors_by_code"))
		assert.Equal(t, throttled, e.sum(t, "errors_by_code", "error_code", kpltest.CodeThrottled))
	})
}

// A batch of 1.2 MB under one resource is more than a Kinesis record takes. It arrives whole.
func TestLargeResourceArrivesWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(4)
		e := startLogs(t, k, plainConfig())
		logs := oneResource(strings.Repeat("x", 120), 8192)
		sizer := plog.ProtoMarshaler{}
		require.Greater(t, sizer.LogsSize(logs), 1_150_000)
		require.NoError(t, e.ConsumeLogs(t.Context(), logs))
		e.stop(t)
		assert.Len(t, distinct(t, storedBodies(t, k)), 8192)
	})
}

// Of a push with a log record of 2 MiB, only that log record is lost.
func TestOnlyTheOversizeRecordIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(4)
		e := startLogs(t, k, plainConfig())
		logs := oneResource("good", 999)
		huge := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
		huge.Body().SetStr(strings.Repeat("x", 2<<20))
		require.NoError(t, e.ConsumeLogs(t.Context(), logs))
		e.stop(t)
		assert.Len(t, distinct(t, storedBodies(t, k)), 999)
		assert.Equal(t, 999, e.sum(t, "items_put", "outcome", "success"))
		assert.Equal(t, 1, e.sum(t, "items_put", "outcome", "oversize"))
		dropped := e.logs.FilterMessage("Dropped telemetry that the stream will never accept").All()
		require.Len(t, dropped, 1)
		assert.Regexp(t, `takes 2097\d{3} bytes .* the limit is 1048576$`, dropped[0].ContextMap()["error"])
	})
}

// A thousand tiny resources make a few Kinesis records.
func TestTinyResourcesShareKinesisRecords(t *testing.T) {
	bodies := make([]string, 1000)
	for i := range bodies {
		bodies[i] = fmt.Sprint("service-", i)
	}
	for _, tt := range []struct {
		name       string
		attributes []string
		most       int
	}{
		{"without keys", nil, 2},
		{"with a key each, on 4 shards", []string{"service.name"}, 12},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, c := newTestKinesis(4), plainConfig()
				c.PartitionKey.ResourceAttributes = tt.attributes
				e := startLogs(t, k, c)
				require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(bodies...)))
				e.stop(t)
				assert.ElementsMatch(t, bodies, storedBodies(t, k))
				assert.LessOrEqual(t, len(k.Records(testStream)), tt.most)
			})
		})
	}
}

// A reader, which gets no headers, can tell both encodings apart.
func TestEncodings(t *testing.T) {
	for _, encoding := range []marshaler.Encoding{marshaler.OTLPProto, marshaler.OTLPJSON} {
		t.Run(string(encoding), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, c := newTestKinesis(1), plainConfig()
				c.Encoding = encoding
				e := startLogs(t, k, c)
				require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a", "b")))
				e.stop(t)
				records := k.UserRecords(testStream)
				require.Len(t, records, 1)
				signal, found, ok := marshaler.Detect(records[0].Data)
				require.True(t, ok)
				assert.Equal(t, marshaler.Logs, signal)
				assert.Equal(t, encoding, found)
			})
		})
	}
}

// requireSameBodies requires that each body of want is in got once, and nothing else is. No two bodies of want are equal.
// It takes time in proportion to their number; assert.ElementsMatch compares each with each.
func requireSameBodies(t *testing.T, want, got []string) {
	t.Helper()
	stored := distinct(t, got)
	for _, body := range want {
		if !stored[body] {
			t.Fatalf("%d bodies are stored; one that is missing: %s", len(got), body)
		}
	}
	require.Len(t, stored, len(want), "bodies are stored that nobody sent")
}

// Compressed messages arrive whole, and readers can tell how they are compressed. They fill records as other messages do:
// their size after compression counts. After a partial failure the caller gets back what was not delivered.
func TestCompressions(t *testing.T) {
	for _, encoding := range []marshaler.Encoding{marshaler.OTLPProto, marshaler.OTLPJSON} {
		for _, compression := range []marshaler.Compression{marshaler.Snappy, marshaler.Zstd, marshaler.Gzip} {
			t.Run(fmt.Sprintf("%s/%s", encoding, compression), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					k, c := newTestKinesis(2), plainConfig()
					c.Encoding, c.Compression = encoding, compression
					c.Producer.FailIfThrottled = true
					heal := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords,
						kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.5)))
					e := startLogs(t, k, c)
					sent := oneResource("a message with number ", 20_000)
					logs := sent
					for range 50 {
						err := e.ConsumeLogs(t.Context(), logs)
						if err == nil {
							break
						}
						if partial, ok := errors.AsType[consumererror.Logs](err); ok {
							logs = partial.Data()
						}
					}
					heal()
					e.stop(t)
					requireSameBodies(t, bodiesOf(sent), storedBodies(t, k))
					assert.Equal(t, 20_000, e.sum(t, "items_put", "outcome", "success"))
					for _, record := range k.UserRecords(testStream) {
						plain, found, err := marshaler.Decompress(record.Data, marshaler.MaxPlainSize)
						require.NoError(t, err)
						assert.Equal(t, compression, found)
						signal, foundEncoding, ok := marshaler.Detect(plain)
						assert.True(t, ok)
						assert.Equal(t, marshaler.Logs, signal)
						assert.Equal(t, encoding, foundEncoding)
					}
					for _, record := range k.Records(testStream) {
						assert.LessOrEqual(t, len(record.Data)+len(record.PartitionKey), 51_200)
					}
				})
			})
		}
	}
}

// A log record that is too large for a record is sent if it fits after compression.
func TestCompressionSavesLargeRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), plainConfig()
		c.Compression = marshaler.Snappy
		e := startLogs(t, k, c)
		body := strings.Repeat("x", 2<<20)
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a", body)))
		e.stop(t)
		stored := storedBodies(t, k)
		assert.Len(t, stored, 2)
		assert.True(t, slices.Contains(stored, "a") && slices.Contains(stored, body))
	})
}
