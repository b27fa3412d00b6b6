// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// keyed is an override that gives records partition keys, so that each record belongs to one shard.
const keyed = "exporters::kinesis_kpl::partition_key::resource_attributes: [service.name]"

// TestReshardUnderLoad splits every shard of a stream and merges all of them again while records arrive.
func TestReshardUnderLoad(t *testing.T) {
	t.Parallel()
	const moved = 20 // Kinesis records between two changes
	for name, overrides := range map[string][]string{"keyless": nil, "keyed": {keyed}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := peers.Context(t)
			s := newService(t, kpltest.Config{}, 2)
			s.up(t)
			s.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(20*time.Millisecond)))
			c := startCollector(t, settings{kinesis: s.url(), overrides: append(overrides,
				"exporters::kinesis_kpl::aggregation_max_size: 2000")})
			l := startLoad(ctx, loadConfig{name: name, records: 20, every: 40 * time.Millisecond}, bothClients(t, c, 2)...)

			for _, shard := range s.OpenShards(stream) {
				s.waitMore(ctx, t, moved)
				_, _, err := s.SplitShard(stream, shard.ID, "")
				require.NoError(t, err)
			}
			for {
				open := s.OpenShards(stream)
				if len(open) == 1 {
					break
				}
				s.waitMore(ctx, t, moved)
				_, err := s.MergeShards(stream, open[0].ID, open[1].ID)
				require.NoError(t, err)
			}
			s.waitMore(ctx, t, moved)
			l.stop()

			o := s.allDelivered(ctx, t, c, l)
			wrong := o.metrics.sum("kinesis_kpl_errors_by_code", `error_code="WrongShard"`)
			assert.GreaterOrEqual(t, wrong, len(s.DroppedAggregates(stream)), "records that readers drop are noticed")
			t.Logf("%d items accepted, %d duplicates; %d aggregates that readers drop, %d by the metrics; %d retries",
				o.items, duplicates(o.found), len(s.DroppedAggregates(stream)), wrong,
				o.metrics.sum("kinesis_kpl_retries_per_record_sum"))
		})
	}
}

// TestReshardEverySecond splits or merges a shard every second under load, in the default configuration.
func TestReshardEverySecond(t *testing.T) {
	t.Parallel()
	const changes = 12
	for name, overrides := range map[string][]string{"keyless": nil, "keyed": {keyed}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := peers.Context(t)
			s := newService(t, kpltest.Config{}, 2)
			s.up(t)
			s.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(5*time.Millisecond)))
			c := startCollector(t, settings{kinesis: s.url(), overrides: overrides})
			l := startLoad(ctx, loadConfig{name: name, records: 20, every: 20 * time.Millisecond}, bothClients(t, c, 2)...)
			second := time.NewTicker(time.Second)
			defer second.Stop()
			for i := range changes {
				<-second.C
				open := s.OpenShards(stream)
				var err error
				if i%4 == 3 {
					_, err = s.MergeShards(stream, open[0].ID, open[1].ID)
				} else {
					_, _, err = s.SplitShard(stream, open[i%len(open)].ID, "")
				}
				require.NoError(t, err)
			}
			l.stop()

			o := s.allDelivered(ctx, t, c, l)
			wrong := o.metrics.sum("kinesis_kpl_errors_by_code", `error_code="WrongShard"`)
			assert.GreaterOrEqual(t, wrong, len(s.DroppedAggregates(stream)), "records that readers drop are noticed")
			t.Logf("%d items accepted, %d duplicates; %d aggregates that readers drop, %d by the metrics",
				o.items, duplicates(o.found), len(s.DroppedAggregates(stream)), wrong)
		})
	}
}

// waitMore waits until the stream has so many records more.
func (s *service) waitMore(ctx context.Context, t *testing.T, more int) {
	t.Helper()
	require.NoError(t, s.WaitRecords(ctx, stream, len(s.Records(stream))+more))
}

// TestCollectorsShareAStream lets three collectors write more to a stream than its shards accept. No collector loses
// anything, few records are throttled, and together the collectors use a good part of what the shards accept.
func TestCollectorsShareAStream(t *testing.T) {
	t.Parallel()
	const (
		shards    = 2
		records   = 20
		length    = 1_000
		perClient = 60 // requests
		limit     = 1 << 20
	)
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{ShardLimits: true}, shards)
	s.up(t)
	var collectors []*collector
	var loads []*load
	for i := range 3 {
		c := startCollector(t, settings{kinesis: s.url(), overrides: []string{fmt.Sprintf(
			"exporters::kinesis_kpl: {record_ttl: 5s, request_timeout: %v}", peers.Patience)}}) // No copies.
		collectors = append(collectors, c)
		loads = append(loads, startLoad(ctx, loadConfig{
			name: fmt.Sprint("collector-", i), records: records, textLength: length, every: 10 * time.Millisecond,
		}, bothClients(t, c, 1)...))
	}
	began := time.Now()
	for _, l := range loads {
		l.waitAccepted(ctx, t, perClient*records)
	}
	for _, l := range loads {
		l.stop()
	}
	for _, c := range collectors {
		c.drained(ctx, t)
	}
	took := time.Since(began)

	total, found := s.allDeliveredBy(ctx, t, collectors, loads)
	bytes, throttled := 0, 0
	assert.Zero(t, duplicates(found))
	for _, r := range s.Records(stream) {
		bytes += len(r.Data)
	}
	for _, call := range s.Calls(kpltest.OpPutRecords) {
		throttled += call.Failed
	}
	used := float64(bytes) / (took.Seconds() + 1) / (shards * limit) // At the start, shards accept a second's worth at once.
	slowest := slices.MaxFunc(collectors, func(a, b *collector) int { return cmp.Compare(a.slowness, b.slowness) })
	assert.Greater(t, used*slowest.slowness, 0.25, "share of what the shards accept")
	assert.Less(t, throttled, 2*len(s.Records(stream)), "records throttled")
	t.Logf("%d items, %d bytes in %v: %.0f%% of what the shards accept; %d records stored, %d throttled",
		total, bytes, took, 100*used, len(s.Records(stream)), throttled)
}

// TestLostAnswersAndThrottlesUnderLoad breaks connections after records were stored, and throttles records at random. All
// accepted items can be read. Only records of broken calls are stored twice. The metrics of the collector agree with the
// stream.
func TestLostAnswersAndThrottlesUnderLoad(t *testing.T) {
	t.Parallel()
	for name, overrides := range map[string][]string{"keyless": nil, "keyed": {keyed}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := peers.Context(t)
			s := newService(t, kpltest.Config{Seed: 1}, 3)
			s.up(t)
			endFaults := s.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.All(
				kpltest.Latency(5*time.Millisecond),
				kpltest.Fraction(0.1, kpltest.Break(kpltest.ConnectionCut)),
				kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2))))
			// Small records in small requests make many answers.
			c := startCollector(t, settings{kinesis: s.url(), overrides: slices.Concat(patient(), overrides, []string{
				"exporters::kinesis_kpl: {aggregation_max_size: 1000, collection_max_count: 5}",
			})})
			l := startLoad(ctx, loadConfig{name: name, records: 20, every: 2 * time.Millisecond}, bothClients(t, c, 2)...)
			l.waitAccepted(ctx, t, 10_000)
			l.stop()
			endFaults()
			s.checkMetrics(ctx, t, c, l)
		})
	}
}

// checkMetrics waits until the queue of the collector is empty. Then it compares the metrics of the collector with the
// clients and the stream.
func (s *service) checkMetrics(ctx context.Context, t *testing.T, c *collector, l *load) {
	t.Helper()
	o := s.allDelivered(ctx, t, c, l)
	items, found, m := o.items, o.found, o.metrics
	assert.Equal(t, items, m.sum("receiver_accepted_log_records"))
	assert.Equal(t, items, m.sum("kinesis_kpl_items_put"), "of all outcomes")
	assert.Equal(t, items, m.sum("exporter_sent_log_records"))

	var cut, throttled, cutRecords, cutThrottled int
	for _, call := range s.Calls(kpltest.OpPutRecords) {
		if call.Code == "Cut" {
			cut++
			cutRecords += call.Records
			cutThrottled += call.Failed
		} else {
			throttled += call.Failed
		}
	}
	require.Positive(t, cut)
	require.Positive(t, throttled)
	stored := len(s.Records(stream))
	assert.Equal(t, stored-(cutRecords-cutThrottled), m.sum("kinesis_kpl_kinesis_records_put", `outcome="success"`))
	assert.Equal(t, throttled+cutRecords, m.sum("kinesis_kpl_kinesis_records_put", `outcome="failure"`))
	assert.Equal(t, throttled, m.sum("kinesis_kpl_errors_by_code", `error_code="`+kpltest.CodeThrottled+`"`))
	assert.Equal(t, cut, m.sum("kinesis_kpl_errors_by_code", `error_code="ConnectionError"`))
	assert.Equal(t, throttled+cut, m.sum("kinesis_kpl_errors_by_code"))
	twice := len(s.UserRecords(stream)) - m.sum("kinesis_kpl_user_records_put", `outcome="success"`)
	assert.Positive(t, twice, "user records that were stored once more than they were confirmed")
	t.Logf("%d items; %d calls cut after %d records, %d records throttled; %d duplicates",
		items, cut, cutRecords-cutThrottled, throttled, duplicates(found))
}
