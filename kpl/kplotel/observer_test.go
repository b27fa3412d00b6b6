// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kplotel

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// metrics are what a test's provider was told.
type metrics struct {
	provider *sdkmetric.MeterProvider
	reader   *sdkmetric.ManualReader
}

func newMetrics() metrics {
	reader := sdkmetric.NewManualReader()
	return metrics{sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), reader}
}

// of returns the data of a metric.
func (m metrics) of(t *testing.T, name string) metricdata.Aggregation {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, m.reader.Collect(context.Background(), &all))
	require.Len(t, all.ScopeMetrics, 1)
	for _, one := range all.ScopeMetrics[0].Metrics {
		if one.Name == prefix+name {
			return one.Data
		}
	}
	return nil
}

// sums returns a counter's or gauge's values, by their attributes.
func (m metrics) sums(t *testing.T, name string) map[string]int64 {
	t.Helper()
	var points []metricdata.DataPoint[int64]
	switch data := m.of(t, name).(type) {
	case metricdata.Sum[int64]:
		points = data.DataPoints
	case metricdata.Gauge[int64]:
		points = data.DataPoints
	}
	values := map[string]int64{}
	for _, p := range points {
		values[p.Attributes.Encoded(attribute.DefaultEncoder())] = p.Value
	}
	return values
}

// with is the attributes of a stream, and more as keys and values by turns.
func with(stream string, more ...string) string {
	all := []attribute.KeyValue{attribute.String("stream", stream)}
	for i := 0; i < len(more); i += 2 {
		all = append(all, attribute.String(more[i], more[i+1]))
	}
	set := attribute.NewSet(all...)
	return set.Encoded(attribute.DefaultEncoder())
}

type values = map[string]int64

// What a producer does is in the metrics: successes, a retry, a rejection, and two streams apart.
func TestMetricsOfAProducer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{},
			kpltest.Stream{Name: "logs", Shards: 2}, kpltest.Stream{Name: "clicks", Shards: 1})
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(30*time.Millisecond)))
		k.Inject(kpltest.Times(1, kpltest.FailRecords(kpltest.CodeThrottled, func(e types.PutRecordsRequestEntry) bool {
			return string(e.Data) == "slow"
		})))
		k.Inject(kpltest.FailRecords(kpltest.CodeInvalidArgument, func(e types.PutRecordsRequestEntry) bool {
			return string(e.Data) == "odd"
		}))
		m := newMetrics()
		observer, err := NewObserver(m.provider)
		require.NoError(t, err)
		p, err := kpl.New(k, kpl.Config{Observer: observer, AggregationFormat: kpl.AggregationNone})
		require.NoError(t, err)
		registration, err := RegisterStats(m.provider, p.Stats)
		require.NoError(t, err)
		put := func(stream, data string) {
			require.NoError(t, p.Put(t.Context(), kpl.UserRecord{Stream: stream, PartitionKey: "key", Data: []byte(data)}, nil))
		}
		for _, data := range []string{"good", "slow", "odd"} {
			put("logs", data)
		}
		put("arn:aws:kinesis:us-east-1:000000000000:stream/clicks", "click")
		assert.Equal(t, values{"": 4}, m.sums(t, "user_records_pending"))
		assert.Equal(t, values{"": 4*3 + 4 + 4 + 3 + 5}, m.sums(t, "user_records_data_pending"))
		require.NoError(t, p.Close(t.Context()))

		assert.Equal(t, values{"": 4}, m.sums(t, "user_records_received"))
		assert.Equal(t, values{"": 0}, m.sums(t, "user_records_pending"))
		assert.Equal(t, values{
			with("logs", "outcome", "success"):   2,
			with("logs", "outcome", "rejected"):  1,
			with("clicks", "outcome", "success"): 1,
		}, m.sums(t, "user_records_put"))
		assert.Equal(t, values{with("logs"): 8, with("clicks"): 5}, m.sums(t, "user_records_data_put"))
		assert.Equal(t, values{
			with("logs", "outcome", "success"):   2,
			with("logs", "outcome", "failure"):   2,
			with("clicks", "outcome", "success"): 1,
		}, m.sums(t, "kinesis_records_put"))
		assert.Equal(t, values{
			with("logs", "error_code", kpltest.CodeThrottled):       1,
			with("logs", "error_code", kpltest.CodeInvalidArgument): 1,
		}, m.sums(t, "errors_by_code"))
		assert.Equal(t, values{with("logs"): 2, with("clicks"): 1}, m.sums(t, "put_units"))
		assert.Equal(t, values{with("logs"): 2, with("clicks"): 1}, m.sums(t, "open_shards"))
		assert.Equal(t, values{
			with("logs", "outcome", "success"): 1, with("clicks", "outcome", "success"): 1,
		}, m.sums(t, "shard_map_refreshes"))
		retries := m.of(t, "retries_per_record").(metricdata.Histogram[int64])
		require.Len(t, retries.DataPoints, 2)
		assert.EqualValues(t, 1, retries.DataPoints[0].Sum+retries.DataPoints[1].Sum)
		assert.EqualValues(t, 4, retries.DataPoints[0].Count+retries.DataPoints[1].Count)
		request := m.of(t, "request_time").(metricdata.Histogram[float64])
		for _, point := range request.DataPoints {
			assert.InDelta(t, 0.03*float64(point.Count), point.Sum, 1e-9)
		}
		require.NoError(t, registration.Unregister())
	})
}

// Streams and error codes cannot make time series without end.
func TestTimeSeriesAreBounded(t *testing.T) {
	m := newMetrics()
	observer, err := NewObserver(m.provider)
	require.NoError(t, err)
	for i := range 2 * maxStreams {
		stream := fmt.Sprint("stream-", i)
		observer.ShardsListed(kpl.ListingEvent{Stream: stream, Err: errors.New("denied")})
		observer.RequestFinished(kpl.RequestEvent{Stream: stream, Code: fmt.Sprint("Odd", i)})
	}
	got := m.sums(t, "shard_map_refreshes")
	assert.Len(t, got, maxStreams+1)
	assert.EqualValues(t, 1, got[with(fmt.Sprint("stream-", maxStreams-1), "outcome", "failure")])
	assert.EqualValues(t, maxStreams, got[with("other", "outcome", "failure")])
	codes := m.sums(t, "errors_by_code")
	assert.Len(t, codes, maxStreams+1)
	assert.EqualValues(t, maxStreams, codes[with("other", "error_code", "other")])
}

// Events of many streams come from many goroutines.
func TestEventsAtTheSameTime(t *testing.T) {
	m := newMetrics()
	observer, err := NewObserver(m.provider)
	require.NoError(t, err)
	var telling sync.WaitGroup
	for range 8 {
		telling.Go(func() {
			for i := range 200 {
				stream := fmt.Sprint("stream-", i%50)
				observer.Flushed(kpl.FlushEvent{Stream: stream, Stage: kpl.StageCollector, Reason: kpl.FlushSize})
				observer.Misplaced(kpl.MisplacedEvent{Stream: stream, Entry: kpl.FinishedEntry{Code: kpl.CodeWrongShard}})
			}
		})
	}
	telling.Wait()
	for i := range 50 {
		stream := fmt.Sprint("stream-", i)
		assert.EqualValues(t, 32, m.sums(t, "flushes")[with(stream, "stage", "collector", "reason", "size")])
		assert.EqualValues(t, 32, m.sums(t, "errors_by_code")[with(stream, "error_code", kpl.CodeWrongShard)])
	}
}

// failing is a provider whose meter makes no instrument.
type failing struct{ noop.MeterProvider }

type failingMeter struct{ noop.Meter }

func (failing) Meter(string, ...metric.MeterOption) metric.Meter { return failingMeter{} }

var errNoInstrument = errors.New("no instrument")

func (failingMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, errNoInstrument
}

func (failingMeter) Int64ObservableGauge(
	string, ...metric.Int64ObservableGaugeOption,
) (metric.Int64ObservableGauge, error) {
	return nil, errNoInstrument
}

func TestErrorsOfTheProvider(t *testing.T) {
	_, err := NewObserver(failing{})
	require.ErrorIs(t, err, errNoInstrument)
	_, err = RegisterStats(failing{}, func() kpl.Stats { return kpl.Stats{} })
	require.ErrorIs(t, err, errNoInstrument)
}
