// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go/logging"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// One line at the start says what is written to, and one when the shards are known.
func TestStartIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(3)
		r := newRig(t, markedFactory(k.Handler()), directConfig())
		require.NoError(t, r.Start(t.Context(), r.host))
		lines := r.logs.FilterMessageSnippet("Started").All()
		require.Len(t, lines, 1)
		assert.Equal(t, map[string]any{
			"stream": testStream, "region": "us-east-1", "endpoint": "https://kinesis.invalid", "wire_protocol": "auto",
		}, lines[0].ContextMap())
		assert.Empty(t, r.logs.FilterMessage("The shards of the stream are known").All())

		require.NoError(t, r.ConsumeLogs(t.Context(), logsOf("a")))
		pass(time.Minute)
		require.NoError(t, r.ConsumeLogs(t.Context(), logsOf("a")))
		r.stop(t)
		lines = r.logs.FilterMessage("The shards of the stream are known").All()
		require.Len(t, lines, 1, "the first time only")
		assert.EqualValues(t, 3, lines[0].ContextMap()["open_shards"])
	})
}

// Without an endpoint of its own, the client calls that of the region.
func TestStartWithTheEndpointOfTheRegion(t *testing.T) {
	tel, _ := newTestTelemetry(t, func(*Config) {})
	core, logs := observer.New(zap.InfoLevel)
	tel.log = zap.New(core)
	tel.started(kinesis.New(kinesis.Options{Region: "eu-west-1"}), directConfig())
	tel.started((*kpltest.Kinesis)(nil), directConfig())
	require.Equal(t, 2, logs.Len())
	assert.Equal(t, "of the region", logs.All()[0].ContextMap()["endpoint"])
	assert.NotContains(t, logs.All()[1].ContextMap(), "region")
}

// Channels hand over records as they are. The log says so once, if the records are packed.
func TestChannelsAreLogged(t *testing.T) {
	const start = "The stream has channels"
	for name, test := range map[string]struct {
		tune func(*Config)
		want int
	}{
		"aggregated": {func(c *Config) { c.Producer.AggregationFormat = kpl.AggregationKPL }, 2},
		"compressed": {func(c *Config) { c.Compression = marshaler.Gzip }, 2},
		"plain":      {func(*Config) {}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tel, _ := newTestTelemetry(t, test.tune)
			core, logs := observer.New(zap.DebugLevel)
			tel.streams.of(testStream).log = zap.New(core)
			for _, channels := range []int{0, 2, 2, 0, 1} {
				tel.streamDescribed(kpl.DescriptionEvent{Stream: testStream, Channels: channels})
			}
			assert.Equal(t, test.want, logs.Len())
			for _, line := range logs.All() {
				assert.Contains(t, line.Message, start)
			}
		})
	}
}

// A wrong name in resource_attributes sends everything to one shard. The log says so until some resource has the attribute.
func TestWrongNameOfAnAttributeIsLogged(t *testing.T) {
	const warning = "Nothing has had any of the attributes or metadata keys in partition_key yet, so all data goes to one shard"
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), directConfig()
		c.PartitionKey.ResourceAttributes = []string{"service_name"}
		e := startLogs(t, k, c)
		for range 100 {
			require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a", "b")))
		}
		lines := e.logs.FilterMessage(warning).All()
		require.NotEmpty(t, lines)
		assert.Less(t, len(lines), 4, "once in ten seconds")
		assert.Equal(t, []any{"service_name"}, lines[0].ContextMap()["resource_attributes"])
		right := logsOf("a")
		right.ResourceLogs().At(0).Resource().Attributes().PutStr("service_name", "a")
		require.NoError(t, e.ConsumeLogs(t.Context(), right))
		count := e.logs.FilterMessage(warning).Len()
		pass(time.Minute)
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
		assert.Equal(t, count, e.logs.FilterMessage(warning).Len(), "the name is right, this resource only lacks it")
		e.stop(t)
	})
}

// What the SDK has to say is in the log of the Collector, by its level.
func TestSDKLogsThroughTheCollector(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	sdkLogger{zap.New(core)}.Logf(logging.Warn, "%s is odd", "this")
	sdkLogger{zap.New(core)}.Logf(logging.Debug, "detail")
	require.Equal(t, 2, logs.Len())
	assert.Equal(t, zapcore.WarnLevel, logs.All()[0].Level)
	assert.Equal(t, "this is odd", logs.All()[0].ContextMap()["text"])
	assert.Equal(t, zapcore.DebugLevel, logs.All()[1].Level)

	c := directConfig()
	client, closeIdle, err := connect(t.Context(), c, zap.New(core))
	require.NoError(t, err)
	defer closeIdle()
	options := client.(interface{ Options() kinesis.Options }).Options()
	options.Logger.Logf(logging.Warn, "by the client")
	assert.Equal(t, "by the client", logs.All()[2].ContextMap()["text"])
}

// droppingCore is a core that notes which attributes of the Collector it was asked to drop.
type droppingCore struct {
	zapcore.Core

	dropped *[]string
}

func (c droppingCore) DropInjectedAttributes(names ...string) zapcore.Core {
	*c.dropped = names
	return c.Core
}

// Lines of the session do not have the signal that happened to start first.
func TestSessionLogHasNoSignal(t *testing.T) {
	var dropped []string
	core, logs := observer.New(zap.InfoLevel)
	withoutSignal(zap.New(droppingCore{core, &dropped})).Info("a line")
	assert.Equal(t, []string{signalAttribute}, dropped)
	withoutSignal(zap.New(core)).Info("another")
	assert.Equal(t, 2, logs.Len())
}

// A value that is no hash key costs nothing but its place. The log says how many items had one.
func TestInvalidHashKeysAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(2), directConfig()
		c.PartitionKey = PartitionKeyConfig{ExplicitHashKeyAttribute: "place"}
		e := startLogs(t, k, c)
		logs := logsOf("a", "b", "c")
		logs.ResourceLogs().At(0).Resource().Attributes().PutStr("place", "7")
		logs.ResourceLogs().At(1).Resource().Attributes().PutStr("place", "secret")
		require.NoError(t, e.ConsumeLogs(t.Context(), logs))
		lines := e.logs.FilterMessageSnippet("Sent telemetry without its explicit hash key").All()
		require.Len(t, lines, 1)
		fields := lines[0].ContextMap()
		assert.EqualValues(t, 1, fields["items"])
		assert.Equal(t, "place", fields["explicit_hash_key_attribute"])
		assert.NotContains(t, fmt.Sprint(fields), "secret")
		assert.ElementsMatch(t, []string{"a", "b", "c"}, storedBodies(t, k))
		placed := 0
		for _, record := range k.Records(testStream) {
			if record.ExplicitHashKey == "7" {
				assert.Equal(t, "7", record.PartitionKey)
				placed++
			}
		}
		assert.Equal(t, 1, placed)
		e.stop(t)
	})
}
