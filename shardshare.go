// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// shardShares limits how much of a queue one shard may hold, so that a shard that takes nothing does not stop the others. If the
// shard of a message is not known, but its stream is one of several, the stream has the share.
//
// A shard that holds more than others may hold as much as is free. So one such shard holds half of the queue at most, two hold
// a third each, and there is always as much room left for all others. It is how switches share their memory between ports
// (Choudhury and Hahne, "Dynamic queue length thresholds", 1998).
type shardShares struct {
	budget *budget // of the queue
	// consumers is how many pushes there may be at the same time. 0 means that their number is no limit for shards: there are so
	// few that all of them are busy at times.
	consumers int
	// placeOf returns where a message goes, and how many such places there are. It returns false if that is not known.
	placeOf func(*marshaler.Message) (place, int, bool)

	pushes atomic.Int64 // that wait for some shard
	all    shardShare   // the sum of all shares
	open   atomic.Int64 // shards; 0 before the first request with a known shard

	mu   sync.Mutex
	held map[place]*shardShare // guarded by mu
}

// shardShare is what a shard holds.
type shardShare struct {
	shares  *shardShares
	place   place
	crowded time.Time // since when it had no room at each look; zero if it had; guarded by shares.mu
	bytes   atomic.Int64
	pushes  atomic.Int64 // that wait for the shard
}

func newShardShares(b *budget, consumers int, placeOf func(*marshaler.Message) (place, int, bool)) *shardShares {
	if consumers < defaultConsumers {
		consumers = 0
	}
	return &shardShares{
		budget: b, consumers: consumers, placeOf: placeOf, held: map[place]*shardShare{},
	}
}

// accept counts the messages of a request that the budget has room for. It returns those that find no room in the share of their
// shard, and does not count them.
func (s *shardShares) accept(r *request, now time.Time) (over []crowded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	free := s.budget.capacity - s.budget.used.Load() + int64(r.size)
	for _, m := range r.messages {
		at, open, ok := s.placeOf(&m.Message)
		if !ok || open < 2 {
			continue
		}
		s.open.Store(int64(open))
		share := s.shareLocked(at)
		if s.isCrowded(share, int64(m.size), free) {
			if share.crowded.IsZero() {
				share.crowded = now
			}
			over = append(over, crowded{
				message: m, place: at, held: share.bytes.Load(), capacity: s.budget.capacity, lasted: now.Sub(share.crowded),
			})
			continue
		}
		share.crowded = time.Time{}
		m.share = share
		share.bytes.Add(int64(m.size))
		s.all.bytes.Add(int64(m.size))
	}
	return over
}

// isCrowded reports whether a shard would hold more than is free, of bytes or of consumers, and much more than other shards. If
// all shards hold about as much, the queue as a whole is full, and answers so itself.
func (s *shardShares) isCrowded(share *shardShare, wanted, free int64) bool {
	open := s.open.Load()
	if held, all := share.bytes.Load()+wanted, s.all.bytes.Load()+wanted; held > free && isUneven(held, all, open) {
		return true
	}
	pushes := share.pushes.Load()
	return s.consumers > 0 && pushes > int64(s.consumers)-s.pushes.Load() && isUneven(pushes, s.all.pushes.Load(), open)
}

// isUneven reports whether one of so many parts is more than a quarter above the mean.
func isUneven(part, all, parts int64) bool { return 4*part*parts > 5*all }

// sharesKept is how many shares may be there before those without bytes are removed. They are of shards that do not exist any
// more.
const sharesKept = 4096

// shareLocked returns the share of a shard. The caller holds mu.
func (s *shardShares) shareLocked(at place) *shardShare {
	share := s.held[at]
	if share != nil {
		return share
	}
	if len(s.held) >= sharesKept {
		for at, share := range s.held {
			if share.bytes.Load() == 0 {
				delete(s.held, at)
			}
		}
	}
	share = &shardShare{shares: s, place: at}
	s.held[at] = share
	return share
}

// leave takes a message out of the count of its shard.
func (s *shardShares) leave(share *shardShare, size int) {
	share.bytes.Add(-int64(size))
	s.all.bytes.Add(-int64(size))
}

// partOfOthers is the part of the queue that requests may hold which were merged with data for a slow shard before it was known
// to be slow.
const partOfOthers = 4

// partition names the requests with which r may be merged. A merged request leaves the queue as a whole. So requests with data
// for a slow shard are merged among themselves: they must not hold the room of others. A shard is slow if it holds more than
// its part of a quarter of the queue, or of the consumers.
func (s *shardShares) partition(r *request) string {
	parts := partOfOthers * max(s.open.Load(), 1)
	limit, pushLimit := max(mergedSize, s.budget.capacity/parts), max(1, int64(s.consumers)/parts)
	slow := ""
	for _, m := range r.messages {
		if m.share == nil || m.share.bytes.Load() <= limit && (s.consumers == 0 || m.share.pushes.Load() <= pushLimit) {
			continue
		}
		if id := m.share.place.String(); slow == "" {
			slow = id
		} else if slow != id {
			return severalSlowShards
		}
	}
	return slow
}

// severalSlowShards is the partition of requests that have data for more than one slow shard. No shard has this name.
const severalSlowShards = "*"

// crowded is a message that found no room in the share of its shard.
type crowded struct {
	message  *message
	place    place
	lasted   time.Duration // how long there was no room
	held     int64         // by the shard, in bytes
	capacity int64         // of the queue, in bytes
}

// Error says which shard it is, and what can be done.
func (c *crowded) Error() string {
	return fmt.Sprintf("%s takes less than there is for it, and holds as much of the queue as is free (%d of %d bytes), or "+
		"as many pushes as are free: send it less, split the shard, or set shard_overflow to drop, so that others go on without it",
		c.place, c.held, c.capacity)
}
