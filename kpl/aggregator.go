// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"math"
	"time"
)

// aggregator packs user records into Kinesis records. Records for one predicted shard share a Kinesis record. If the shard is
// not known, records with one hash key share it, because equal keys always belong to one shard. Records without a key fill one
// Kinesis record after the other. Without a frame, only records of one kind share a Kinesis record.
type aggregator struct {
	config *Config
	// enabled is false if every user record is to be a Kinesis record of its own, by Config or because keys choose no shard.
	enabled bool
	// concatenates is set if Kinesis records have no frame.
	concatenates bool
	// compresses is set if Kinesis records are compressed once they are closed.
	compresses bool
	// frame is how many bytes a Kinesis record has beside its body.
	frame int
	// members has the lists that hold the members of new Kinesis records.
	members *memberPool

	// slots are where the open records are.
	slots slotSet
	// openRecords is how many records take members.
	openRecords int
	// opened has the open records in the order of their deadlines. Records that closed early are still in the list.
	opened []openRecord
	// overdue has the slots whose open record got a member that does not wait for others. Their deadline is not in order.
	overdue []*slot

	// fetched takes what prefetch reads, so that the compiler keeps the reads. Its value means nothing.
	fetched uint32
}

func newAggregator(config *Config, members *memberPool) *aggregator {
	a := &aggregator{
		config:       config,
		enabled:      config.AggregationFormat != AggregationNone,
		concatenates: config.AggregationFormat == AggregationConcatenated,
		compresses:   config.Compress != nil,
		members:      members,
	}
	a.slots = newSlotSet(a.concatenates)
	if !a.concatenates {
		a.frame = frameBytes
	}
	return a
}

// closedRecord is a Kinesis record that takes no more members, with the reason.
type closedRecord struct {
	*kinesisRecord
	reason FlushReason
}

// add takes in a copy of r and appends the records that this closes to closed.
func (a *aggregator) add(closed []closedRecord, r *userRecord) []closedRecord {
	if !a.enabled || r.alone || a.slots.kindOf(r).Alone || a.fillsRecord(r) && (!a.compresses || a.fillsCompressed(r)) {
		alone := slot{}
		a.open(&alone, r)
		a.append(&alone, r, a.growth(&alone, r))
		return append(closed, a.close(&alone, FlushSize))
	}
	s := a.slots.of(r)
	growth := a.growth(s, r)
	room := a.roomFor(s, r)
	if a.compresses {
		room = a.plainSize(r.kind, room)
	}
	if s.open.bodySize+growth > room && !s.empty() {
		closed = append(closed, a.close(s, FlushSize))
		growth = a.growth(s, r)
	}
	if s.empty() {
		a.open(s, r)
		a.opened = append(a.opened, openRecord{s, s.number})
	}
	a.append(s, r, growth)
	if r.due || r.received.Before(s.open.received) {
		a.advance(s, r)
	}
	if len(s.open.members) >= a.config.AggregationMaxCount {
		closed = append(closed, a.close(s, FlushCount))
	}
	return closed
}

// advance moves the deadline of the open record of s forward, for a member that is older than the others or does not wait.
func (a *aggregator) advance(s *slot, r *userRecord) {
	s.open.advance(r.received, a.deadline(r))
	if r.due {
		a.overdue = append(a.overdue, s)
	}
}

// closeDue closes the records whose deadline has come, and appends them to closed.
func (a *aggregator) closeDue(closed []closedRecord, now time.Time) []closedRecord {
	for _, s := range a.overdue {
		if !s.empty() && !s.open.deadline.After(now) {
			closed = append(closed, a.close(s, FlushDeadline))
		}
	}
	clear(a.overdue)
	a.overdue = a.overdue[:0]
	for {
		oldest, ok := a.oldest()
		if !ok || oldest.open.deadline.After(now) {
			return closed
		}
		closed = append(closed, a.close(oldest, FlushDeadline))
	}
}

// closeAll closes all open records, and appends them to closed.
func (a *aggregator) closeAll(closed []closedRecord, reason FlushReason) []closedRecord {
	for {
		oldest, ok := a.oldest()
		if !ok {
			return closed
		}
		closed = append(closed, a.close(oldest, reason))
	}
}

// nextDeadline is when the next record is due; false if none is open.
func (a *aggregator) nextDeadline() (time.Time, bool) {
	oldest, ok := a.oldest()
	if !ok {
		return time.Time{}, false
	}
	return oldest.open.deadline, true
}

// eachOpen calls see for each open record.
func (a *aggregator) eachOpen(see func(*kinesisRecord)) {
	for _, o := range a.opened {
		if o.live() {
			see(&o.slot.open)
		}
	}
}

// setShards makes shards the ones to predict from. Automatic says that keys choose no shard. Then nothing gets a frame. If either
// changes, the stage must be empty.
func (a *aggregator) setShards(shards *shardMap, automatic bool) {
	a.slots.setShards(shards, automatic)
	a.enabled = a.concatenates || a.config.AggregationFormat == AggregationKPL && !automatic
}

// pack makes one Kinesis record of the members, which are at least one and fit together.
func (a *aggregator) pack(members []userRecord) *kinesisRecord {
	s := slot{}
	a.open(&s, &members[0])
	for i := range members {
		a.append(&s, &members[i], a.growth(&s, &members[i]))
	}
	return a.close(&s, FlushSize).kinesisRecord
}

// takeAll empties the stage and returns the user records that were in it.
func (a *aggregator) takeAll() []userRecord {
	var members []userRecord
	for _, k := range a.closeAll(nil, FlushRequest) {
		members = append(members, k.members...)
	}
	return members
}

// oldest returns the slot whose record is due first.
func (a *aggregator) oldest() (*slot, bool) {
	for i, o := range a.opened {
		if o.live() {
			a.opened = a.opened[i:]
			return o.slot, true
		}
		a.opened[i] = openRecord{}
	}
	a.opened = a.opened[:0]
	return nil, false
}

// deadline is when r has to be sent at the latest.
func (a *aggregator) deadline(r *userRecord) time.Time {
	if r.due {
		return r.received
	}
	return r.received.Add(a.config.linger())
}

// open starts a Kinesis record in s, which is empty, for r, its first member.
func (a *aggregator) open(s *slot, r *userRecord) {
	a.openRecords++
	s.number++
	s.open = kinesisRecord{
		members:  a.members.get(max(s.last, 1)),
		keyless:  r.keyless,
		kind:     a.slots.kindOf(r),
		plain:    a.concatenates,
		lowest:   maxHashKey,
		highest:  minHashKey,
		received: r.received,
		deadline: a.deadline(r),
	}
}

// close takes the record out of s.
func (a *aggregator) close(s *slot, reason FlushReason) closedRecord {
	a.openRecords--
	k := new(kinesisRecord)
	*k = s.open
	s.open, s.last = kinesisRecord{}, len(k.members)
	mostSize := a.config.AggregationMaxSize
	if a.compresses { // then the size is not known yet
		mostSize = math.MaxInt
	}
	k.setOuterKeys(a.concatenates || s.partitionKeys.size == 1, mostSize)
	s.partitionKeys.clear()
	s.hashKeys.clear()
	a.slots.release(s, hashAndKind{k.hash, k.kind})
	return closedRecord{k, reason}
}

// append makes r a member of the open record of s, whose body grows by growth.
func (a *aggregator) append(s *slot, r *userRecord, growth int) {
	member := uint32(len(s.open.members)) //nolint:gosec // below AggregationMaxSize
	s.open.append(r, growth, a.members)
	if a.concatenates {
		return
	}
	if r.keyIndex == s.partitionKeys.size {
		s.partitionKeys.add(r.keyHash, member)
	}
	if r.explicit() && r.hashKeyIndex == s.hashKeys.size {
		s.hashKeys.add(r.hashKeyHash(), member)
	}
}
