// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"time"
)

// maxShards is the most shards that the producer keeps in mind for a stream. It is far beyond the largest streams.
const maxShards = 1 << 18

// shard is a shard with the hash keys it serves. The range of a shard never changes.
type shard struct {
	id   ShardID
	keys hashRange
}

// shardMap is an immutable snapshot of a stream's shards. A nil map knows none: every method works on it.
type shardMap struct {
	// open has the shards that take records, in the order of the first keys of their ranges.
	open []shard
	// starts narrows the search in open. If the first bits of a hash key are i, its shard is one of those from starts[i] to
	// starts[i+1]. shift moves these bits to the end.
	starts []int32
	shift  int
	// byID has the open shards and those of the listing before.
	byID map[ShardID]knownShard
	// listed is when the listing began. What the service did earlier is in the map; what it did later may be missing.
	listed time.Time
}

// knownShard is what a snapshot knows of a shard.
type knownShard struct {
	keys hashRange
	open bool
	// first is the first sequence number of the shard. No other shard has this number, not even a shard with the same id in a
	// stream that was recreated under the same name. It is empty if it is not known.
	first string
	// since is when the first listing with this same shard ended, if all listings after it have the shard too. It is zero if that
	// is not known.
	since time.Time
}

// newShardMap makes a snapshot of open shards. It also remembers the ranges of previous's open shards, because answers to
// requests in flight may still name them.
func newShardMap(open []shard, previous *shardMap, listed time.Time) *shardMap {
	m := &shardMap{open: slices.Clone(open), byID: make(map[ShardID]knownShard, 2*len(open)), listed: listed}
	slices.SortFunc(m.open, func(a, b shard) int {
		if a.keys.first == b.keys.first {
			return cmp.Compare(a.id, b.id)
		}
		if a.keys.first.less(b.keys.first) {
			return -1
		}
		return 1
	})
	m.index()
	if previous != nil {
		for _, s := range previous.open {
			m.byID[s.id] = knownShard{keys: s.keys, first: previous.byID[s.id].first}
		}
	}
	for _, s := range m.open {
		m.byID[s.id] = knownShard{keys: s.keys, open: true}
	}
	return m
}

// identify adds the first sequence numbers of the open shards, from a listing that ended at the given time. If previous may
// be of another stream, what was remembered of it goes.
func (m *shardMap) identify(first map[ShardID]string, previous *shardMap, ended time.Time) {
	for _, s := range m.open {
		number := first[s.id]
		if number == "" {
			continue
		}
		k := knownShard{keys: s.keys, open: true, first: number, since: ended}
		if previous != nil {
			if before := previous.byID[s.id]; before.first == number && before.keys == s.keys {
				k.since = before.since
			}
		}
		m.byID[s.id] = k
	}
	if recreated(previous, m) {
		maps.DeleteFunc(m.byID, func(_ ShardID, s knownShard) bool { return !s.open })
	}
}

// index fills starts. There are about four prefixes for each shard, so most prefixes have a single shard.
func (m *shardMap) index() {
	width := bits.Len(uint(4 * len(m.open)))
	m.shift = 64 - width
	m.starts = make([]int32, 1<<width+1)
	place := 0
	for prefix := range m.starts {
		first := hashKey{high: uint64(prefix) << m.shift}
		for place+1 < len(m.open) && (prefix == 1<<width || !first.less(m.open[place+1].keys.first)) {
			place++
		}
		m.starts[prefix] = int32(place)
	}
}

// known reports whether there is a snapshot at all.
func (m *shardMap) known() bool { return m != nil && len(m.open) > 0 }

// predict returns the index in open of the shard that serves h; false if no shard does. That happens if the stream was
// resharded between two pages of the listing.
func (m *shardMap) predict(h hashKey) (int, bool) {
	if !m.known() {
		return 0, false
	}
	// This is by hand rather than with the sort package, and begins with a look-up, because every record passes here.
	prefix := h.high >> m.shift
	low, high := int(m.starts[prefix]), int(m.starts[prefix+1])
	for low < high {
		if middle := (low + high + 1) / 2; h.less(m.open[middle].keys.first) {
			high = middle - 1
		} else {
			low = middle
		}
	}
	return low, m.open[low].keys.contains(h)
}

// rangeOf returns the keys that the shard serves or served; false if the snapshot has never heard of it.
func (m *shardMap) rangeOf(id ShardID) (hashRange, bool) {
	if m == nil {
		return hashRange{}, false
	}
	s, ok := m.byID[id]
	return s.keys, ok
}

// keysOf returns the keys of the shard that stored a record in an attempt; false if the snapshot does not have the shard. A
// shard that was closed when the listing began cannot have stored a record that was sent later: that was another shard with
// its id.
func (m *shardMap) keysOf(a *Attempt) (hashRange, bool) {
	if m == nil {
		return hashRange{}, false
	}
	s, ok := m.byID[a.ShardID]
	return s.keys, ok && (s.open || !a.Start.After(m.listed))
}

// sameShards reports whether both snapshots have the same open shards.
func sameShards(a, b *shardMap) bool {
	return a != nil && b != nil && slices.Equal(a.open, b.open) && !recreated(a, b)
}

// recreated reports whether the snapshots may be of two streams with the same name. They are if a shard has another range or
// first sequence number, because these never change. They may be if no shard is in both.
func recreated(a, b *shardMap) bool {
	if !a.known() || !b.known() {
		return false
	}
	kept := false
	for _, s := range b.open {
		before, now := a.byID[s.id], b.byID[s.id]
		same := before.keys == now.keys && before.first == now.first
		if before.open && !same {
			return true
		}
		kept = kept || before.open
	}
	return !kept
}
