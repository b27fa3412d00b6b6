// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kplotel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// RegisterStreams makes metrics of what streams returns, which is usually [kpl.Producer.Streams] of a producer: what waits, for
// how long, and for which shards. The shards with time series are the few for which most waits at the moment. Unregister the
// metrics when the producer is closed. The error is that of the provider.
func RegisterStreams(
	provider metric.MeterProvider, streams func(context.Context) []kpl.StreamStats,
) (metric.Registration, error) {
	var g streamGauges
	if err := g.create(provider.Meter(scope)); err != nil {
		return nil, fmt.Errorf("kplotel: %w", err)
	}
	return provider.Meter(scope).RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		now := time.Now()
		for _, stats := range streams(ctx) {
			g.observe(o, &stats, now)
		}
		return nil
	}, g.all...)
}

// streamGauges are the instruments of RegisterStreams.
type streamGauges struct {
	held, dataHeld, requests, retrying metric.Int64ObservableGauge
	age, lastSuccess                   metric.Float64ObservableGauge
	shardDataHeld                      metric.Int64ObservableGauge
	shardDelay, shardShare             metric.Float64ObservableGauge

	all []metric.Observable
}

// create makes all instruments. Their names, descriptions and units are those of the exporter's metadata.yaml.
func (g *streamGauges) create(meter metric.Meter) error {
	var errs []error
	whole := func(name, description, unit string) metric.Int64ObservableGauge {
		made, err := meter.Int64ObservableGauge(prefix+name, metric.WithDescription(description), metric.WithUnit(unit))
		errs, g.all = append(errs, err), append(g.all, made)
		return made
	}
	fraction := func(name, description, unit string) metric.Float64ObservableGauge {
		made, err := meter.Float64ObservableGauge(prefix+name, metric.WithDescription(description), metric.WithUnit(unit))
		errs, g.all = append(errs, err), append(g.all, made)
		return made
	}
	g.held = whole("kinesis_records_held", "Kinesis records that wait because their shards take no more at the moment.", "{record}")
	g.dataHeld = whole("kinesis_records_data_held", "The bytes of these records.", "By")
	g.requests = whole("requests_in_flight", "PutRecords calls that have no answer yet.", "{request}")
	g.retrying = whole("user_records_retrying", "User records that pause before their next attempt.", "{record}")
	g.age = fraction("oldest_user_record_age", "Age of the oldest user record without an outcome. 0 if there is none.", "s")
	g.lastSuccess = fraction("last_success_time",
		"When a record was stored last, in seconds since 1970. Not there before the first.", "s")
	g.shardDataHeld = whole("shard_data_held", "Bytes that wait for one of the few busiest shards.", "By")
	g.shardDelay = fraction("shard_delay", "How long one of the few busiest shards takes for what waits for it.", "s")
	g.shardShare = fraction("shard_share",
		"The part of `rate_limit` that the exporter uses of one of the few busiest shards. Throttling by the shard lowers it.", "1")
	return errors.Join(errs...)
}

// observe tells what a stream holds.
func (g *streamGauges) observe(o metric.Observer, stats *kpl.StreamStats, now time.Time) {
	name := attribute.String("stream", nameOf(stats.Stream))
	stream := metric.WithAttributeSet(attribute.NewSet(name))
	o.ObserveInt64(g.held, int64(stats.HeldRecords), stream)
	o.ObserveInt64(g.dataHeld, int64(stats.HeldBytes), stream)
	o.ObserveInt64(g.requests, int64(stats.Requests), stream)
	o.ObserveInt64(g.retrying, int64(stats.Retrying), stream)
	age := 0.0
	if !stats.Oldest.IsZero() {
		age = now.Sub(stats.Oldest).Seconds()
	}
	o.ObserveFloat64(g.age, age, stream)
	if !stats.LastStored.IsZero() {
		o.ObserveFloat64(g.lastSuccess, float64(stats.LastStored.UnixMilli())/1000, stream)
	}
	for i := range stats.Busiest {
		shard := &stats.Busiest[i]
		if shard.ShardID == "" { // its records have no shard yet
			continue
		}
		series := metric.WithAttributeSet(attribute.NewSet(name, attribute.String("shard", string(shard.ShardID))))
		o.ObserveInt64(g.shardDataHeld, int64(shard.HeldBytes), series)
		o.ObserveFloat64(g.shardDelay, shard.Delay.Seconds(), series)
		o.ObserveFloat64(g.shardShare, shard.Share, series)
	}
}
