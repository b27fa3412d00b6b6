package kpltest

import "time"

// The limits of a shard, for records put to it.
const (
	shardRecordsPerSecond = 1000
	shardBytesPerSecond   = 1 << 20
)

// bucket is a token bucket that holds one second's worth and is full at first. It counts in units of which a token has
// as many as a second has nanoseconds, so it is exact.
type bucket struct {
	perSecond int64 // tokens
	missing   int64 // units up to full
	updated   time.Time
}

// refill adds what has come since it was last called.
func (b *bucket) refill(now time.Time) {
	elapsed := min(now.Sub(b.updated), time.Hour)
	b.missing = max(0, b.missing-int64(elapsed)*b.perSecond)
	b.updated = now
}

// has reports whether there are n tokens. A full bucket has as many as are asked for: that is how a record larger than
// a second's worth gets through.
func (b *bucket) has(n int64) bool {
	capacity := b.perSecond * int64(time.Second)
	return b.missing+min(n*int64(time.Second), capacity) <= capacity
}

func (b *bucket) take(n int64) { b.missing += n * int64(time.Second) }

// shardLimit is what a shard takes in: both buckets must have room, or neither is drawn from.
type shardLimit struct{ records, bytes bucket }

func newShardLimit(now time.Time) shardLimit {
	return shardLimit{
		records: bucket{perSecond: shardRecordsPerSecond, updated: now},
		bytes:   bucket{perSecond: shardBytesPerSecond, updated: now},
	}
}

// admit draws for one record with size bytes of data and partition key, and reports whether there was room.
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
