// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kplotel

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/metric"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// scope is the name of the meter.
const scope = "github.com/otel-kinesis/kinesiskplexporter/kpl/kplotel"

// NewObserver returns an Observer that makes metrics with a meter of provider. The error is that of the provider.
//
// Time series are bounded: at most 1,000 streams and the codes of [kpl.WellKnownCodes] have names of their own. All others
// are counted as "other". No event leaves garbage behind, but for the first of its kind.
//
// The functions StreamDescribed, DistributionChanged, CBORUnsupported, CBORSupported, AvailabilityChanged and StreamClosed are
// nil, because such news belong in a log. Set them to your own.
func NewObserver(provider metric.MeterProvider) (kpl.Observer, error) {
	o := &observer{wellKnown: map[string]struct{}{}}
	for _, code := range kpl.WellKnownCodes() {
		o.wellKnown[code] = struct{}{}
	}
	if err := o.create(provider.Meter(scope)); err != nil {
		return kpl.Observer{}, fmt.Errorf("kplotel: %w", err)
	}
	return kpl.Observer{
		RecordFinished:  o.recordFinished,
		RequestFinished: o.requestFinished,
		Misplaced:       o.misplaced,
		Flushed:         o.flushed,
		ShardsListed:    o.shardsListed,
	}, nil
}

// RegisterStats makes metrics of what stats returns, which is usually [kpl.Producer.Stats] of a producer. Unregister them when
// the producer is closed. The error is that of the provider.
func RegisterStats(provider metric.MeterProvider, stats func() kpl.Stats) (metric.Registration, error) {
	meter := provider.Meter(scope)
	received, err := meter.Int64ObservableCounter(prefix+"user_records_received",
		metric.WithDescription("User records that were accepted."), metric.WithUnit("{record}"))
	pending, pendingErr := meter.Int64ObservableGauge(prefix+"user_records_pending",
		metric.WithDescription("User records that the producer holds."), metric.WithUnit("{record}"))
	dataPending, dataErr := meter.Int64ObservableGauge(prefix+"user_records_data_pending",
		metric.WithDescription("Bytes of data and partition keys that the producer holds."), metric.WithUnit("By"))
	if err := errors.Join(err, pendingErr, dataErr); err != nil {
		return nil, fmt.Errorf("kplotel: %w", err)
	}
	return meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := stats()
		o.ObserveInt64(received, s.RecordsReceived)
		o.ObserveInt64(pending, int64(s.OutstandingRecords))
		o.ObserveInt64(dataPending, int64(s.OutstandingBytes))
		return nil
	}, received, pending, dataPending)
}

// observer is what the functions of an Observer share.
type observer struct {
	instruments
	streams   streams
	wellKnown map[string]struct{} // error codes
}

func (o *observer) recordFinished(e kpl.RecordEvent) {
	ctx, s := context.Background(), o.streams.of(e.Stream)
	outcome := e.Result.Outcome()
	o.userRecordsPut.Add(ctx, 1, s.outcomes[outcome].add...)
	if outcome == kpl.OutcomeSuccess {
		o.userRecordsDataPut.Add(ctx, int64(e.Bytes), s.plain.add...)
	}
	sent := e.Finished
	if attempts := e.Result.Attempts; len(attempts) > 0 {
		sent = attempts[0].Start
		o.retriesPerRecord.Record(ctx, int64(len(attempts)-1), s.plain.record...)
	}
	o.bufferingTime.Record(ctx, sent.Sub(e.Received).Seconds(), s.plain.record...)
	o.userRecordTime.Record(ctx, e.Finished.Sub(e.Received).Seconds(), s.plain.record...)
	if resent := e.Result.Resent(); resent > 0 {
		o.userRecordsResent.Add(ctx, int64(resent), s.plain.add...)
	}
}

func (o *observer) requestFinished(e kpl.RequestEvent) {
	ctx, s := context.Background(), o.streams.of(e.Stream)
	o.requestTime.Record(ctx, e.End.Sub(e.Start).Seconds(), s.plain.record...)
	o.kinesisRecordsPerRequest.Record(ctx, int64(len(e.Entries)), s.plain.record...)
	if e.Code != "" {
		o.failed(s, e.Code)
	}
	for i := range e.Entries {
		entry := &e.Entries[i]
		o.userRecordsPerKinesisRecord.Record(ctx, int64(entry.UserRecords), s.plain.record...)
		o.rateLimitTime.Record(ctx, entry.Held.Seconds(), s.plain.record...)
		if entry.Code == "" {
			o.kinesisRecordsPut.Add(ctx, 1, s.success.add...)
			o.putUnits.Add(ctx, int64(entry.PutUnits), s.plain.add...)
			o.kinesisRecordsDataPut.Add(ctx, int64(entry.Bytes), s.plain.add...)
			continue
		}
		o.kinesisRecordsPut.Add(ctx, 1, s.failure.add...)
		if e.Code == "" { // an error of the whole call is no error of each record
			o.failed(s, entry.Code)
		}
	}
}

// misplaced counts a record that readers skip as an error.
func (o *observer) misplaced(e kpl.MisplacedEvent) { o.failed(o.streams.of(e.Stream), e.Entry.Code) }

// failed counts an error of a call or a Kinesis record.
func (o *observer) failed(s *streamSeries, code string) {
	ctx := context.Background()
	if _, known := o.wellKnown[code]; !known {
		code = otherName
	}
	o.errorsByCode.Add(ctx, 1, s.ofCode(code).add...)
}

func (o *observer) flushed(e kpl.FlushEvent) {
	o.flushes.Add(context.Background(), 1, o.streams.of(e.Stream).flushes[e.Stage][e.Reason].add...)
}

func (o *observer) shardsListed(e kpl.ListingEvent) {
	ctx, s := context.Background(), o.streams.of(e.Stream)
	if e.Err != nil {
		o.shardMapRefreshes.Add(ctx, 1, s.failure.add...)
		return
	}
	o.shardMapRefreshes.Add(ctx, 1, s.success.add...)
	o.openShards.Record(ctx, int64(e.OpenShards), s.plain.record...)
}
