// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// outcomeOversize is the outcome of items that fit no record. The others are those of package kpl.
const outcomeOversize = "oversize"

// outcomeOverflow is the outcome of items that were dropped because their shard held its share of the queue.
const outcomeOverflow = "overflow"

// otherCode stands for all error codes that are not well known.
const otherCode = "other"

// telemetry is the metrics and the log of a session. What belongs to one stream is in a [streamTelemetry].
type telemetry struct {
	builder      *metadata.TelemetryBuilder
	id           attribute.KeyValue // of the exporter
	log          *zap.Logger        // logs each message once in logInterval
	limits       kpl.Stats          // the most that may be outstanding
	queueUnit    string             // unit of the queue's size; empty if there is no queue
	shards       bool               // shards are attributes
	packed       bool               // messages are aggregated or compressed
	availability func(stream string, outage error)

	success [len(signals)]atomic.Int64 // items that were delivered, by signal
	late    [len(signals)]atomic.Int64 // items that were lost after fire-and-forget delivery, by signal

	streams streamTelemetries

	// The few time series without a stream.
	items     map[item]series
	bySignal  [len(signals)]series // exporter, signal
	notRouted map[notRouted]series
}

// series is the attributes of a time series as instruments take them. The lists are made once, because each call with a new
// list leaves garbage.
type series struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

// notRouted is why items of a signal do not go to the stream that they name.
type notRouted struct {
	signal marshaler.Signal
	reason string
}

type item struct {
	signal  marshaler.Signal
	outcome string
}

// newTelemetry returns the telemetry of a session. It calls availability with the reason when a stream stops accepting records,
// and with nil when the stream accepts them again.
func newTelemetry(
	set exporter.Settings, cfg *Config, availability func(stream string, outage error),
) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	bounded := cfg.boundedProducer()
	t := &telemetry{
		builder:   builder,
		id:        attribute.String("exporter", set.ID.String()),
		log:       sessionLog(set, cfg),
		queueUnit: cfg.queueUnit(),
		limits: kpl.Stats{
			OutstandingRecords: bounded.MaxOutstandingRecords,
			OutstandingBytes:   bounded.MaxOutstandingBytes,
		},
		shards:       cfg.Telemetry.ShardAttribute,
		packed:       cfg.Producer.AggregationFormat == kpl.AggregationKPL || cfg.Compression != marshaler.NoCompression,
		availability: availability,
	}
	t.streams.prepare(t, set, cfg)
	t.prepare()
	return t, nil
}

// prepare makes the attributes of the time series without a stream.
func (t *telemetry) prepare() {
	t.items, t.notRouted = map[item]series{}, map[notRouted]series{}
	for _, signal := range signals {
		for _, reason := range []string{notAllowed, tooManyLive} {
			reason = strings.TrimSuffix(reason, "/")
			t.notRouted[notRouted{signal, reason}] = seriesOf(t.id,
				attribute.String("signal", signal.String()), attribute.String("reason", reason))
		}
		t.bySignal[signal] = seriesOf(t.id, attribute.String("signal", signal.String()))
	}
	for outcome := range kpl.OutcomeClosed + 1 {
		t.prepareItems(outcome.String())
	}
	t.prepareItems(outcomeOversize)
	t.prepareItems(outcomeOverflow)
}

func (t *telemetry) prepareItems(outcome string) {
	for _, signal := range signals {
		t.items[item{signal, outcome}] = seriesOf(t.id,
			attribute.String("signal", signal.String()), attribute.String("outcome", outcome))
	}
}

func seriesOf(attributes ...attribute.KeyValue) series {
	option := metric.WithAttributeSet(attribute.NewSet(attributes...))
	return series{[]metric.AddOption{option}, []metric.RecordOption{option}}
}

// close ends the gauges.
func (t *telemetry) close() { t.builder.Shutdown() }

// itemsPut counts items of a push by what became of them.
func (t *telemetry) itemsPut(signal marshaler.Signal, outcome string, items int) {
	t.builder.KinesisKplItemsPut.Add(context.Background(), int64(items), t.items[item{signal, outcome}].add...)
}

// messageStored counts a message that was stored, with so many items and bytes before compression.
func (t *telemetry) messageStored(signal marshaler.Signal, items, plain int) {
	t.itemsPut(signal, kpl.OutcomeSuccess.String(), items)
	t.builder.KinesisKplUncompressedDataPut.Add(context.Background(), int64(plain), t.bySignal[signal].add...)
	t.success[signal].Add(int64(items))
}

// delivered returns how many items of a signal were delivered.
func (t *telemetry) delivered(signal marshaler.Signal) int64 { return t.success[signal].Load() }

// lostLater returns how many items of a signal were lost after fire-and-forget delivery.
func (t *telemetry) lostLater(signal marshaler.Signal) int64 { return t.late[signal].Load() }
