// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"cmp"
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// watch makes the gauges show what the producer and its streams say.
func (t *telemetry) watch(p *kpl.Producer, maxRequests int) error {
	snapshots := &streamSnapshots{take: p.Streams}
	err := cmp.Or(t.watchProducer(p, maxRequests), t.watchStreams(snapshots), t.watchShards(snapshots))
	if err != nil {
		t.close()
	}
	return err
}

// watchProducer makes the gauges that all streams share.
func (t *telemetry) watchProducer(p *kpl.Producer, maxRequests int) error {
	exporterID := metric.WithAttributeSet(attribute.NewSet(t.id))
	gauge := func(value func() int) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(value()), exporterID)
			return nil
		}
	}
	b := t.builder
	return cmp.Or(
		b.RegisterKinesisKplUserRecordsReceivedCallback(gauge(func() int { return int(p.Stats().RecordsReceived) })),
		b.RegisterKinesisKplUserRecordsPendingCallback(gauge(func() int { return p.Stats().OutstandingRecords })),
		b.RegisterKinesisKplUserRecordsPendingLimitCallback(gauge(func() int { return t.limits.OutstandingRecords })),
		b.RegisterKinesisKplUserRecordsDataPendingCallback(gauge(func() int { return p.Stats().OutstandingBytes })),
		b.RegisterKinesisKplUserRecordsDataPendingLimitCallback(gauge(func() int { return t.limits.OutstandingBytes })),
		b.RegisterKinesisKplRequestsInFlightLimitCallback(gauge(func() int { return maxRequests })),
	)
}

// watchStreams makes the gauges of each stream.
func (t *telemetry) watchStreams(snapshots *streamSnapshots) error {
	counts := func(value func(*kpl.StreamStats) int) metric.Int64Callback {
		return func(ctx context.Context, o metric.Int64Observer) error {
			for _, stats := range snapshots.current(ctx) {
				o.Observe(int64(value(&stats)), t.streams.of(stats.Stream).observe)
			}
			return nil
		}
	}
	b := t.builder
	return cmp.Or(
		b.RegisterKinesisKplKinesisRecordsHeldCallback(counts(func(s *kpl.StreamStats) int { return s.HeldRecords })),
		b.RegisterKinesisKplKinesisRecordsDataHeldCallback(counts(func(s *kpl.StreamStats) int { return s.HeldBytes })),
		b.RegisterKinesisKplRequestsInFlightCallback(counts(func(s *kpl.StreamStats) int { return s.Requests })),
		b.RegisterKinesisKplUserRecordsRetryingCallback(counts(func(s *kpl.StreamStats) int { return s.Retrying })),
		b.RegisterKinesisKplOldestUserRecordAgeCallback(func(ctx context.Context, o metric.Float64Observer) error {
			for _, stats := range snapshots.current(ctx) {
				age := 0.0
				if !stats.Oldest.IsZero() {
					age = time.Since(stats.Oldest).Seconds()
				}
				o.Observe(age, t.streams.of(stats.Stream).observe)
			}
			return nil
		}),
		b.RegisterKinesisKplLastSuccessTimeCallback(func(ctx context.Context, o metric.Float64Observer) error {
			for _, stats := range snapshots.current(ctx) {
				if !stats.LastStored.IsZero() {
					o.Observe(float64(stats.LastStored.UnixMilli())/1000, t.streams.of(stats.Stream).observe)
				}
			}
			return nil
		}),
	)
}

// watchShards makes the gauges of the busiest shards. The others have none, so their number does not grow with the stream.
func (t *telemetry) watchShards(snapshots *streamSnapshots) error {
	each := func(ctx context.Context, see func(*kpl.ShardStats, metric.ObserveOption)) {
		for _, stats := range snapshots.current(ctx) {
			common := t.streams.of(stats.Stream).common
			for i := range stats.Busiest {
				shard := &stats.Busiest[i]
				if shard.ShardID == "" { // its records have no shard yet
					continue
				}
				see(shard, metric.WithAttributeSet(attribute.NewSet(append(common[:2:2],
					attribute.String("shard", string(shard.ShardID)))...)))
			}
		}
	}
	b := t.builder
	return cmp.Or(
		b.RegisterKinesisKplShardDataHeldCallback(func(ctx context.Context, o metric.Int64Observer) error {
			each(ctx, func(s *kpl.ShardStats, series metric.ObserveOption) { o.Observe(int64(s.HeldBytes), series) })
			return nil
		}),
		b.RegisterKinesisKplShardDelayCallback(func(ctx context.Context, o metric.Float64Observer) error {
			each(ctx, func(s *kpl.ShardStats, series metric.ObserveOption) { o.Observe(s.Delay.Seconds(), series) })
			return nil
		}),
		b.RegisterKinesisKplShardShareCallback(func(ctx context.Context, o metric.Float64Observer) error {
			each(ctx, func(s *kpl.ShardStats, series metric.ObserveOption) { o.Observe(s.Share, series) })
			return nil
		}),
	)
}

const (
	// snapshotLife is how long a snapshot is used. A collection of metrics asks several times in a row.
	snapshotLife = 500 * time.Millisecond
	// snapshotPatience is how long a collection of metrics waits for the streams.
	snapshotPatience = time.Second
)

// streamSnapshots keeps the last snapshot of the streams for a moment.
type streamSnapshots struct {
	take func(context.Context) []kpl.StreamStats

	mu    sync.Mutex // held while a snapshot is taken: who asks meanwhile wants the same
	last  []kpl.StreamStats
	taken time.Time
}

// current returns a snapshot that is not older than snapshotLife.
func (s *streamSnapshots) current(ctx context.Context) []kpl.StreamStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); s.taken.IsZero() || now.Sub(s.taken) > snapshotLife {
		ctx, cancel := context.WithTimeout(ctx, snapshotPatience)
		defer cancel()
		s.last, s.taken = s.take(ctx), now
	}
	return s.last
}
