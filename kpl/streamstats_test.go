// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// A snapshot says what waits where: for the limits of a shard, in a call, before the next attempt, and for how long.
func TestStreamsSaysWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		heal := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(time.Second)))
		var mu sync.Mutex
		var held []time.Duration // guarded by mu
		p := startProducer(t, k, func(c *Config) {
			c.AggregationFormat = AggregationNone
			c.Observer.RequestFinished = func(e RequestEvent) {
				mu.Lock()
				defer mu.Unlock()
				for i := range e.Entries {
					held = append(held, e.Entries[i].Held)
				}
			}
		})
		assert.Empty(t, p.Streams(t.Context()))
		start := time.Now()
		var got results
		const records, size = 30, 100_000 // for nearly three seconds of a shard
		for range records {
			require.NoError(t, p.Put(t.Context(), sized("key", size), got.add))
		}
		advance(100 * time.Millisecond)
		stats := p.Streams(t.Context())
		require.Len(t, stats, 1)
		s := stats[0]
		assert.Equal(t, testStream, s.Stream)
		assert.Equal(t, start, s.Oldest)
		assert.Positive(t, s.Requests)
		assert.Zero(t, s.Retrying)
		const bucket = 10 // a second's worth goes at once, and perhaps one more in the time since
		assert.InDelta(t, records-bucket, s.HeldRecords, 1)
		assert.Equal(t, s.HeldRecords*(size+len("key")), s.HeldBytes)
		require.Len(t, s.Busiest, 1)
		assert.Equal(t, k.OpenShards(testStream)[0].ID, string(s.Busiest[0].ShardID))
		assert.Equal(t, s.HeldRecords, s.Busiest[0].HeldRecords)
		assert.Equal(t, s.HeldBytes, s.Busiest[0].HeldBytes)
		assert.InDelta(t, 1, s.Busiest[0].Share, 0)
		assert.InDelta(t, 1.9+.9, s.Busiest[0].Delay.Seconds(), .2, "the bytes that wait, and those that were sent")

		heal()
		require.NoError(t, p.FlushWait(t.Context()))
		s = p.Streams(t.Context())[0]
		assert.WithinDuration(t, time.Now(), s.LastStored, 50*time.Millisecond)
		s.LastStored = time.Time{}
		assert.Equal(t, StreamStats{Stream: testStream}, s, "nothing waits any more")
		mu.Lock()
		defer mu.Unlock()
		assert.Len(t, held, records)
		assert.Zero(t, slices.Min(held))
		assert.InDelta(t, 1.9, slices.Max(held).Seconds(), .2)
	})
}

// What pauses before its next attempt is counted, and the oldest record is found there too.
func TestStreamsSaysWhatIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(2)
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailCall(kpltest.CodeInternalFailure)))
		p := startProducer(t, k, func(c *Config) { c.RecordMaxBufferedTime = NoBuffering })
		start := time.Now()
		require.NoError(t, p.Put(t.Context(), numbered("key", 0), nil))
		advance(10 * time.Second)
		s := p.Streams(t.Context())[0]
		assert.Equal(t, 1, s.Retrying+s.Requests)
		assert.Zero(t, s.LastStored)
		assert.Equal(t, start, s.Oldest)
	})
}

// A stream that is about to be forgotten, and a context that has ended, give no answer and no wait.
func TestStreamsWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startProducer(t, newTestKinesis(1), nil)
		_, err := p.PutWait(t.Context(), numbered("key", 0))
		require.NoError(t, err)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		assert.LessOrEqual(t, len(p.Streams(ended)), 1)
		require.NoError(t, p.Close(t.Context()))
		assert.Empty(t, p.Streams(t.Context()))
	})
}

// An attempt that is made again after its answer was lost may have stored the record already.
func TestResent(t *testing.T) {
	for name, tt := range map[string]struct {
		fault kpltest.Fault
		want  int
	}{
		"answer cut off":     {kpltest.Break(kpltest.ConnectionCut), 1},
		"no answer":          {kpltest.Break(kpltest.ConnectionHangs), 1},
		"stored, no answer":  {kpltest.Break(kpltest.ConnectionHangsStored), 1},
		"throttled":          {kpltest.FailCall(kpltest.CodeThrottled), 0},
		"an internal error":  {kpltest.FailCall(kpltest.CodeInternalFailure), 0},
		"the call works":     {kpltest.Latency(time.Second), 0},
		"one record is left": {kpltest.FailRecords(kpltest.CodeThrottled, func(types.PutRecordsRequestEntry) bool { return true }), 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(1)
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Times(1, tt.fault)))
				result, err := startProducer(t, k, nil).PutWait(t.Context(), numbered("key", 0))
				require.NoError(t, err)
				assert.Equal(t, tt.want, result.Resent())
			})
		})
	}
}

// A connection that was never there has stored nothing.
func TestLostAnswer(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{dial, false},
		{fmt.Errorf("send: %w", dial), false},
		{&net.OpError{Op: "read", Err: errors.New("connection reset")}, true},
		{context.DeadlineExceeded, true},
		{io.ErrUnexpectedEOF, true},
		{countMismatchError{1, 2}, true},
	} {
		assert.Equal(t, tt.want, lostAnswer(tt.err, faultOfCall(tt.err)), "%v", tt.err)
	}
}
