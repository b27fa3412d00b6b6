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
	// automatic is set if keys choose no shard.
	automatic bool
	// shards are the shards to predict from. It is nil if none are known.
	shards *shardMap
	// members has the lists that hold the members of new Kinesis records.
	members *memberPool

	// slots are those of the zero Kind, or of all records if kinds share Kinesis records. otherKinds has those of other kinds.
	slots      kindSlots
	otherKinds []*kindSlots
	// byHash has the slots of the records whose shard is not known. A slot goes when its record closes, because the number of
	// different keys has no end.
	byHash map[hashAndKind]*slot

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
		byHash:       map[hashAndKind]*slot{},
	}
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
	if !a.enabled || r.alone || a.kindOf(r).Alone || a.fillsRecord(r) && (!a.compresses || a.fillsCompressed(r)) {
		alone := slot{}
		a.open(&alone, r)
		a.append(&alone, r, a.growth(&alone, r))
		return append(closed, a.close(&alone, FlushSize))
	}
	s := a.slotFor(r)
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

// unused is how many bytes of PUT units the open records would leave unused if they closed now, without their outer keys.
func (a *aggregator) unused() int {
	sum := 0
	a.eachOpen(func(k *kinesisRecord) { sum += unusedOf(a.sentSize(k)) })
	return sum
}

// setShards makes shards the ones to predict from. Automatic says that keys choose no shard. Then nothing gets a frame. If either
// changes, the stage must be empty.
func (a *aggregator) setShards(shards *shardMap, automatic bool) {
	if !sameShards(a.shards, shards) {
		a.slots.setShards(shards)
		for _, slots := range a.otherKinds {
			slots.setShards(shards)
		}
	}
	a.shards, a.automatic = shards, automatic
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

// fillsRecord reports whether r nearly fills a Kinesis record, as long as nothing is compressed. Such a record goes by itself and
// without a frame. Otherwise it would close a half full aggregate before its time.
func (a *aggregator) fillsRecord(r *userRecord) bool {
	return a.frame+r.size() > a.config.AggregationMaxSize/8*7
}

// fillsCompressed reports whether r nearly fills a Kinesis record that is compressed.
func (a *aggregator) fillsCompressed(r *userRecord) bool {
	return r.size() > a.plainSize(r.kind, a.config.AggregationMaxSize)/8*7
}

// plainSize is how many bytes of data, before compression, make size bytes.
func (a *aggregator) plainSize(kind Kind, size int) int { return a.slotsOfKind(kind).ratio.plain(size) }

// sentSize is how large the data of a record will be when it is sent. If it will be compressed, that is a guess.
func (a *aggregator) sentSize(k *kinesisRecord) int {
	if !a.compresses {
		return k.dataSize()
	}
	return a.slotsOfKind(k.kind).ratio.compressed(k.dataSize())
}

// compressed learns from k, which was compressed.
func (a *aggregator) compressed(k *kinesisRecord) {
	if k.compressed != nil {
		a.slotsOfKind(k.kind).ratio.learn(k.bodySize, len(*k.compressed), a.config.AggregationMaxSize)
	}
}

// slotFor returns the slot in which r is packed.
func (a *aggregator) slotFor(r *userRecord) *slot {
	slots := a.slotsOf(r)
	if r.keyless {
		return &slots.keyless
	}
	if a.automatic {
		return &slots.keyed
	}
	if i, ok := a.shards.predict(r.hash); ok {
		return &slots.byShard[i]
	}
	name := hashAndKind{r.hash, a.kindOf(r)}
	s := a.byHash[name]
	if s == nil {
		s = &slot{}
		a.byHash[name] = s
	}
	return s
}

// kindOf is the kind of r, if it matters.
func (a *aggregator) kindOf(r *userRecord) Kind {
	if !a.concatenates {
		return Kind{}
	}
	return r.kind
}

// slotsOf are the slots for records of r's kind.
func (a *aggregator) slotsOf(r *userRecord) *kindSlots {
	if !a.concatenates {
		return &a.slots
	}
	return a.slotsOfKind(r.kind)
}

// slotsOfKind are the slots for records of a kind, where kinds matter.
func (a *aggregator) slotsOfKind(kind Kind) *kindSlots {
	if kind == a.slots.kind {
		return &a.slots
	}
	for _, slots := range a.otherKinds {
		if slots.kind == kind {
			return slots
		}
	}
	slots := &kindSlots{kind: kind}
	slots.setShards(a.shards)
	a.otherKinds = append(a.otherKinds, slots)
	return slots
}

// roomFor is the most bytes that the body of the open record of s may have when it is sent with r in it. r has its indexes in the
// tables.
func (a *aggregator) roomFor(s *slot, r *userRecord) int {
	room := a.config.AggregationMaxSize - a.frame
	switch {
	case r.keyless:
		return room - KeylessKeySize
	case a.concatenates: // the key of the first member is the outer key
		if !s.empty() {
			r = s.open.member(0)
		}
		return room - len(r.partitionKey)
	case r.keyIndex == 0 && s.partitionKeys.size <= 1: // All members share the key, so it is also the outer key.
		return room - len(r.partitionKey)
	}
	return room - len(outerPartitionKey)
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
		kind:     a.kindOf(r),
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
	if name := (hashAndKind{k.hash, k.kind}); a.byHash[name] == s {
		delete(a.byHash, name)
	}
	return closedRecord{k, reason}
}

// growth is by how many bytes the body of the open record of s grows with r. It also sets r's indexes in the tables.
func (a *aggregator) growth(s *slot, r *userRecord) int {
	if a.concatenates {
		return s.growthOfData(r)
	}
	return s.growth(r)
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
