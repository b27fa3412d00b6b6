// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

func TestStats(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	s := newStats(now)
	s.kinesisRecord("b", 100)
	s.userRecord("b", otlp{items: 5, plain: 60}, 30)
	s.userRecord("b", otlp{}, 30)
	s.polled("b", 1500*time.Millisecond)
	s.kinesisRecord("a", 20)
	s.userRecord("a", otlp{items: 1, plain: 30}, 10)
	s.polled("a", 0)
	now = now.Add(2 * time.Second)
	assert.Equal(t, statsLine{
		Type: "stats", Time: now, Seconds: 2,
		Total: rates{
			KinesisRecords: 1, UserRecords: 1.5, Items: 3, Bytes: 60, AggregationRatio: 1.5, CompressionRatio: 120. / 70, LagMillis: 1500,
		},
		Shards: []shardRates{
			{"a", rates{KinesisRecords: 0.5, UserRecords: 0.5, Items: 0.5, Bytes: 10, AggregationRatio: 1, CompressionRatio: 3}},
			{"b", rates{
				KinesisRecords: 0.5, UserRecords: 1, Items: 2.5, Bytes: 50, AggregationRatio: 2, CompressionRatio: 1.5, LagMillis: 1500,
			}},
		},
	}, s.take(now))

	s.ended("b")
	now = now.Add(4 * time.Second)
	want := statsLine{Type: "stats", Time: now, Seconds: 4, Shards: []shardRates{{Shard: "a"}, {Shard: "b"}}}
	assert.Equal(t, want, s.take(now), "an interval without records")
	assert.Equal(t, []shardRates{{Shard: "a"}}, s.take(now).Shards, "a shard that has ended is gone")
}

func TestStatsAsText(t *testing.T) {
	line := statsLine{Time: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Seconds: 5, Shards: []shardRates{
		{hostile, rates{
			KinesisRecords: 1.25, UserRecords: 10, Items: 100, Bytes: 2500, AggregationRatio: 8, CompressionRatio: 2.5, LagMillis: 1500,
		}},
	}}
	var out bytes.Buffer
	require.NoError(t, line.writeText(&out, "telemetry\x1b"))
	assertVisible(t, out.String())
	got := lines(&out)
	assert.Equal(t, `telemetry\x1b at 2026-01-31T12:00:00Z, rates of the last 5 s`, got[0])
	assert.Equal(t, []string{
		"SHARD", "RECORDS/S", "USER", "RECORDS/S", "ITEMS/S", "KB/S", "AGGREGATION", "COMPRESSION", "LAG",
	}, strings.Fields(got[2]))
	assert.Regexp(t, `1\.2 +10\.0 +100\.0 +2\.5 +8\.0 +2\.5 +1\.5s$`, got[3])
	assert.Regexp(t, `all +0\.0 .* 0s$`, got[4])
}

// Each interval has a line, also without records. A reader that is held up lags, and then catches up.
func TestStatsOfAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const interval = 5 * time.Second
		k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
		logs := must(t)(new(plog.ProtoMarshaler).MarshalLogs(twoLogs()))
		var out bytes.Buffer
		tail := newTail(options{stream: stream, format: formatJSON, stats: true}, &out)
		r := newReader(k)
		r.from, r.follow, r.interval = start{latest: true}, true, interval
		r.tick = func(now time.Time) error { return tail.showStats(now, &out) }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		began := time.Now()
		go func() { done <- r.read(ctx, tail.handle) }()
		synctest.Wait()
		putData(t, k, lowestHashKey, aggregate("7", logs, logs))
		pause(t, interval+interval/2)
		_, _, err := k.SplitShard(stream, "shardId-000000000000", "")
		require.NoError(t, err)
		pause(t, 2*interval)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)

		got := lines(&out)
		require.Len(t, got, 3)
		var line statsLine
		require.NoError(t, json.Unmarshal([]byte(got[0]), &line))
		assert.Equal(t, "stats", line.Type)
		assert.True(t, line.Time.Equal(began.Add(interval)))
		assert.InDelta(t, 5, line.Seconds, 0)
		require.Len(t, line.Shards, 1)
		assert.InDelta(t, 0.2, line.Total.KinesisRecords, 1e-9)
		assert.InDelta(t, 0.4, line.Total.UserRecords, 1e-9)
		assert.InDelta(t, 0.8, line.Total.Items, 1e-9)
		assert.InDelta(t, 2, line.Shards[0].AggregationRatio, 1e-9)
		assert.InDelta(t, 1, line.Shards[0].CompressionRatio, 1e-9)

		require.NoError(t, json.Unmarshal([]byte(got[1]), &line))
		assert.Len(t, line.Shards, 3, "the parent ended in this interval")
		require.NoError(t, json.Unmarshal([]byte(got[2]), &line))
		assert.Len(t, line.Shards, 2)
		assert.Zero(t, line.Total.KinesisRecords)
	})
}

// The lag is what the service says.
func TestStatsShowLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
		large := make([]byte, 1<<20-2)
		for range 11 { // one more than an answer has room for
			putData(t, k, lowestHashKey, large)
		}
		gap(t)
		var lags []time.Duration
		require.NoError(t, newReader(k).read(t.Context(), func(b batch) error {
			lags = append(lags, b.lag)
			return nil
		}))
		assert.Equal(t, []time.Duration{time.Second, 0, 0}, lags)
	})
}

func TestRunShowsStatsUntilInterrupted(t *testing.T) {
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
	flags := append(serve(t, k), "-stream", stream, "-stats", "-interval", "1s")
	for format, want := range map[string]string{formatJSON: `{"type":"stats",`, formatText: "SHARD"} {
		ctx, interrupt := context.WithCancel(t.Context())
		out := &notifying{want: want, seen: make(chan struct{})}
		done := make(chan error)
		go func() { done <- run(ctx, append(flags, "-format", format), out, out) }()
		<-out.seen
		interrupt()
		require.NoError(t, <-done)
		assert.NotContains(t, out.String(), clearScreen, "this is no terminal")
		assert.NotContains(t, out.String(), `"type":"record"`)
	}
}

// notifying is an output that tells when it has a text.
type notifying struct {
	bytes.Buffer
	want string
	seen chan struct{} // closed when it is there
	told bool
}

func (n *notifying) Write(p []byte) (int, error) {
	size, err := n.Buffer.Write(p)
	if !n.told && strings.Contains(n.String(), n.want) {
		n.told = true
		close(n.seen)
	}
	return size, err
}

func TestStatsOptions(t *testing.T) {
	now := time.Now()
	o, err := parseOptions([]string{"-stream", "s", "-stats"}, new(bytes.Buffer), now)
	require.NoError(t, err)
	assert.True(t, o.follow)
	assert.True(t, o.from.latest)
	assert.Equal(t, defaultInterval, o.interval)
	o, err = parseOptions([]string{"-stream", "s", "-stats", "-from", "horizon"}, new(bytes.Buffer), now)
	require.NoError(t, err)
	assert.False(t, o.from.latest)
}
