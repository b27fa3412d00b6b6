// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"slices"
	"time"
)

// shardFlushBytes is how many bytes for one shard make the collector send what it has. That is enough for a good request, and a
// quarter of what a shard takes in a second, so the shard does not get it all at once.
const shardFlushBytes = 256 << 10

// request is one PutRecords call. A worker of the sender owns it from dispatch to completion.
type request struct {
	records []*kinesisRecord
	// partial is set if the request was sent because of time, and not because it was full.
	partial bool

	// start and end are when the call was made and when it had ended.
	start, end time.Time
	// entries is what the service said of each record, unless err is set: then the call failed as a whole.
	entries []entryResult
	err     error
	lost    bool // the call failed, and may have stored the records all the same
	// requestID is what the service calls the call; empty if it did not say.
	requestID string
}

// size is the sum of the sizes of the records.
func (r *request) size() int {
	size := 0
	for _, k := range r.records {
		size += k.size()
	}
	return size
}

// entryResult is what the service said of one record.
type entryResult struct {
	shard          ShardID
	sequenceNumber string // empty if the record was not stored
	code, message  string
}

// collector puts the Kinesis records of all shards together into requests.
type collector struct {
	config *Config
	// pending has the records that wait for a request, and bytes is their size.
	pending []*kinesisRecord
	bytes   int
	// deadline is when the first of them is due. oldest is when the oldest of their members was received.
	deadline, oldest time.Time
	// full is set if a limit other than time says to send, and reason names that limit.
	full   bool
	reason FlushReason
	// committed is the time of the last commit. Records received until then do not wait for others.
	committed time.Time
	// ready has the parts of rejected requests. They are sent as they are.
	ready []*request
}

// add takes in k.
func (c *collector) add(k *kinesisRecord) {
	c.pending = append(c.pending, k)
	c.bytes += k.size()
	c.weigh(k)
}

// weigh takes in what the pending record k says about when to send.
func (c *collector) weigh(k *kinesisRecord) {
	if deadline := c.deadlineOf(k); c.deadline.IsZero() || deadline.Before(c.deadline) {
		c.deadline = deadline
	}
	if c.oldest.IsZero() || k.received.Before(c.oldest) {
		c.oldest = k.received
	}
	switch {
	case c.bytes >= c.config.CollectionMaxSize:
		c.setFull(FlushSize)
	case len(c.pending) >= c.config.CollectionMaxCount:
		c.setFull(FlushCount)
	case k.lane.releasedBytes >= shardFlushBytes && k.lane.id != "":
		c.setFull(FlushShard)
	}
}

func (c *collector) setFull(reason FlushReason) {
	if !c.full {
		c.full, c.reason = true, reason
	}
}

// due reports whether there is something that should be sent now, and why.
func (c *collector) due(now time.Time) (FlushReason, bool) {
	if c.full {
		return c.reason, true
	}
	return FlushDeadline, len(c.pending) > 0 && !c.deadline.After(now)
}

// take returns a request with the records that came first, as many as fit. Partial says that time made it due. Something must
// be pending.
func (c *collector) take(partial bool) *request {
	n, bytes := 0, 0
	for _, k := range c.pending {
		size := k.size()
		if n == c.config.CollectionMaxCount || n > 0 && bytes+size > c.config.CollectionMaxSize {
			break
		}
		n, bytes = n+1, bytes+size
		k.lane.unrelease(k)
	}
	r := &request{records: slices.Clone(c.pending[:n]), partial: partial}
	clear(c.pending[:n])
	c.pending, c.bytes = c.pending[n:], c.bytes-bytes
	c.deadline, c.oldest, c.full = time.Time{}, time.Time{}, false
	for _, k := range c.pending {
		c.weigh(k)
	}
	return r
}

// takeAll empties the stage.
func (c *collector) takeAll() []*kinesisRecord {
	all := c.pending
	for _, k := range all {
		k.lane.unrelease(k)
	}
	*c = collector{config: c.config, committed: c.committed, ready: c.ready}
	return all
}

// addReady takes in a request to be sent as it is.
func (c *collector) addReady(r *request) { c.ready = append(c.ready, r) }

// addNext takes in a request to be sent as it is, before all others.
func (c *collector) addNext(r *request) { c.ready = slices.Insert(c.ready, 0, r) }

// takeReady returns the first of these requests; nil if there is none.
func (c *collector) takeReady() *request {
	if len(c.ready) == 0 {
		return nil
	}
	r := c.ready[0]
	c.ready = slices.Delete(c.ready, 0, 1)
	return r
}

// empty reports whether there is nothing to send.
func (c *collector) empty() bool { return len(c.pending)+len(c.ready) == 0 }

// oldestPending is when the oldest member of a pending record was received; false if nothing is pending.
func (c *collector) oldestPending() (time.Time, bool) { return c.oldest, len(c.pending) > 0 }

// nextDeadline is when the next pending record is due; false if nothing is pending.
func (c *collector) nextDeadline() (time.Time, bool) { return c.deadline, len(c.pending) > 0 }

// commit makes everything due that was received until now, in this stage or in one before it.
func (c *collector) commit(now time.Time) {
	c.committed = now
	c.hasten()
}

// hasten makes the pending records due.
func (c *collector) hasten() {
	if len(c.pending) > 0 {
		c.deadline = c.oldest
	}
}

// waits reports whether records wait for a request.
func (c *collector) waits() bool { return len(c.pending) > 0 }

// deadlineOf is when k has to be sent at the latest. After a commit, records that were received before it are due at once.
func (c *collector) deadlineOf(k *kinesisRecord) time.Time {
	if !k.received.After(c.committed) {
		return k.received
	}
	return k.deadline
}
