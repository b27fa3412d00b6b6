// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadatatest"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// point is a data point of a counter or gauge with the exporter, and more attributes as keys and values by turns.
func point(value int64, more ...string) metricdata.DataPoint[int64] {
	return metricdata.DataPoint[int64]{Value: value, Attributes: attributesOf(more...)}
}

func attributesOf(more ...string) attribute.Set {
	all := []attribute.KeyValue{attribute.String("exporter", "kinesis_kpl")}
	for i := 0; i < len(more); i += 2 {
		all = append(all, attribute.String(more[i], more[i+1]))
	}
	return attribute.NewSet(all...)
}

// streamPoint is a point of the test's stream.
func streamPoint(value int64, more ...string) metricdata.DataPoint[int64] {
	return point(value, append([]string{"stream", testStream}, more...)...)
}

type points = []metricdata.DataPoint[int64]

// Success, throttling, a permanent rejection and expiry, and what every metric says of them afterwards.
func TestMetricsMatchTheService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), directConfig()
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(30*time.Millisecond)))
		k.Inject(kpltest.Times(1, failing(kpltest.CodeThrottled, "slow")))
		k.Inject(failing(kpltest.CodeInvalidArgument, "odd"))
		k.Inject(failing("SomethingNew", "broken"))
		c.Producer.RecordTTL = 2 * time.Second
		e := startLogs(t, k, c)
		require.Error(t, e.ConsumeLogs(t.Context(), logsOf("good", "slow", "odd", "broken")))
		assert.ElementsMatch(t, []string{"good", "slow"}, storedBodies(t, k))

		// What the service saw.
		var stored, brokenCalls int64
		for _, record := range k.Records(testStream) {
			stored += int64(len(record.Data))
		}
		calls := k.Calls(kpltest.OpPutRecords)
		var entries, failed int64
		for _, call := range calls {
			entries += int64(call.Records)
			failed += int64(call.Failed)
		}
		require.EqualValues(t, 2, entries-failed)
		brokenCalls = failed - 2 // one throttled, one rejected
		require.Greater(t, brokenCalls, int64(1))

		tt, exact := e.telemetry, metricdatatest.IgnoreTimestamp()
		metadatatest.AssertEqualKinesisKplUserRecordsReceived(t, tt, points{point(4)}, exact)
		metadatatest.AssertEqualKinesisKplUserRecordsPending(t, tt, points{point(0)}, exact)
		metadatatest.AssertEqualKinesisKplUserRecordsDataPending(t, tt, points{point(0)}, exact)
		metadatatest.AssertEqualKinesisKplUserRecordsPendingLimit(t, tt, points{point(100_000)}, exact)
		metadatatest.AssertEqualKinesisKplUserRecordsDataPendingLimit(t, tt, points{point(64 << 20)}, exact)
		metadatatest.AssertEqualKinesisKplUserRecordsPut(t, tt, points{
			streamPoint(2, "outcome", "success"),
			streamPoint(1, "outcome", "rejected"),
			streamPoint(1, "outcome", "expired"),
		}, exact)
		metadatatest.AssertEqualKinesisKplUserRecordsDataPut(t, tt, points{streamPoint(stored)}, exact)
		metadatatest.AssertEqualKinesisKplItemsPut(t, tt, points{
			point(2, "signal", "logs", "outcome", "success"),
			point(1, "signal", "logs", "outcome", "rejected"),
			point(1, "signal", "logs", "outcome", "expired"),
		}, exact)
		metadatatest.AssertEqualKinesisKplKinesisRecordsPut(t, tt, points{
			streamPoint(2, "outcome", "success"),
			streamPoint(failed, "outcome", "failure"),
		}, exact)
		metadatatest.AssertEqualKinesisKplKinesisRecordsDataPut(t, tt, points{streamPoint(stored)}, exact)
		metadatatest.AssertEqualKinesisKplPutUnits(t, tt, points{streamPoint(2)}, exact)
		metadatatest.AssertEqualKinesisKplKinesisRecordsHeld(t, tt, points{streamPoint(0)}, exact)
		metadatatest.AssertEqualKinesisKplKinesisRecordsDataHeld(t, tt, points{streamPoint(0)}, exact)
		metadatatest.AssertEqualKinesisKplRequestsInFlight(t, tt, points{streamPoint(0)}, exact)
		metadatatest.AssertEqualKinesisKplRequestsInFlightLimit(t, tt, points{point(24)}, exact)
		metadatatest.AssertEqualKinesisKplUserRecordsRetrying(t, tt, points{streamPoint(0)}, exact)
		assert.Zero(t, e.sum(t, "user_records_resent"))
		assert.EqualValues(t, stored, e.sum(t, "uncompressed_data_put"))
		metadatatest.AssertEqualKinesisKplErrorsByCode(t, tt, points{
			streamPoint(1, "error_code", kpltest.CodeThrottled),
			streamPoint(1, "error_code", kpltest.CodeInvalidArgument),
			streamPoint(brokenCalls, "error_code", "other"),
		}, exact)
		metadatatest.AssertEqualKinesisKplShardMapRefreshes(t, tt, points{streamPoint(1, "outcome", "success")}, exact)
		metadatatest.AssertEqualKinesisKplOpenShards(t, tt, points{streamPoint(1)}, exact)

		retries := histogram[int64](t, e, "retries_per_record")
		assert.EqualValues(t, 4, retries.Count)
		assert.Equal(t, 1+brokenCalls-1, retries.Sum, "one of the throttled record, the rest of the broken one")
		perKinesisRecord := histogram[int64](t, e, "user_records_per_kinesis_record")
		assert.EqualValues(t, entries, perKinesisRecord.Count)
		assert.Equal(t, entries, perKinesisRecord.Sum)
		perRequest := histogram[int64](t, e, "kinesis_records_per_put_records_request")
		assert.Len(t, calls, int(perRequest.Count))
		assert.Equal(t, entries, perRequest.Sum)
		request := histogram[float64](t, e, "request_time")
		assert.Len(t, calls, int(request.Count))
		assert.InDelta(t, 0.03*float64(len(calls)), request.Sum, 1e-9)
		buffering := histogram[float64](t, e, "buffering_time")
		assert.EqualValues(t, 4, buffering.Count)
		assert.Zero(t, buffering.Sum, "nothing else is in flight")
		assert.EqualValues(t, 4, histogram[float64](t, e, "user_record_time").Count)
		assert.EqualValues(t, entries, histogram[float64](t, e, "rate_limit_time").Count)
		flushed := e.sum(t, "flushes", "stage", "collector")
		assert.Positive(t, flushed)
		e.stop(t)
	})
}

// histogram returns the only data point of a histogram, and requires the attributes of the test's stream.
func histogram[N int64 | float64](t *testing.T, r *rig, name string) metricdata.HistogramDataPoint[N] {
	t.Helper()
	m, err := r.telemetry.GetMetric("otelcol_kinesis_kpl_" + name)
	require.NoError(t, err)
	data, ok := m.Data.(metricdata.Histogram[N])
	require.True(t, ok, "%s is no such histogram", name)
	require.Len(t, data.DataPoints, 1)
	require.Equal(t, attributesOf("stream", testStream), data.DataPoints[0].Attributes)
	return data.DataPoints[0]
}

// newTestTelemetry returns the telemetry of a session without one.
func newTestTelemetry(t *testing.T, tune func(*Config)) (*telemetry, *rig) {
	t.Helper()
	r := &rig{telemetry: componenttest.NewTelemetry()}
	c := directConfig()
	tune(c)
	tel, err := newTelemetry(metadatatest.NewSettings(r.telemetry), c, func(string, error) {})
	require.NoError(t, err)
	t.Cleanup(tel.close)
	return tel, r
}

// An error of a whole call is one error, however many records were in it.
func TestCallErrorsCountOnce(t *testing.T) {
	tel, r := newTestTelemetry(t, func(*Config) {})
	tel.requestFinished(kpl.RequestEvent{Stream: testStream, Code: kpl.CodeTimeout, Entries: []kpl.FinishedEntry{
		{UserRecords: 3, Code: kpl.CodeTimeout}, {UserRecords: 2, Code: kpl.CodeTimeout},
	}})
	assert.Equal(t, 1, r.sum(t, "errors_by_code", "error_code", kpl.CodeTimeout))
	assert.Equal(t, 2, r.sum(t, "kinesis_records_put", "outcome", "failure"))
	assert.EqualValues(t, 5, histogram[int64](t, r, "user_records_per_kinesis_record").Sum)
}

// Shards are attributes only if the configuration says so.
func TestShardAttribute(t *testing.T) {
	request := kpl.RequestEvent{Stream: testStream, Entries: []kpl.FinishedEntry{
		{UserRecords: 1, Bytes: 10, PredictedShard: "shardId-0", ShardID: "shardId-1"},
		{UserRecords: 1, Bytes: 20, PredictedShard: "shardId-2", Code: kpltest.CodeThrottled},
		{UserRecords: 1, Bytes: 40, Code: kpltest.CodeThrottled},
	}}
	exact := metricdatatest.IgnoreTimestamp()
	t.Run("on", func(t *testing.T) {
		tel, r := newTestTelemetry(t, func(c *Config) { c.Telemetry.ShardAttribute = true })
		tel.requestFinished(request)
		metadatatest.AssertEqualKinesisKplKinesisRecordsPut(t, r.telemetry, points{
			streamPoint(1, "outcome", "success", "shard", "shardId-1"),
			streamPoint(1, "outcome", "failure", "shard", "shardId-2"),
			streamPoint(1, "outcome", "failure"),
		}, exact)
		metadatatest.AssertEqualKinesisKplKinesisRecordsDataPut(t, r.telemetry,
			points{streamPoint(10, "shard", "shardId-1")}, exact)
		metadatatest.AssertEqualKinesisKplErrorsByCode(t, r.telemetry, points{
			streamPoint(1, "error_code", kpltest.CodeThrottled, "shard", "shardId-2"),
			streamPoint(1, "error_code", kpltest.CodeThrottled),
		}, exact)
	})
	t.Run("off", func(t *testing.T) {
		tel, r := newTestTelemetry(t, func(*Config) {})
		tel.requestFinished(request)
		metadatatest.AssertEqualKinesisKplKinesisRecordsPut(t, r.telemetry, points{
			streamPoint(1, "outcome", "success"), streamPoint(2, "outcome", "failure"),
		}, exact)
		metadatatest.AssertEqualKinesisKplErrorsByCode(t, r.telemetry,
			points{streamPoint(2, "error_code", kpltest.CodeThrottled)}, exact)
	})
}

func TestFlushesAndRefreshes(t *testing.T) {
	tel, r := newTestTelemetry(t, func(*Config) {})
	tel.flushed(kpl.FlushEvent{Stream: testStream, Stage: kpl.StageAggregator, Reason: kpl.FlushSize})
	tel.flushed(kpl.FlushEvent{Stream: testStream, Stage: kpl.StageAggregator, Reason: kpl.FlushSize})
	tel.flushed(kpl.FlushEvent{Stream: testStream, Stage: kpl.StageCollector, Reason: kpl.FlushRequest})
	tel.shardsListed(kpl.ListingEvent{Stream: testStream, OpenShards: 4})
	tel.shardsListed(kpl.ListingEvent{Stream: testStream, Err: errors.New("denied")})
	exact := metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualKinesisKplFlushes(t, r.telemetry, points{
		streamPoint(2, "stage", "aggregator", "reason", "size"),
		streamPoint(1, "stage", "collector", "reason", "request"),
	}, exact)
	metadatatest.AssertEqualKinesisKplShardMapRefreshes(t, r.telemetry, points{
		streamPoint(1, "outcome", "success"), streamPoint(1, "outcome", "failure"),
	}, exact)
	metadatatest.AssertEqualKinesisKplOpenShards(t, r.telemetry, points{streamPoint(4)}, exact)
}

// Neither payload nor credentials are ever logged, whatever happens.
func TestLogsHaveNoPayload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), directConfig()
		odd := kpltest.FailRecords(kpltest.CodeInvalidArgument, func(types.PutRecordsRequestEntry) bool { return true })
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, odd))
		k.Inject(kpltest.ForOperation(kpltest.OpListShards, kpltest.FailCall(kpltest.CodeAccessDenied)))
		c.PartitionKey.ResourceAttributes = nil
		c.PartitionKey.Static = "secret-key"
		e := startLogs(t, k, c)
		require.Error(t, e.ConsumeLogs(t.Context(), logsOf("secret-body")))
		e.stop(t)
		require.NotZero(t, e.logs.Len())
		for _, entry := range e.logs.All() {
			for key, value := range entry.ContextMap() {
				assert.NotContains(t, fmt.Sprint(value), "secret", "%s of %q", key, entry.Message)
			}
		}
	})
}
