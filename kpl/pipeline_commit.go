// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

// commit makes everything that is buffered due now.
func (p *pipeline) commit(now time.Time, reason FlushReason) {
	p.pass(now, p.aggregator.closeAll(nil, reason))
	p.collector.commit(now)
}

// commitEarly makes buffered records due before their deadline if waiting longer would gain little. It reports whether there is
// something to send now.
func (p *pipeline) commitEarly(now time.Time, callers callers) bool {
	p.early.heldBack = false
	if !p.buffered() {
		return false
	}
	switch {
	case p.draining:
	case callers.blocked && p.quiet():
		// Records that end make room. If none is being sent, only the records that wait here can make room.
	case !p.mayCommit():
		return false
	case callers.filling:
		p.early.heldBack = true
		return false
	case p.config.buffers():
		return p.commitWithin(now)
	}
	p.commit(now, FlushCommit)
	return true
}

// commitWithin commits as far as the budget allows it: everything, or the records that take no more members.
func (p *pipeline) commitWithin(now time.Time) bool {
	unused, ok := p.earlyPrice()
	switch {
	case ok && p.early.allows(unused, now):
		p.early.spend(unused, now)
		p.commit(now, FlushCommit)
	case p.collector.waits() && p.early.allows(0, now):
		p.early.spend(0, now)
		p.collector.hasten()
	default:
		return false
	}
	return true
}

// nextCommit is when commitEarly may have something to do although nothing happens; false if never.
func (p *pipeline) nextCommit() (time.Time, bool) {
	switch {
	case p.early.heldBack || !p.config.buffers() || !p.buffered() || !p.mayCommit():
		return time.Time{}, false
	case p.collector.waits():
		return p.early.readyAt(0)
	}
	unused, ok := p.earlyPrice()
	if !ok {
		return time.Time{}, false
	}
	return p.early.readyAt(unused)
}

// earlyPrice is how many bytes of PUT units an early commit would leave unused; false if it would close too many records.
func (p *pipeline) earlyPrice() (int, bool) {
	if p.aggregator.openRecords > maxClosedEarly {
		return 0, false
	}
	return p.aggregator.unused(), true
}

// mayCommit reports whether records may go early, unless somebody is about to add more.
func (p *pipeline) mayCommit() bool {
	if !p.config.buffers() {
		return p.inFlight.partial+p.inFlight.compressing == 0 // after full requests more will come, but nothing to wait for
	}
	return p.quiet() && !p.down() && p.topology.lastListing != listingNone
}

// quiet reports whether nothing is being sent or compressed, and no record waits for a shard or for its next attempt. So a record
// that comes now has nothing to wait for but other records.
func (p *pipeline) quiet() bool {
	return p.inFlight.requests+p.inFlight.compressing == 0 && p.retrier.empty() && p.limiter.empty()
}

// buffered reports whether some record waits for others.
func (p *pipeline) buffered() bool { return p.aggregator.openRecords > 0 || p.collector.waits() }

// flush commits. If done is not nil, it is closed when everything that was put before has its Result.
func (p *pipeline) flush(now time.Time, done chan<- struct{}) {
	p.commit(now, FlushRequest)
	p.retrier.skipLinger()
	if done != nil {
		p.epochs.next(done)
	}
}

// drain commits, and from now on lets nothing wait for other records.
func (p *pipeline) drain(now time.Time) {
	p.flush(now, nil)
	p.draining = true
}

// endEpochs ends the calls of FlushWait whose records are all done.
func (p *pipeline) endEpochs() {
	for flushed, ok := p.epochs.done(); ok; flushed, ok = p.epochs.done() {
		p.effects.end(ending{flushed: flushed})
	}
}
