// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

func TestCloseSendsWhatIsBuffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, func(c *Config) { c.RecordMaxBufferedTime = 10 * time.Second })
		var got results
		for i := range 100 {
			require.NoError(t, p.Put(t.Context(), numbered("key", i), got.add))
		}
		start := time.Now()
		require.NoError(t, p.Close(t.Context()))
		assert.Equal(t, roundTrip, time.Since(start))
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 100}, outcomes(got.all()))
		assert.Len(t, readable(t, k), 100)

		require.ErrorIs(t, p.Put(t.Context(), sized("key", 1), got.add), ErrClosed)
		_, err := p.PutWait(t.Context(), sized("key", 1))
		require.ErrorIs(t, err, ErrClosed)
		require.NoError(t, p.Close(t.Context()))
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Len(t, got.all(), 100)
	})
}

func TestCloseWithoutAnyRecord(t *testing.T) {
	p, err := New(newTestKinesis(1), Config{})
	require.NoError(t, err)
	require.NoError(t, p.Close(t.Context()))
}

func TestCloseGivesUpWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Break(kpltest.ConnectionHangs)))
		p := startProducer(t, k, func(c *Config) { c.RecordMaxBufferedTime = 50 * time.Millisecond })
		var got results
		require.NoError(t, p.Put(t.Context(), sized("in flight", 1), got.add))
		advance(60 * time.Millisecond)
		require.NoError(t, p.Put(t.Context(), sized("buffered", 1), got.add))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, p.Close(ctx), context.DeadlineExceeded)
		assert.Equal(t, 20*time.Millisecond, time.Since(start))
		assert.Equal(t, map[Outcome]int{OutcomeClosed: 2}, outcomes(got.all()))
		for _, result := range got.all() {
			require.ErrorIs(t, result.Err, ErrClosed)
		}
	})
}

func TestPutBlocksAtTheBounds(t *testing.T) {
	bounds := map[string]func(*Config){
		"records": func(c *Config) { c.MaxOutstandingRecords = 2 },
		"bytes": func(c *Config) {
			c.MaxRecordSize, c.CollectionMaxSize = 1<<10, 1<<20
			c.AggregationMaxSize, c.MaxOutstandingBytes = 1<<10, 1<<10
		},
	}
	for name, bound := range bounds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := startProducer(t, newTestKinesis(1), bound)
				record := sized("key", 400)
				require.NoError(t, p.Put(t.Context(), record, nil))
				require.NoError(t, p.Put(t.Context(), record, nil))
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				start := time.Now()
				require.ErrorIs(t, p.Put(ctx, record, nil), context.DeadlineExceeded)
				assert.Equal(t, time.Millisecond, time.Since(start))
				assert.Equal(t, 2, p.Stats().OutstandingRecords)
				// The first call that blocked made the buffered records go, long before their linger ends.
				require.NoError(t, p.Put(t.Context(), record, nil))
				assert.Equal(t, roundTrip, time.Since(start))
				assert.EqualValues(t, 3, p.Stats().RecordsReceived)
			})
		})
	}
}

func TestCloseEndsBlockedPuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, func(c *Config) { c.MaxOutstandingRecords = 1 })
		var got results
		require.NoError(t, p.Put(t.Context(), sized("key", 1), got.add))
		failed := make(chan error)
		go func() { failed <- p.Put(t.Context(), sized("key", 1), got.add) }()
		synctest.Wait()
		closed := make(chan error)
		go func() { closed <- p.Close(t.Context()) }()
		require.ErrorIs(t, <-failed, ErrClosed)
		require.NoError(t, <-closed)
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 1}, outcomes(got.all()))
	})
}

func TestWaitCancelsWhatIsNotInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, func(c *Config) { c.RecordMaxBufferedTime = 10 * time.Second })
		holdBack(p)
		var other results
		require.NoError(t, p.Put(t.Context(), sized("key", 1), other.add))
		batch := p.NewBatch()
		require.NoError(t, batch.Put(t.Context(), sized("key", 60_000))) // fills a record
		for range 10 {
			require.NoError(t, batch.Put(t.Context(), sized("key", 200)))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		got := batch.Wait(ctx)
		assert.Equal(t, time.Second, time.Since(start))
		assert.Equal(t, map[Outcome]int{OutcomeCanceled: 11}, outcomes(got))
		assert.Equal(t, 1, p.Stats().OutstandingRecords)
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 1}, outcomes(other.all()))
		assert.Len(t, k.Records(testStream), 1)
	})
}

func TestWaitWaitsForWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startProducer(t, newTestKinesis(1), withoutLinger)
		batch := p.NewBatch()
		require.NoError(t, batch.Put(t.Context(), sized("key", 200)))
		ctx, cancel := context.WithTimeout(t.Context(), roundTrip/2)
		defer cancel()
		start := time.Now()
		got := batch.Wait(ctx)
		assert.Equal(t, roundTrip, time.Since(start))
		require.NoError(t, got[0].Err)
	})
}

func TestPutDoesNotAcceptInvalidRecords(t *testing.T) {
	p := startProducer(t, newTestKinesis(1), nil)
	long := strings.Repeat("é", MaxPartitionKeyLength)
	cases := map[string]struct {
		record  UserRecord
		want    error
		message string
	}{
		"no stream":      {UserRecord{PartitionKey: "k"}, ErrInvalidRecord, "no stream"},
		"long key":       {UserRecord{Stream: "s", PartitionKey: long + "x"}, ErrInvalidRecord, "257 characters, the limit is 256"},
		"not UTF-8":      {UserRecord{Stream: "s", PartitionKey: "\xff"}, ErrInvalidRecord, "UTF-8"},
		"hash key alone": {UserRecord{Stream: "s", ExplicitHashKey: "1"}, ErrInvalidRecord, "needs a partition key"},
		"negative hash key": {
			UserRecord{Stream: "s", PartitionKey: "k", ExplicitHashKey: "-1"}, ErrInvalidRecord, "not a decimal number",
		},
		"hash key too large": {
			UserRecord{Stream: "s", PartitionKey: "k", ExplicitHashKey: "340282366920938463463374607431768211456"},
			ErrInvalidRecord, "not a decimal number from 0 to 2^128-1",
		},
		"too large": {sized("key", 1<<20-2), ErrRecordTooLarge, "1048577 bytes with its partition key, the limit is 1048576"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := p.Put(t.Context(), c.record, func(Result) { t.Error("a Result for a record that was not accepted") })
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.message)
		})
	}
	assert.Zero(t, p.Stats())
	_, err := newUserRecord(&UserRecord{Stream: "s", PartitionKey: long}, 1<<20)
	require.NoError(t, err, "256 characters are allowed, however many bytes they are")
}
