// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// sharesByKey returns shares whose shards are the keys.
func sharesByKey(capacity, open int) *shardShares {
	return newShardShares(newBudget(capacity, false), 0, func(m *marshaler.Message) (place, int, bool) {
		return place{shard: kpl.ShardID(m.PartitionKey)}, open, m.PartitionKey != ""
	})
}

// enter takes room in the budget for a request, and counts it for its shards. What is over leaves at once.
func (s *shardShares) enter(t *testing.T, r *request) (over []crowded) {
	t.Helper()
	require.NoError(t, s.budget.take(t.Context(), r))
	if over = s.accept(r, time.Now()); len(over) > 0 {
		r.release()
	}
	return over
}

// requestOfSize returns a request with a message of so many bytes, all counted, for each key.
func requestOfSize(size int, keys ...string) *request {
	r := &request{}
	for _, key := range keys {
		r.messages = append(r.messages, &message{Message: marshaler.Message{PartitionKey: key, Items: 1}, size: size})
		r.size += size
	}
	r.own = r.messages
	return r
}

// A shard gets as much as is free, however many shards are full already. What is left serves all others.
func TestSharesAreWhatIsFree(t *testing.T) {
	for full, most := range map[int]int{1: 50, 2: 33, 3: 25, 9: 10} {
		t.Run(fmt.Sprint(full, " shards"), func(t *testing.T) {
			s := sharesByKey(100, 20)
			for range 100 {
				for shard := range full {
					s.enter(t, requestOfSize(1, fmt.Sprint("sick", shard)))
				}
			}
			for shard := range full {
				held := s.held[place{shard: kpl.ShardID(fmt.Sprint("sick", shard))}].bytes.Load()
				assert.InDelta(t, most, held, 1)
			}
			for range 1000 { // a healthy shard goes on, message by message
				r := requestOfSize(1, "healthy")
				require.Empty(t, s.enter(t, r))
				r.release()
			}
		})
	}
}

func TestSharesCountUntilRelease(t *testing.T) {
	s := sharesByKey(100, 2)
	r := requestOfSize(20, "a", "a", "a", "b")
	require.Empty(t, s.enter(t, r))
	assert.EqualValues(t, 80, s.budget.used.Load())
	assert.EqualValues(t, 60, s.held[place{shard: "a"}].bytes.Load())
	over := s.enter(t, requestOfSize(5, "b", "a"))
	require.Len(t, over, 1)
	assert.EqualValues(t, "a", over[0].place.shard)
	assert.ErrorContains(t, &over[0], "shard a takes less than there is for it")
	assert.ErrorContains(t, &over[0], "(60 of 100 bytes)")
	assert.EqualValues(t, 80, s.budget.used.Load(), "nothing of it counts")

	r.messages[0].handOver()
	assert.EqualValues(t, 40, s.held[place{shard: "a"}].bytes.Load(), "a delivered message leaves its shard at once")
	assert.EqualValues(t, 60, s.budget.used.Load(), "and the queue")
	r.release()
	r.release()
	assert.Zero(t, s.budget.used.Load())
	assert.Zero(t, s.held[place{shard: "a"}].bytes.Load())
	assert.Zero(t, s.held[place{shard: "b"}].bytes.Load())
}

// Nothing is counted where it makes no sense: for a stream with one shard, and while the shards are not known.
func TestSharesWithoutShards(t *testing.T) {
	for name, s := range map[string]*shardShares{"one shard": sharesByKey(100, 1), "unknown": sharesByKey(100, 0)} {
		require.Empty(t, s.enter(t, requestOfSize(90, "a")), name)
		require.Empty(t, s.enter(t, requestOfSize(9, "a")), name)
	}
}

// Shards come and go. The shares of those that are gone do not stay.
func TestSharesOfOldShardsAreForgotten(t *testing.T) {
	s := sharesByKey(1_000_000, 4)
	kept := requestOfSize(1, "kept")
	require.Empty(t, s.enter(t, kept))
	for i := range 3 * sharesKept {
		r := requestOfSize(1, fmt.Sprint(i))
		require.Empty(t, s.enter(t, r))
		r.release()
	}
	assert.LessOrEqual(t, len(s.held), sharesKept)
	assert.EqualValues(t, 1, s.held[place{shard: "kept"}].bytes.Load())
}

// A shard gets as many pushes as consumers are free. Those that are retried count once, and delivered messages do not count.
func TestSharesOfPushes(t *testing.T) {
	s := sharesByKey(1_000_000, 2)
	s.consumers = defaultConsumers
	var pushed []*request
	for range defaultConsumers {
		r := requestOfSize(1, "sick", "healthy")
		if len(s.enter(t, r)) > 0 {
			break
		}
		s.beginPush(r.messages)
		s.beginPush(r.messages)
		r.messages[1].handOver()
		pushed = append(pushed, r)
	}
	assert.Len(t, pushed, defaultConsumers/2+1)
	assert.Empty(t, s.enter(t, requestOfSize(1, "healthy")))
	assert.Equal(t, "shard sick", s.partition(pushed[0]), "its requests are merged among themselves")
	healthy := requestOfSize(1, "healthy")
	require.Empty(t, s.enter(t, healthy))
	assert.Empty(t, s.partition(healthy))
	for _, r := range pushed {
		r.release()
	}
	assert.Zero(t, s.pushes.Load())
	assert.Zero(t, s.held[place{shard: "sick"}].pushes.Load())
	assert.Zero(t, s.held[place{shard: "healthy"}].pushes.Load())
}

// If the stream as a whole is slow, no shard is to blame. Then the queue itself is full.
func TestSharesOfASlowStream(t *testing.T) {
	s := sharesByKey(100, 3)
	for i := range 100 {
		require.Empty(t, s.enter(t, requestOfSize(1, fmt.Sprint("shard", i%3))), i)
	}
	assert.EqualValues(t, 100, s.budget.used.Load())
}
