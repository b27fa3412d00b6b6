// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import "time"

// What a shard accepts in a second.
const (
	shardRecordsPerSecond = 1000
	shardBytesPerSecond   = 1 << 20
)

// bucket is a token bucket. It holds the tokens of one second and is full at first. A token is counted as 10^9 units, one for
// each nanosecond of a second, so that nothing is rounded.
type bucket struct {
	perSecond int64     // tokens that are added in a second
	missing   int64     // units that are missing from a full bucket
	updated   time.Time // when refill was last called
}

// refill adds the tokens for the time since the last call.
func (b *bucket) refill(now time.Time) {
	elapsed := min(now.Sub(b.updated), time.Hour)
	b.missing = max(0, b.missing-int64(elapsed)*b.perSecond)
	b.updated = now
}

// has reports whether there are n tokens. If the bucket is full, it reports true for every n, so that a record of more bytes than
// a second's worth is accepted.
func (b *bucket) has(n int64) bool {
	capacity := b.perSecond * int64(time.Second)
	return b.missing+min(n*int64(time.Second), capacity) <= capacity
}

// take removes n tokens. There may be fewer than none afterwards.
func (b *bucket) take(n int64) { b.missing += n * int64(time.Second) }

// shardLimit limits what a shard accepts. A record takes tokens from both buckets or from none.
type shardLimit struct{ records, bytes bucket }

func newShardLimit(now time.Time) shardLimit {
	return shardLimit{
		records: bucket{perSecond: shardRecordsPerSecond, updated: now},
		bytes:   bucket{perSecond: shardBytesPerSecond, updated: now},
	}
}

// admit takes the tokens for one record with size bytes of data and partition key. It reports whether there were enough.
func (l *shardLimit) admit(now time.Time, size int) bool {
	l.records.refill(now)
	l.bytes.refill(now)
	if !l.records.has(1) || !l.bytes.has(int64(size)) {
		return false
	}
	l.records.take(1)
	l.bytes.take(int64(size))
	return true
}
