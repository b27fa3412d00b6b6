// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// The Result at index i is that of the i-th Put, whatever became of the other records.
func TestResultsLineUpWithPuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startProducer(t, newTestKinesis(1), nil)
		batch := p.NewBatch()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		puts := []struct {
			ctx     context.Context //nolint:containedctx // of one Put
			record  UserRecord
			outcome Outcome
			wraps   []error
		}{
			{t.Context(), sized("key", 10), OutcomeSuccess, nil},
			{t.Context(), sized("key", 2<<20), OutcomeRejected, []error{ErrRejected, ErrRecordTooLarge}},
			{t.Context(), sized(strings.Repeat("k", 257), 1), OutcomeRejected, []error{ErrRejected, ErrInvalidRecord}},
			{t.Context(), sized("key", 10), OutcomeSuccess, nil},
			{ended, sized("key", 10), OutcomeCanceled, []error{ErrCanceled, context.Canceled}},
			{t.Context(), sized("key", 10), OutcomeSuccess, nil},
		}
		errs := make([]error, len(puts))
		for i, put := range puts {
			errs[i] = batch.Put(put.ctx, put.record)
		}
		results := batch.Wait(t.Context())
		require.Len(t, results, len(puts))
		for i, put := range puts {
			assert.Equal(t, put.outcome, results[i].Outcome(), i)
			assert.Equal(t, errs[i], results[i].Err, i)
			for _, err := range put.wraps {
				require.ErrorIs(t, results[i].Err, err, i)
			}
			var failure *RecordError
			if put.wraps != nil && assert.ErrorAs(t, results[i].Err, &failure, i) {
				assert.Error(t, failure.Cause)
				assert.Equal(t, put.outcome != OutcomeRejected, failure.Retryable())
			}
		}
		var size *SizeError
		require.ErrorAs(t, results[1].Err, &size)
		assert.Equal(t, SizeError{Size: 2<<20 + len("key"), Limit: 1 << 20}, *size)
		assert.EqualValues(t, 3, p.Stats().RecordsReceived)
	})
}

// Nobody has to wait for records of which none was accepted.
func TestBatchOfWhatIsNotAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startProducer(t, newTestKinesis(1), nil)
		batch := p.NewBatch()
		require.ErrorIs(t, batch.Put(t.Context(), sized("key", 2<<20)), ErrRecordTooLarge)
		require.NoError(t, p.Close(t.Context()))
		require.ErrorIs(t, batch.Put(t.Context(), sized("key", 1)), ErrClosed)
		start := time.Now()
		results := batch.Wait(t.Context())
		assert.Zero(t, time.Since(start))
		assert.Equal(t, map[Outcome]int{OutcomeRejected: 1, OutcomeClosed: 1}, outcomes(results))
		require.EqualError(t, results[1].Err, "kpl: the producer is closed")
	})
}

func TestPutWaitReturnsTheErrorOfTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, nil)
		result, err := p.PutWait(t.Context(), sized("key", 2<<20))
		require.ErrorIs(t, err, ErrRecordTooLarge)
		assert.Equal(t, err, result.Err)

		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailCall(kpltest.CodeAccessDenied)))
		result, err = p.PutWait(t.Context(), sized("key", 1))
		require.ErrorIs(t, err, ErrUnavailable)
		assert.Equal(t, err, result.Err)
		assert.Equal(t, OutcomeUnavailable, result.Outcome())
	})
}

// While PutWait waits, its context ends the wait and not the record.
func TestPutWaitStopsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		result, err := p.PutWait(ctx, sized("key", 1))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Empty(t, result)
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Len(t, k.Records(testStream), 1)
	})
}

func TestPutWithAnEndedContextAcceptsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startProducer(t, newTestKinesis(1), nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := p.Put(ctx, sized("key", 1), func(Result) { t.Error("a Result for a record that was not accepted") })
		require.ErrorIs(t, err, context.Canceled)
		require.EqualError(t, err, "kpl: the record was canceled before it was sent: context canceled")
		_, err = p.PutWait(ctx, sized("key", 1))
		require.ErrorIs(t, err, context.Canceled)
		assert.Zero(t, p.Stats())
	})
}

// Flush makes the producer send without waiting for more, and does not wait for the Results.
func TestFlushDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, func(c *Config) { c.RecordMaxBufferedTime = 10 * time.Second })
		holdBack(p)
		var got results
		start := time.Now()
		for range 3 {
			require.NoError(t, p.Put(t.Context(), sized("key", 1), got.add))
			p.Flush()
			assert.Empty(t, got.all())
			assert.Zero(t, time.Since(start))
		}
		advance(roundTrip)
		synctest.Wait()
		assert.Len(t, got.all(), 3)
		require.NoError(t, p.Close(t.Context()))
		p.Flush()
	})
}

// Every Close returns when all is over, and each of them can end the wait.
func TestEveryCloseWaits(t *testing.T) {
	const slow = 500 * time.Millisecond
	for name, tt := range map[string]struct {
		first, second time.Duration // that the two of them wait at most
		elapsed       time.Duration
		firstErr      error
		secondErr     error
		outcome       Outcome
	}{
		"both are patient":         {time.Hour, time.Hour, slow, nil, nil, OutcomeSuccess},
		"the second has no time":   {time.Hour, slow / 2, slow / 2, nil, context.DeadlineExceeded, OutcomeClosed},
		"the first has no time":    {slow / 2, time.Hour, slow / 2, context.DeadlineExceeded, nil, OutcomeClosed},
		"the second starts at end": {time.Hour, 0, 0, nil, context.DeadlineExceeded, OutcomeClosed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: testStream, Shards: 1})
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(slow)))
				p, err := New(k, Config{})
				require.NoError(t, err)
				var got results
				require.NoError(t, p.Put(t.Context(), sized("key", 1), got.add))
				start := time.Now()
				closeWithin := func(patience time.Duration) error {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					err := p.Close(ctx)
					assert.Equal(t, tt.elapsed, time.Since(start))
					assert.Equal(t, map[Outcome]int{tt.outcome: 1}, outcomes(got.all()))
					return err
				}
				var closing sync.WaitGroup
				closing.Go(func() { assert.ErrorIs(t, closeWithin(tt.first), tt.firstErr) })
				synctest.Wait()
				closing.Go(func() { assert.ErrorIs(t, closeWithin(tt.second), tt.secondErr) })
				closing.Wait()
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				require.NoError(t, p.Close(ended), "nothing is left to wait for")
			})
		})
	}
}

// A Put that races with Close is either accepted or not, and the count says the same.
func TestReceivedCountsAcceptedRecordsOnly(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			p, err := New(newTestKinesis(2), Config{MaxOutstandingRecords: 30})
			require.NoError(t, err)
			var accepted, ended atomic.Int64
			var putting sync.WaitGroup
			for range 8 {
				putting.Go(func() {
					for p.Put(t.Context(), sized("key", 100), func(Result) { ended.Add(1) }) == nil {
						accepted.Add(1)
					}
				})
			}
			advance(roundTrip)
			require.NoError(t, p.Close(t.Context()))
			putting.Wait()
			assert.Equal(t, accepted.Load(), p.Stats().RecordsReceived)
			assert.Equal(t, accepted.Load(), ended.Load())
			assert.Zero(t, p.Stats().OutstandingRecords)
		})
	}
}
