// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"bytes"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// availability notes the availability that an Observer is told.
type availability struct{ changes chan error }

func (a availability) observer() Observer {
	return Observer{AvailabilityChanged: func(e AvailabilityEvent) { a.changes <- e.Err }}
}

func TestUnavailableGivesDataBackAndProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		allow := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailCall(kpltest.CodeAccessDenied)))
		seen := availability{changes: make(chan error, 10)}
		p := startProducer(t, k, func(c *Config) { c.RecordMaxBufferedTime, c.Observer = NoBuffering, seen.observer() })

		start := time.Now()
		result, err := p.PutWait(t.Context(), sized("key", 1))
		require.ErrorIs(t, err, ErrUnavailable)
		assert.Equal(t, roundTrip, time.Since(start), "nothing is gained by trying again")
		var failure *RecordError
		require.ErrorAs(t, result.Err, &failure)
		assert.True(t, failure.Retryable())
		assert.Equal(t, kpltest.CodeAccessDenied, failure.Code)
		require.ErrorIs(t, <-seen.changes, ErrUnavailable)

		// Records that come meanwhile wait for the probe after a second, and end as the probe does.
		var got results
		for i := range 1000 {
			require.NoError(t, p.Put(t.Context(), numbered("key", i), got.add))
			require.NoError(t, p.Put(t.Context(), sized("other key", 50_000), got.add))
			if i%100 == 0 {
				advance(time.Millisecond)
			}
		}
		synctest.Wait()
		assert.Len(t, k.Calls(kpltest.OpPutRecords), 1)
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, time.Second+2*roundTrip, time.Since(start))
		assert.Equal(t, map[Outcome]int{OutcomeUnavailable: 2000}, outcomes(got.all()))
		assert.Len(t, k.Calls(kpltest.OpPutRecords), 2)
		for _, result := range got.all() {
			require.ErrorContains(t, result.Err, kpltest.CodeAccessDenied)
		}

		allow()
		_, err = p.PutWait(t.Context(), sized("key", 1))
		require.NoError(t, err)
		require.NoError(t, <-seen.changes)
		assert.Equal(t, 3*time.Second+3*roundTrip, time.Since(start), "the next probe is due two seconds after the last failed")
		assert.Empty(t, seen.changes)
	})
}

func TestOneRejectedRecordTakesNoOtherWithIt(t *testing.T) {
	poison := []byte("poison")
	isPoison := func(r types.PutRecordsRequestEntry) bool { return bytes.Contains(r.Data, poison) }
	faults := map[string]kpltest.Fault{
		"the record in the answer": kpltest.FailRecords(kpltest.CodeInvalidArgument, isPoison),
		"the whole call": func(call *kpltest.Call) kpltest.Action {
			if slices.ContainsFunc(call.Records, isPoison) {
				return kpltest.Action{Code: kpltest.CodeValidation}
			}
			return kpltest.Action{}
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(4)
				k.Inject(fault)
				p := startProducer(t, k, nil)
				var got, bad results
				putNumbered(t, p, 0, 500, &got)
				record := UserRecord{Stream: testStream, PartitionKey: "bad", Data: poison}
				require.NoError(t, p.Put(t.Context(), record, bad.add))
				putNumbered(t, p, 500, 500, &got)
				require.NoError(t, p.FlushWait(t.Context()))
				assert.Equal(t, map[Outcome]int{OutcomeSuccess: 1000}, outcomes(got.all()))
				require.Equal(t, map[Outcome]int{OutcomeRejected: 1}, outcomes(bad.all()))
				var failure *RecordError
				require.ErrorAs(t, bad.all()[0].Err, &failure)
				assert.False(t, failure.Retryable())
				seen := readable(t, k)
				assert.Len(t, seen, 1000)
				for number, times := range seen {
					assert.Equal(t, 1, times, number)
				}
			})
		})
	}
}

func TestFailIfThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		k.Inject(kpltest.FailRecordFraction(kpltest.CodeThrottled, 1))
		p := startProducer(t, k, func(c *Config) { c.RecordMaxBufferedTime, c.FailIfThrottled = NoBuffering, true })
		start := time.Now()
		_, err := p.PutWait(t.Context(), sized("key", 1))
		require.ErrorIs(t, err, ErrThrottled)
		assert.Equal(t, roundTrip, time.Since(start))
	})
}

func TestRecordsExpireExactly(t *testing.T) {
	faults := map[string]struct {
		fault   kpltest.Fault
		code    string
		elapsed time.Duration
	}{
		"throttled": {kpltest.FailRecordFraction(kpltest.CodeThrottled, 1), kpltest.CodeThrottled, 3 * time.Second},
		"broken":    {kpltest.Break(kpltest.ConnectionReset), CodeConnection, 3 * time.Second},
		// The second call is in flight when the TTL ends, so the record ends with the outcome of this call.
		"hanging": {kpltest.Break(kpltest.ConnectionHangs), CodeTimeout, 4 * time.Second},
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: testStream, Shards: 1})
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, f.fault))
				p := startProducer(t, k, func(c *Config) {
					c.RecordMaxBufferedTime, c.RecordTTL, c.RequestTimeout = NoBuffering, 3*time.Second, 2*time.Second
				})
				start := time.Now()
				result, err := p.PutWait(t.Context(), sized("key", 1))
				require.ErrorIs(t, err, ErrExpired)
				assert.InDelta(t, f.elapsed, time.Since(start), float64(firstBackoff))
				var failure *RecordError
				require.ErrorAs(t, result.Err, &failure)
				assert.Equal(t, f.code, failure.Code, "the cause, not only that time ran out")
				assert.Len(t, result.Attempts, failure.Attempts)
			})
		})
	}
}

func TestLostResponseIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Times(1, kpltest.Break(kpltest.ConnectionCut))))
		p := startProducer(t, k, withoutLinger)
		result, err := p.PutWait(t.Context(), numbered("key", 7))
		require.NoError(t, err)
		assert.Len(t, result.Attempts, 2)
		assert.Equal(t, map[int]int{7: 2}, readable(t, k), "nobody can know that the first was stored")
	})
}

func TestAnswerWithoutAnEntryForEachRecord(t *testing.T) {
	p := newPipeline(new(Config{}.WithDefaults()), testRandom(), new(memberPool))
	now := at(0)
	r := &request{records: []*kinesisRecord{{members: []userRecord{{received: now}}}}}
	r.read(&kinesis.PutRecordsOutput{}, nil)
	p.inFlight.sent(r)
	p.complete(now, r)
	require.Len(t, p.retrier.groups, 1)
	attempts := p.retrier.groups[0].members[0].trips()
	require.Len(t, attempts, 1)
	assert.Equal(t, CodeCountMismatch, attempts[0].Code)
	assert.Equal(t, "the answer has 0 entries for 1 records", attempts[0].Message)
}

func TestRecordErrorTellsItsCause(t *testing.T) {
	err := &RecordError{Outcome: OutcomeExpired, Code: "InternalFailure", Message: "oops", Attempts: 3}
	require.EqualError(t, err, "kpl: the record was not delivered within its TTL (attempts: 3, last: InternalFailure: oops)")
	require.EqualError(t, &RecordError{Outcome: OutcomeClosed}, "kpl: the producer is closed (attempts: 0)")
	for outcome := OutcomeThrottled; outcome <= OutcomeClosed; outcome++ {
		err := &RecordError{Outcome: outcome}
		require.Len(t, err.Unwrap(), 1, outcome)
		assert.Equal(t, outcome != OutcomeRejected, err.Retryable())
		assert.NotEqual(t, "unknown", outcome.String())
	}
}
