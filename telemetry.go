// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"sync"
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

// telemetry is the metrics and the log of a session.
type telemetry struct {
	builder      *metadata.TelemetryBuilder
	log          *zap.Logger // logs each message once in logInterval
	limits       kpl.Stats   // the most that may be outstanding
	queueUnit    string      // unit of the queue's size; empty if there is no queue
	shards       bool        // shards are attributes
	packed       bool        // messages are aggregated or compressed
	availability func(outage error)

	listed  sync.Once                 // the shards were listed
	channel atomic.Bool               // the stream had channels when it was last described
	storing atomic.Bool               // the last call stored something
	success [signalCount]atomic.Int64 // items that were delivered, by signal
	late    [signalCount]atomic.Int64 // items that were lost after fire-and-forget delivery, by signal

	// A session's few time series.
	stream      series // exporter, stream
	outcomes    [kpl.OutcomeClosed + 1]series
	worked      series
	failure     series
	codes       map[string]series
	flushes     map[flush]series
	items       map[item]series
	notAccepted [signalCount]series
	common      []attribute.KeyValue // exporter, stream
}

// series is the attributes of a time series as instruments take them. The lists are made once, because each call with a new
// list leaves garbage.
type series struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

type flush struct {
	stage  kpl.Stage
	reason kpl.FlushReason
}

type item struct {
	signal  marshaler.Signal
	outcome string
}

// newTelemetry returns the telemetry of a session. It calls availability with the reason when the stream stops accepting
// records, and with nil when the stream accepts them again.
func newTelemetry(set exporter.Settings, cfg *Config, availability func(error)) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	stream, bounded := cfg.AWS.streamLabel(), cfg.boundedProducer()
	t := &telemetry{
		builder:   builder,
		log:       sessionLog(set, cfg),
		queueUnit: cfg.queueUnit(),
		limits: kpl.Stats{
			OutstandingRecords: bounded.MaxOutstandingRecords,
			OutstandingBytes:   bounded.MaxOutstandingBytes,
		},
		shards:       cfg.Telemetry.ShardAttribute,
		packed:       cfg.Producer.AggregationFormat == kpl.AggregationKPL || cfg.Compression != marshaler.NoCompression,
		availability: availability,
		common:       []attribute.KeyValue{attribute.String("exporter", set.ID.String()), attribute.String("stream", stream)},
	}
	t.prepare()
	return t, nil
}

// prepare makes the attributes of all time series, except those of shards.
func (t *telemetry) prepare() {
	exporterID := t.common[:1]
	t.stream = seriesOf(t.common)
	t.worked = seriesOf(t.common, attribute.String("outcome", "success"))
	t.failure = seriesOf(t.common, attribute.String("outcome", "failure"))
	t.items = map[item]series{}
	for signal := range marshaler.Signal(signalCount) {
		t.notAccepted[signal] = seriesOf(exporterID, attribute.String("signal", signal.String()))
	}
	for outcome := range kpl.OutcomeClosed + 1 {
		t.outcomes[outcome] = seriesOf(t.common, attribute.String("outcome", outcome.String()))
		t.prepareItems(exporterID, outcome.String())
	}
	t.prepareItems(exporterID, outcomeOversize)
	t.prepareItems(exporterID, outcomeOverflow)
	t.codes = map[string]series{}
	for _, code := range append(kpl.WellKnownCodes(), otherCode) {
		t.codes[code] = seriesOf(t.common, attribute.String("error_code", code))
	}
	t.flushes = map[flush]series{}
	for _, stage := range []kpl.Stage{kpl.StageAggregator, kpl.StageCollector} {
		for reason := range kpl.FlushRequest + 1 {
			t.flushes[flush{stage, reason}] = seriesOf(t.common,
				attribute.String("stage", stage.String()), attribute.String("reason", reason.String()))
		}
	}
}

func (t *telemetry) prepareItems(exporterID []attribute.KeyValue, outcome string) {
	for signal := range marshaler.Signal(signalCount) {
		t.items[item{signal, outcome}] = seriesOf(exporterID,
			attribute.String("signal", signal.String()), attribute.String("outcome", outcome))
	}
}

func seriesOf(common []attribute.KeyValue, more ...attribute.KeyValue) series {
	all := append(make([]attribute.KeyValue, 0, len(common)+len(more)), common...)
	option := metric.WithAttributeSet(attribute.NewSet(append(all, more...)...))
	return series{[]metric.AddOption{option}, []metric.RecordOption{option}}
}

// watch makes the gauges show what stats returns.
func (t *telemetry) watch(stats func() kpl.Stats) error {
	exporterID := metric.WithAttributeSet(attribute.NewSet(t.common[:1]...))
	gauge := func(value func() int) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(value()), exporterID)
			return nil
		}
	}
	b := t.builder
	for _, register := range []error{
		b.RegisterKinesisKplUserRecordsReceivedCallback(gauge(func() int { return int(stats().RecordsReceived) })),
		b.RegisterKinesisKplUserRecordsPendingCallback(gauge(func() int { return stats().OutstandingRecords })),
		b.RegisterKinesisKplUserRecordsPendingLimitCallback(gauge(func() int { return t.limits.OutstandingRecords })),
		b.RegisterKinesisKplUserRecordsDataPendingCallback(gauge(func() int { return stats().OutstandingBytes })),
		b.RegisterKinesisKplUserRecordsDataPendingLimitCallback(gauge(func() int { return t.limits.OutstandingBytes })),
	} {
		if register != nil {
			t.close()
			return register
		}
	}
	return nil
}

// close ends the gauges.
func (t *telemetry) close() { t.builder.Shutdown() }

// itemsPut counts items of a push by what became of them.
func (t *telemetry) itemsPut(signal marshaler.Signal, outcome string, items int) {
	t.builder.KinesisKplItemsPut.Add(context.Background(), int64(items), t.items[item{signal, outcome}].add...)
	if outcome == kpl.OutcomeSuccess.String() {
		t.success[signal].Add(int64(items))
	}
}

// delivered returns how many items of a signal were delivered.
func (t *telemetry) delivered(signal marshaler.Signal) int64 { return t.success[signal].Load() }

// lostLater returns how many items of a signal were lost after fire-and-forget delivery.
func (t *telemetry) lostLater(signal marshaler.Signal) int64 { return t.late[signal].Load() }

// observer returns the functions that the producer calls.
func (t *telemetry) observer() kpl.Observer {
	return kpl.Observer{
		RecordFinished:      t.recordFinished,
		RequestFinished:     t.requestFinished,
		Misplaced:           t.misplaced,
		Flushed:             t.flushed,
		ShardsListed:        t.shardsListed,
		StreamDescribed:     t.streamDescribed,
		DistributionChanged: t.distributionChanged,
		CBORUnsupported:     t.cborUnsupported,
		CBORSupported:       t.cborSupported,
		AvailabilityChanged: t.availabilityChanged,
	}
}

// recordFinished counts a user record by its outcome.
func (t *telemetry) recordFinished(r kpl.RecordEvent) {
	ctx, b := context.Background(), t.builder
	outcome := r.Result.Outcome()
	b.KinesisKplUserRecordsPut.Add(ctx, 1, t.outcomes[outcome].add...)
	switch outcome {
	case kpl.OutcomeSuccess:
		b.KinesisKplUserRecordsDataPut.Add(ctx, int64(r.Bytes), t.stream.add...)
	case kpl.OutcomeExpired:
		b.KinesisKplUserRecordsExpired.Add(ctx, 1, t.stream.add...)
	default:
	}
	sent := r.Finished
	if len(r.Result.Attempts) > 0 {
		sent = r.Result.Attempts[0].Start
		b.KinesisKplRetriesPerRecord.Record(ctx, int64(len(r.Result.Attempts)-1), t.stream.record...)
	}
	b.KinesisKplBufferingTime.Record(ctx, sent.Sub(r.Received).Seconds(), t.stream.record...)
}

// requestFinished counts a call and its records.
func (t *telemetry) requestFinished(r kpl.RequestEvent) {
	ctx, b := context.Background(), t.builder
	b.KinesisKplRequestTime.Record(ctx, r.End.Sub(r.Start).Seconds(), t.stream.record...)
	b.KinesisKplKinesisRecordsPerPutRecordsRequest.Record(ctx, int64(len(r.Entries)), t.stream.record...)
	if r.Code != "" {
		t.failed(r.Code, "")
	}
	t.storing.Store(stores(&r))
	for i := range r.Entries {
		t.entryFinished(&r.Entries[i], r.Code != "")
	}
}

// entryFinished counts a Kinesis record. An error of the whole call is no error of its records.
func (t *telemetry) entryFinished(e *kpl.FinishedEntry, callFailed bool) {
	ctx, b := context.Background(), t.builder
	b.KinesisKplUserRecordsPerKinesisRecord.Record(ctx, int64(e.UserRecords), t.stream.record...)
	if e.Code == "" {
		b.KinesisKplKinesisRecordsPut.Add(ctx, 1, t.withShard(t.worked, e.ShardID, "outcome", "success").add...)
		b.KinesisKplKinesisRecordsDataPut.Add(ctx, int64(e.Bytes), t.withShard(t.stream, e.ShardID).add...)
		return
	}
	b.KinesisKplKinesisRecordsPut.Add(ctx, 1, t.withShard(t.failure, e.PredictedShard, "outcome", "failure").add...)
	if !callFailed {
		t.failed(e.Code, e.PredictedShard)
	}
}

// failed counts an error of the service. Without a shard it is an error of a whole call, otherwise of a record.
func (t *telemetry) failed(code string, shard kpl.ShardID) {
	if _, known := t.codes[code]; !known {
		code = otherCode
	}
	t.builder.KinesisKplAllErrors.Add(context.Background(), 1, t.stream.add...)
	t.builder.KinesisKplErrorsByCode.Add(context.Background(), 1, t.withShard(t.codes[code], shard, "error_code", code).add...)
}

// withShard returns the prepared time series. If shards are attributes and the shard is known, it returns a series that has
// the shard too. The parameter extra is the attribute that the series has beside exporter and stream, if any.
func (t *telemetry) withShard(prepared series, shard kpl.ShardID, extra ...string) series {
	if !t.shards || shard == "" {
		return prepared
	}
	attributes := []attribute.KeyValue{attribute.String("shard", string(shard))}
	if len(extra) == 2 {
		attributes = append(attributes, attribute.String(extra[0], extra[1]))
	}
	return seriesOf(t.common, attributes...)
}

// misplaced counts a record that readers skip as an error.
func (t *telemetry) misplaced(e kpl.MisplacedEvent) {
	t.failed(e.Entry.Code, e.Entry.ShardID)
}

// flushed counts what the stages pass on.
func (t *telemetry) flushed(e kpl.FlushEvent) {
	t.builder.KinesisKplFlushes.Add(context.Background(), 1, t.flushes[flush{e.Stage, e.Reason}].add...)
}

// shardsListed counts listings, and logs those that failed.
func (t *telemetry) shardsListed(e kpl.ListingEvent) {
	ctx := context.Background()
	if e.Err != nil {
		t.builder.KinesisKplShardMapRefreshes.Add(ctx, 1, t.failure.add...)
		message := "Listing the shards failed"
		if t.storing.Load() {
			message += "; records are sent all the same"
		}
		t.log.Warn(message, zap.Error(e.Err))
		return
	}
	t.builder.KinesisKplShardMapRefreshes.Add(ctx, 1, t.worked.add...)
	t.builder.KinesisKplOpenShards.Record(ctx, int64(e.OpenShards), t.stream.record...)
	t.listed.Do(func() { t.log.Info("The shards of the stream are known", zap.Int("open_shards", e.OpenShards)) })
}
