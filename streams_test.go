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
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadatatest"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

const streamAttribute = "kinesis.stream"

// routedConfig returns a configuration whose data may name the streams a, b and those that begin with team-.
func routedConfig() *Config {
	c := directConfig()
	c.PartitionKey = PartitionKeyConfig{}
	c.Producer = newDefaultProducerConfig()
	c.Streams = StreamsConfig{FromResourceAttribute: streamAttribute, Allowed: []string{"a", "b", "team-*"}, MaxLive: 3}
	return c
}

// kinesisWith returns a service with streams of one shard.
func kinesisWith(names ...string) *kpltest.Kinesis {
	var streams []kpltest.Stream
	for _, name := range names {
		streams = append(streams, kpltest.Stream{Name: name, Shards: 1})
	}
	return kpltest.New(kpltest.Config{Seed: 1}, streams...)
}

// logsNaming returns a log record for each name of a stream, with the name and the suffix as its body. An empty name names none.
func logsNaming(suffix string, names ...string) plog.Logs {
	logs := plog.NewLogs()
	for _, name := range names {
		resource := logs.ResourceLogs().AppendEmpty()
		if name != "" {
			resource.Resource().Attributes().PutStr(streamAttribute, name)
		}
		resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(name + suffix)
	}
	return logs
}

// clientWith returns a context of a client that has sent metadata.
func clientWith(ctx context.Context, key, value string) context.Context {
	return client.NewContext(ctx, client.Info{Metadata: client.NewMetadata(map[string][]string{key: {value}})})
}

func TestAllowedStreams(t *testing.T) {
	c := &StreamsConfig{Allowed: []string{"a", "team-*", "*.eu"}}
	for name, want := range map[string]bool{
		"a": true, "b": false, "": false, "team-": true, "team-x": true, "team-x/y": false, "team-ü": false, "x.eu": true, ".eu": true,
		"arn:aws:kinesis:us-east-1:123456789012:stream/a": false,
	} {
		assert.Equal(t, want, c.allows(name), name)
	}
}

func TestLiveStreams(t *testing.T) {
	c := defaultConfig()
	c.AWS.StreamARN = "arn:aws:kinesis:us-east-1:123456789012:stream/telemetry"
	c.Streams = StreamsConfig{FromMetadataKey: "x", Allowed: []string{"*"}, MaxLive: 2}
	live, start := newLiveStreams(c), time.Unix(0, 0)
	arnOf := func(name string) string { return "arn:aws:kinesis:us-east-1:123456789012:stream/" + name }
	for _, step := range []struct {
		after  time.Duration
		name   string
		want   string
		forget string
	}{
		{0, "a", arnOf("a"), ""},
		{0, "b", arnOf("b"), ""},
		{0, "c", tooManyLive, ""},
		{0, "a", arnOf("a"), ""},
		{0, "no name", notAllowed, ""},
		{time.Minute, "c", tooManyLive, "b"},
		{time.Minute, "c", arnOf("c"), ""},                   // it has the place of b
		{unsentTime, "d", tooManyLive, ""},                   // a was named at the beginning, at 0
		{unsentTime + time.Millisecond, "d", arnOf("d"), ""}, // no record for a has reached the producer
	} {
		assert.Equal(t, step.want, live.named(step.name, start.Add(step.after)), "%v %s", step.after, step.name)
		if step.forget != "" {
			assert.True(t, live.forget(arnOf(step.forget)))
			assert.False(t, live.forget(arnOf(step.forget)), "it is forgotten already")
		}
	}
	assert.Equal(t, 2, live.count())
}

// Data goes to the stream that its resource names, else to that of its client, else to that of its signal. What names a stream
// that is not allowed, or one too many, is not lost, and is counted.
func TestDataNamesItsStream(t *testing.T) {
	for name, tune := range map[string]func(*Config){
		"without a queue":  func(*Config) {},
		"queue":            func(c *Config) { c.Queue = defaultConfig().Queue },
		"keys":             func(c *Config) { c.PartitionKey.ResourceAttributes = []string{"service.name"} },
		"small, merged":    func(c *Config) { c.Queue, c.Compression = defaultConfig().Queue, marshaler.Zstd },
		"JSON":             func(c *Config) { c.Encoding = marshaler.OTLPJSON },
		"fire and forget":  func(c *Config) { c.Queue, c.Delivery = defaultConfig().Queue, FireAndForget },
		"one record each":  func(c *Config) { c.Producer.AggregationFormat = kpl.AggregationNone },
		"concatenated":     func(c *Config) { c.Producer.AggregationFormat = kpl.AggregationConcatenated },
		"callers wait":     func(c *Config) { c.Queue = defaultConfig().Queue; c.Queue.Get().WaitForResult = true },
		"batches of users": func(c *Config) { c.Queue = defaultConfig().Queue; c.Queue.Get().Batch.GetOrInsertDefault() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, c := kinesisWith(testStream, "a", "b", "team-x", "team-y"), routedConfig()
				tune(c)
				c.Streams.FromMetadataKey = "X-Stream"
				e := startLogs(t, k, c)
				require.NoError(t, e.ConsumeLogs(t.Context(), logsNaming("1", "a", "", "b", "a", "c", "team-x", "team-y")))
				fromClient := clientWith(t.Context(), "x-stream", "b")
				require.NoError(t, e.ConsumeLogs(fromClient, logsNaming("2", "", "a")))
				require.NoError(t, e.ConsumeLogs(clientWith(t.Context(), "x-stream", "c"), logsNaming("3", "")))
				e.stop(t)
				assert.ElementsMatch(t, []string{"a1", "a1", "a2"}, storedIn(t, k, "a"))
				assert.ElementsMatch(t, []string{"b1", "2"}, storedIn(t, k, "b"))
				assert.ElementsMatch(t, []string{"team-x1"}, storedIn(t, k, "team-x"))
				assert.ElementsMatch(t, []string{"1", "c1", "team-y1", "3"}, storedBodies(t, k))
				assert.Empty(t, k.Records("team-y"))
				assert.Equal(t, 2, e.sum(t, "items_not_routed", "reason", "not_allowed"), "c1 and 3")
				assert.Equal(t, 1, e.sum(t, "items_not_routed", "reason", "too_many_live"), "team-y1 would be the fourth stream")
				assert.Positive(t, e.sum(t, "user_records_put", "stream", "b", "outcome", "success"))
				assert.Zero(t, e.sum(t, "user_records_put", "stream", "team-y"))
			})
		})
	}
}

// A place among the live streams is free again when the producer has closed an idle stream. Then nothing is left of the stream.
func TestIdleStreamsGiveTheirPlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := kinesisWith(testStream, "team-0", "team-1", "team-2", "team-3"), routedConfig()
		c.Streams.MaxLive = 1
		e := startLogs(t, k, c)
		for i := range 4 {
			name := fmt.Sprint("team-", i)
			require.NoError(t, e.ConsumeLogs(t.Context(), logsNaming("", name)))
			require.NoError(t, e.ConsumeLogs(t.Context(), logsNaming("", fmt.Sprint("team-", i+10))))
			assert.Equal(t, []string{name}, storedIn(t, k, name))
			advance(kpl.StreamIdleTime - time.Second)
			require.NoError(t, e.ConsumeLogs(t.Context(), logsNaming("", fmt.Sprint("team-", i+10))))
			assert.Equal(t, 2*(i+1), e.sum(t, "items_not_routed"))
			advance(2 * time.Second)
		}
		session := e.Logs.(*logsExporter).session
		assert.Zero(t, session.live.count())
		assert.Len(t, *session.telemetry.streams.all.Load(), 1, "that of the signal")
		e.stop(t)
	})
}

// An outage of one stream holds up only its own data. The status names the stream, and forgets it when nobody uses it any more.
func TestOneStreamOfSeveralIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := kinesisWith(testStream, "a"), routedConfig()
		c.Queue = defaultConfig().Queue
		c.Queue.Get().QueueSize = 2 << 20
		c.Retry.Enabled, c.Retry.MaxElapsedTime = true, 4*time.Minute
		e := startLogs(t, k, c)
		body := string(make([]byte, 10_000))
		accepted, rounds, over := 0, 3000, 0
		for i := range rounds {
			for _, name := range []string{"a", "b", ""} {
				err := e.ConsumeLogs(t.Context(), logsNaming(fmt.Sprint(i)+body, name))
				if err == nil {
					accepted++
					continue
				}
				require.ErrorContains(t, err, "stream b takes less than there is for it")
				require.Equal(t, "b", name, "only data for the missing stream is not accepted")
				over++
			}
			advance(100 * time.Millisecond)
		}
		assert.Len(t, storedIn(t, k, "a"), rounds)
		assert.Len(t, storedBodies(t, k), rounds)
		assert.Positive(t, over, "it does not fill the queue")
		last := e.host.last()
		assert.Equal(t, componentstatus.StatusRecoverableError, last.Status())
		require.ErrorContains(t, last.Err(), "stream b: ")
		assert.ErrorContains(t, last.Err(), "ResourceNotFoundException")

		advance(c.Retry.MaxElapsedTime + kpl.StreamIdleTime + time.Minute)
		assert.Equal(t, componentstatus.StatusOK, e.host.last().Status())
		e.stop(t)
		assert.Equal(t, accepted, helperItems(t, e, "sent")+helperItems(t, e, "send_failed"))
	})
}

// A storage keeps the metadata of clients, so data from it finds its stream too.
func TestStoredDataNamesItsStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := kinesisWith(testStream, "a", "b"), routedConfig()
		c.Streams.FromMetadataKey = "x-stream"
		c.Queue = defaultConfig().Queue
		e := startStoredAs(t, k, newMemoryStorage(), c)
		require.NoError(t, e.ConsumeLogs(clientWith(t.Context(), "x-stream", "b"), logsNaming("1", "", "a")))
		advance(time.Second)
		e.stop(t)
		assert.Equal(t, []string{"a1"}, storedIn(t, k, "a"))
		assert.Equal(t, []string{"1"}, storedIn(t, k, "b"))
	})
}

// Each signal has a stream, an encoding and keys of its own, and all of them share a producer.
func TestSignalsHaveTheirOwnStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := kinesisWith("logs", "spans", "points"), directConfig()
		c.AWS.StreamName = ""
		c.Logs = SignalConfig{StreamName: "logs", Encoding: marshaler.OTLPJSON}
		c.Traces = SignalConfig{
			StreamName: "spans", PartitionKey: configoptional.Some(PartitionKeyConfig{Static: "spans"}),
		}
		c.Metrics = SignalConfig{StreamName: "points", PartitionKey: configoptional.Some(PartitionKeyConfig{})}
		f, ctx := factoryFor(k), t.Context()
		e := newRig(t, f, c)
		traces, err := f.CreateTraces(ctx, metadatatest.NewSettings(e.telemetry), c)
		require.NoError(t, err)
		metrics, err := f.CreateMetrics(ctx, metadatatest.NewSettings(e.telemetry), c)
		require.NoError(t, err)
		require.NoError(t, e.Start(ctx, e.host))
		require.NoError(t, traces.Start(ctx, e.host))
		require.NoError(t, metrics.Start(ctx, e.host))
		assert.Same(t, e.Logs.(*logsExporter).session, traces.(*tracesExporter).session)

		spans, points := ptrace.NewTraces(), pmetric.NewMetrics()
		spans.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("span")
		gauge := points.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge()
		gauge.DataPoints().AppendEmpty().SetIntValue(7)
		require.NoError(t, e.ConsumeLogs(ctx, logsOf("body")))
		require.NoError(t, traces.ConsumeTraces(ctx, spans))
		require.NoError(t, metrics.ConsumeMetrics(ctx, points))
		for _, stop := range []interface{ Shutdown(context.Context) error }{e, traces, metrics} {
			require.NoError(t, stop.Shutdown(context.WithoutCancel(ctx)))
		}
		assert.Equal(t, []string{"body"}, storedIn(t, k, "logs"))
		assert.Equal(t, byte('{'), k.Records("logs")[0].Data[0])
		require.Len(t, k.Records("spans"), 1)
		assert.Equal(t, "spans", k.Records("spans")[0].PartitionKey)
		require.Len(t, k.Records("points"), 1)
		assert.Len(t, k.Records("points")[0].PartitionKey, marshaler.KeylessKeySize)
		assert.Equal(t, 1, e.sum(t, "user_records_put", "stream", "points"))
	})
}

// A signal without a stream is an error when its exporter is made.
func TestSignalWithoutAStream(t *testing.T) {
	c := defaultConfig()
	c.Logs.StreamName = "logs"
	require.NoError(t, c.Validate())
	f := factoryFor(newTestKinesis(1))
	_, err := f.CreateTraces(t.Context(), metadatatest.NewSettings(newRig(t, f, c).telemetry), c)
	require.ErrorContains(t, err, "kinesis_kpl: traces have no stream: set traces::stream_name, or aws::stream_name for all signals")
}
