// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

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
	ctx, b, s := context.Background(), t.builder, t.streams.of(r.Stream)
	outcome := r.Result.Outcome()
	b.KinesisKplUserRecordsPut.Add(ctx, 1, s.outcomes[outcome].add...)
	if outcome == kpl.OutcomeSuccess {
		b.KinesisKplUserRecordsDataPut.Add(ctx, int64(r.Bytes), s.stream.add...)
	}
	sent := r.Finished
	if len(r.Result.Attempts) > 0 {
		sent = r.Result.Attempts[0].Start
		b.KinesisKplRetriesPerRecord.Record(ctx, int64(len(r.Result.Attempts)-1), s.stream.record...)
	}
	b.KinesisKplBufferingTime.Record(ctx, sent.Sub(r.Received).Seconds(), s.stream.record...)
	b.KinesisKplUserRecordTime.Record(ctx, r.Finished.Sub(r.Received).Seconds(), s.stream.record...)
	if resent := r.Result.Resent(); resent > 0 {
		b.KinesisKplUserRecordsResent.Add(ctx, int64(resent), s.stream.add...)
	}
}

// requestFinished counts a call and its records.
func (t *telemetry) requestFinished(r kpl.RequestEvent) {
	ctx, b, s := context.Background(), t.builder, t.streams.of(r.Stream)
	b.KinesisKplRequestTime.Record(ctx, r.End.Sub(r.Start).Seconds(), s.stream.record...)
	b.KinesisKplKinesisRecordsPerPutRecordsRequest.Record(ctx, int64(len(r.Entries)), s.stream.record...)
	if r.Code != "" {
		t.failed(s, r.Code, "")
	}
	s.storing.Store(stores(&r))
	for i := range r.Entries {
		t.entryFinished(s, &r.Entries[i], r.Code != "")
	}
}

// entryFinished counts a Kinesis record. An error of the whole call is no error of its records.
func (t *telemetry) entryFinished(s *streamTelemetry, e *kpl.FinishedEntry, callFailed bool) {
	ctx, b := context.Background(), t.builder
	b.KinesisKplUserRecordsPerKinesisRecord.Record(ctx, int64(e.UserRecords), s.stream.record...)
	b.KinesisKplRateLimitTime.Record(ctx, e.Held.Seconds(), s.stream.record...)
	if e.Code == "" {
		b.KinesisKplKinesisRecordsPut.Add(ctx, 1, t.withShard(s, s.worked, e.ShardID, "outcome", "success").add...)
		b.KinesisKplPutUnits.Add(ctx, int64(e.PutUnits), s.stream.add...)
		b.KinesisKplKinesisRecordsDataPut.Add(ctx, int64(e.Bytes), t.withShard(s, s.stream, e.ShardID).add...)
		return
	}
	b.KinesisKplKinesisRecordsPut.Add(ctx, 1, t.withShard(s, s.failure, e.PredictedShard, "outcome", "failure").add...)
	if !callFailed {
		t.failed(s, e.Code, e.PredictedShard)
	}
}

// failed counts an error of the service. Without a shard it is an error of a whole call, otherwise of a record.
func (t *telemetry) failed(s *streamTelemetry, code string, shard kpl.ShardID) {
	if _, known := s.codes[code]; !known {
		code = otherCode
	}
	t.builder.KinesisKplErrorsByCode.Add(context.Background(), 1, t.withShard(s, s.codes[code], shard, "error_code", code).add...)
}

// withShard returns the prepared time series. If shards are attributes and the shard is known, it returns a series that has
// the shard too. The parameter extra is the attribute that the series has beside exporter and stream, if any.
func (t *telemetry) withShard(s *streamTelemetry, prepared series, shard kpl.ShardID, extra ...string) series {
	if !t.shards || shard == "" {
		return prepared
	}
	attributes := slices.Concat(s.common, []attribute.KeyValue{attribute.String("shard", string(shard))})
	if len(extra) == 2 {
		attributes = append(attributes, attribute.String(extra[0], extra[1]))
	}
	return seriesOf(attributes...)
}

// misplaced counts a record that readers skip as an error.
func (t *telemetry) misplaced(e kpl.MisplacedEvent) {
	t.failed(t.streams.of(e.Stream), e.Entry.Code, e.Entry.ShardID)
}

// flushed counts what the stages pass on.
func (t *telemetry) flushed(e kpl.FlushEvent) {
	t.builder.KinesisKplFlushes.Add(context.Background(), 1, t.streams.of(e.Stream).flushes[flush{e.Stage, e.Reason}].add...)
}

// shardsListed counts listings, and logs those that failed.
func (t *telemetry) shardsListed(e kpl.ListingEvent) {
	ctx, s := context.Background(), t.streams.of(e.Stream)
	if e.Err != nil {
		t.builder.KinesisKplShardMapRefreshes.Add(ctx, 1, s.failure.add...)
		message := "Listing the shards failed"
		if s.storing.Load() {
			message += "; records are sent all the same"
		}
		s.log.Warn(message, zap.Error(e.Err))
		return
	}
	t.builder.KinesisKplShardMapRefreshes.Add(ctx, 1, s.worked.add...)
	t.builder.KinesisKplOpenShards.Record(ctx, int64(e.OpenShards), s.stream.record...)
	s.listed.Do(func() { s.log.Info("The shards of the stream are known", zap.Int("open_shards", e.OpenShards)) })
}
