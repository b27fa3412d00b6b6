// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// Streams that do not exist cost a few calls. Once nobody puts records into them, they cost nothing.
func TestUnknownStreamsAreForgotten(t *testing.T) {
	// With the race detector a program may have 8,128 goroutines.
	for _, names := range []int{1, 200} {
		putIntoUnknownStreams(t, names)
	}
}

func putIntoUnknownStreams(t *testing.T, names int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, nil)
		var got results
		for i := range names {
			require.NoError(t, p.Put(t.Context(), UserRecord{Stream: fmt.Sprint("unknown-", i), Data: []byte("a")}, got.add))
		}
		advance(time.Minute)
		assert.Equal(t, map[Outcome]int{OutcomeUnavailable: names}, outcomes(got.all()))
		calls := len(k.Calls(kpltest.OpListShards))
		assert.LessOrEqual(t, calls, 2*names, "the first listing, and one after the request")
		assert.GreaterOrEqual(t, goroutines(), 4*names)

		advance(time.Hour)
		assert.Len(t, k.Calls(kpltest.OpListShards), calls, "nobody needs the shards")
		assert.Len(t, k.Calls(kpltest.OpDescribeStreamSummary), names)
		assert.Zero(t, goroutines())
		assert.EqualValues(t, names, p.Stats().RecordsReceived)
		assert.Empty(t, p.all())
	})
}

// goroutines counts those of producers.
func goroutines() int {
	stacks := make([]byte, 64<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return len(regexp.MustCompile(`(?m)kpl\.\(\*(stream|delivery|refresher|describer|worker)\)\.(run|loop)\(`).FindAll(stacks, -1))
}

// The first record after the stream was forgotten starts it again.
func TestQuietStreamWorksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(2)
		closed := 0
		p := startProducer(t, k, func(c *Config) {
			c.Observer.StreamClosed = func(e StreamEvent) {
				assert.Equal(t, testStream, e.Stream)
				closed++
			}
		})
		for round := range 3 {
			listings := len(k.Calls(kpltest.OpListShards))
			var got results
			putNumbered(t, p, 100*round, 100, &got)
			require.NoError(t, p.FlushWait(t.Context()))
			assert.Equal(t, map[Outcome]int{OutcomeSuccess: 100}, outcomes(got.all()))
			advance(StreamIdleTime - time.Second)
			assert.Len(t, p.all(), 1, "it is kept for the time that the constant says")
			advance(2 * time.Second)
			synctest.Wait()
			assert.Empty(t, p.all())
			assert.Equal(t, round+1, closed)
			assert.Len(t, k.Calls(kpltest.OpListShards), listings+1)
			require.NoError(t, p.FlushWait(t.Context()))
		}
		assert.Len(t, readable(t, k), 300)
		assert.EqualValues(t, 300, p.Stats().RecordsReceived)
	})
}

// A stream that gets a record now and then is not forgotten.
func TestSlowStreamIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, nil)
		for range 10 {
			_, err := p.PutWait(t.Context(), sized("key", 1))
			require.NoError(t, err)
			advance(StreamIdleTime - time.Millisecond)
		}
		assert.Len(t, k.Calls(kpltest.OpListShards), 1)
	})
}

// Records, flushes and Close come at the same moment in which a stream is forgotten.
func TestStreamIsForgottenWhileItIsUsed(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			k := newTestKinesis(1)
			p, err := New(k, Config{RecordMaxBufferedTime: NoBuffering})
			require.NoError(t, err)
			_, err = p.PutWait(t.Context(), numbered("key", 0))
			require.NoError(t, err)
			synctest.Wait()
			idleSince := p.all()[0].idleSince
			var got results
			var using sync.WaitGroup
			for i := range 8 {
				using.Go(func() {
					advance(time.Until(idleSince.Add(StreamIdleTime)))
					switch i {
					case 0, 1, 2, 3:
						assert.NoError(t, p.Put(t.Context(), numbered("key", 1+i), got.add))
					case 4, 5:
						assert.NoError(t, p.FlushWait(t.Context()))
					default:
						p.Flush()
						p.Stats()
					}
				})
			}
			using.Wait()
			require.NoError(t, p.FlushWait(t.Context()))
			assert.Equal(t, map[Outcome]int{OutcomeSuccess: 4}, outcomes(got.all()))
			assert.Len(t, readable(t, k), 5)
			assert.EqualValues(t, 5, p.Stats().RecordsReceived)
			synctest.Wait()

			advance(time.Until(p.all()[0].idleSince.Add(StreamIdleTime)))
			require.NoError(t, p.Close(t.Context()))
		})
	}
}

// A record that the loop has not taken up yet keeps its stream.
func TestStreamWithARecordInItsInboxIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startProducer(t, newTestKinesis(1), nil)
		_, err := p.PutWait(t.Context(), sized("key", 1))
		require.NoError(t, err)
		synctest.Wait()
		s := p.all()[0]
		s.mu.Lock()
		s.inbox.records = [][]userRecord{{}} // and nobody has woken the loop
		s.mu.Unlock()
		assert.False(t, p.retire(s))
		assert.Len(t, p.all(), 1)
	})
}

// A callback that takes long keeps its stream, so that FlushWait waits for it.
func TestSlowCallbackKeepsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startProducer(t, newTestKinesis(1), nil)
		start, slow := time.Now(), 3*StreamIdleTime
		require.NoError(t, p.Put(t.Context(), sized("key", 1), func(Result) { advance(slow) }))
		advance(2 * StreamIdleTime)
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Greater(t, time.Since(start), slow)
		advance(2 * StreamIdleTime)
		assert.Empty(t, p.all())
	})
}

// The Observer is told once that a stream accepts no records, and once that it does again, even if the producer has forgotten
// the stream in between.
func TestOutageOfAForgottenStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		allow := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailCall(kpltest.CodeAccessDenied)))
		seen := availability{changes: make(chan error, 10)}
		p := startProducer(t, k, func(c *Config) { c.RecordMaxBufferedTime, c.Observer = NoBuffering, seen.observer() })
		for range 3 {
			_, err := p.PutWait(t.Context(), sized("key", 1))
			require.ErrorIs(t, err, ErrUnavailable)
			advance(2 * StreamIdleTime)
			require.Empty(t, p.all())
		}
		require.Len(t, seen.changes, 1)
		require.ErrorIs(t, <-seen.changes, ErrUnavailable)
		allow()
		start := time.Now()
		_, err := p.PutWait(t.Context(), sized("key", 1))
		require.NoError(t, err)
		assert.Equal(t, roundTrip, time.Since(start), "the first request is a probe")
		require.Len(t, seen.changes, 1)
		require.NoError(t, <-seen.changes)
		assert.Empty(t, p.down)
	})
}

// Without permission to list shards the producer tries at long intervals, also if records come one by one.
func TestListingsThatFailStayRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		allow := k.Inject(kpltest.ForOperation(kpltest.OpListShards, kpltest.FailCall(kpltest.CodeAccessDenied)))
		p := startProducer(t, k, withoutLinger)
		put := func(seconds int) {
			for range seconds {
				_, err := p.PutWait(t.Context(), sized("key", 1))
				require.NoError(t, err)
				advance(time.Second)
			}
		}
		put(600)
		failed := len(k.Calls(kpltest.OpListShards))
		assert.Less(t, failed, 40)
		advance(StreamIdleTime - time.Second)
		assert.Len(t, k.Calls(kpltest.OpListShards), failed)
		allow()
		put(60)
		assert.Len(t, k.Calls(kpltest.OpListShards), failed+1)
	})
}

// Close also waits for streams that are just being forgotten.
func TestCloseAfterStreamsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := New(newTestKinesis(1), Config{})
		require.NoError(t, err)
		_, err = p.PutWait(t.Context(), sized("key", 1))
		require.NoError(t, err)
		advance(2 * StreamIdleTime)
		require.NoError(t, p.Close(context.Background()))
		require.ErrorIs(t, p.Put(t.Context(), sized("key", 1), nil), ErrClosed)
	})
}
