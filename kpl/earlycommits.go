// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

// earlyCommits is what a stream may spend on sending records before their deadline. A record that is closed early leaves a part
// of its last PUT unit unused, and that part is what it costs. So the budget bounds the money. It also bounds how many small
// records shards get; large records are bounded by their bytes.
type earlyCommits struct {
	unused   meter // bytes of PUT units
	requests meter // PutRecords calls
	// heldBack is set if only a caller who is filling a batch keeps records from going early.
	heldBack bool
}

const (
	// earlyUnits is how many PUT units are wasted at most, a second. A hundred producers then still have room on two shards.
	earlyUnits = 12
	// earlyRequests is how many requests are sent early, a second.
	earlyRequests = 50
	// maxClosedEarly is how many records are closed early at most at a time. If more are open, each gets few of the records that
	// come, and the first callers would wait no shorter.
	maxClosedEarly = 20
	// throttledPause is how long nothing is closed early after a throttle. The shard or the account has no room for records that
	// are smaller than they need to be.
	throttledPause = time.Minute
)

func newEarlyCommits() earlyCommits {
	return earlyCommits{unused: meter{perSecond: earlyUnits * PutUnit}, requests: meter{perSecond: earlyRequests}}
}

// readyAt is when a request may go that leaves so many bytes unused; false if it never may.
func (b *earlyCommits) readyAt(unused int) (time.Time, bool) {
	at := b.requests.readyAt(1)
	if byBytes := b.unused.readyAt(unused); unused > 0 && byBytes.After(at) {
		at = byBytes
	}
	return at, unused <= earlyUnits*PutUnit
}

// allows reports whether a request may go now that leaves so many bytes unused.
func (b *earlyCommits) allows(unused int, now time.Time) bool {
	at, ok := b.readyAt(unused)
	return ok && !now.Before(at)
}

// spend pays for such a request.
func (b *earlyCommits) spend(unused int, now time.Time) {
	b.requests.take(1, now)
	if unused > 0 {
		b.unused.take(unused, now)
	}
}

// throttled notes that a record or a call was throttled.
func (b *earlyCommits) throttled(now time.Time) { b.unused.drain(now.Add(throttledPause)) }

// unitsOf is how many PUT units a record of the given size costs.
func unitsOf(size int) int { return max(1, (size+PutUnit-1)/PutUnit) }

// unusedOf is how many bytes of its PUT units a record of the given size leaves unused.
func unusedOf(size int) int { return (PutUnit - size%PutUnit) % PutUnit }
