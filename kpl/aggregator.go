package kpl

import "time"

// aggregator packs user records into Kinesis records: those for one predicted shard together, those whose shard is not
// known by hash key (equal keys always share a shard), and those without a key into one record at a time.
type aggregator struct {
	config  *Config
	enabled bool // else every record travels alone
	shards  *shardMap
	members *memberPool

	byShard []slot            // by index in shards.open
	byHash  map[hashKey]*slot // of records that shards has no shard for
	keyless slot

	opened  []openRecord // open records in the order of their deadlines, with some closed ones between them
	overdue []*slot      // with records that may not wait for others

	fetched uint32 // of no meaning: it is there so that prefetch reads
}

// slot is a place where one Kinesis record is put together. What add needs of it for each record comes first, so that it
// is on few cache lines.
type slot struct {
	partitionKeys keyTable
	open          kinesisRecord // empty if it has no members

	number   uint32 // of the open record, among those of the slot
	hashKeys keyTable
	last     int // members of the record closed last: about as many as the next one will have
}

// openRecord is a record that was opened in a slot. It has been closed since if the slot is empty or has another one.
type openRecord struct {
	slot   *slot
	number uint32
}

func newAggregator(config *Config, members *memberPool) *aggregator {
	return &aggregator{config: config, enabled: !config.DisableAggregation, members: members, byHash: map[hashKey]*slot{}}
}

// closedRecord is a Kinesis record that takes no more members, and why.
type closedRecord struct {
	*kinesisRecord
	reason FlushReason
}

// add takes in a copy of r and appends the records that this closes to closed.
func (a *aggregator) add(closed []closedRecord, r *userRecord) []closedRecord {
	if !a.enabled || a.fillsRecord(r) {
		alone := slot{}
		a.open(&alone, r)
		a.append(&alone, r, alone.growth(r))
		return append(closed, a.close(&alone, FlushSize))
	}
	s := a.slotFor(r)
	growth := s.growth(r)
	if s.open.bodySize+growth > a.roomFor(r) && !s.empty() {
		closed = append(closed, a.close(s, FlushSize))
		growth = s.growth(r)
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

// advance lets the open record of s go earlier, for a member that is older than the others or due.
func (a *aggregator) advance(s *slot, r *userRecord) {
	k := &s.open
	if r.received.Before(k.received) {
		k.received = r.received
	}
	if deadline := a.deadline(r); deadline.Before(k.deadline) {
		k.deadline = deadline
	}
	if r.due {
		a.overdue = append(a.overdue, s)
	}
}

// closeDue appends the records whose deadline has come to closed.
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

// closeAll appends all open records to closed.
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

// setShards makes shards the ones to predict from. It returns the user records that were in open records: they are to
// be added anew.
func (a *aggregator) setShards(shards *shardMap) []userRecord {
	members := a.takeAll()
	a.shards = shards
	a.byShard = nil
	if shards != nil {
		a.byShard = make([]slot, len(shards.open))
	}
	return members
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
		if o.slot.number == o.number && !o.slot.empty() {
			a.opened = a.opened[i:]
			return o.slot, true
		}
		a.opened[i] = openRecord{}
	}
	a.opened = a.opened[:0]
	return nil, false
}

// fillsRecord reports whether r leaves no room worth the frame beside it. Such a record travels bare, and does not push
// a half full aggregate out before its time.
func (a *aggregator) fillsRecord(r *userRecord) bool {
	return frameBytes+r.size() > a.config.AggregationMaxSize/8*7
}

// slotFor finds the slot that r shares with others.
func (a *aggregator) slotFor(r *userRecord) *slot {
	if r.keyless {
		return &a.keyless
	}
	if i, ok := a.shards.predict(r.hash); ok {
		return &a.byShard[i]
	}
	s := a.byHash[r.hash]
	if s == nil {
		s = &slot{}
		a.byHash[r.hash] = s
	}
	return s
}

// roomFor is how large the body of a record with r in it may become.
func (a *aggregator) roomFor(r *userRecord) int {
	if r.keyless {
		return a.config.AggregationMaxSize - frameBytes - KeylessKeySize
	}
	return a.config.AggregationMaxSize - frameBytes - len(outerPartitionKey)
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
	s.number++
	s.open = kinesisRecord{
		members:  a.members.get(max(s.last, 1)),
		keyless:  r.keyless,
		lowest:   maxHashKey,
		highest:  minHashKey,
		received: r.received,
		deadline: a.deadline(r),
	}
}

// close takes the record out of s.
func (a *aggregator) close(s *slot, reason FlushReason) closedRecord {
	k := new(kinesisRecord)
	*k = s.open
	s.open, s.last = kinesisRecord{}, len(k.members)
	s.partitionKeys.clear()
	s.hashKeys.clear()
	k.setOuterKeys()
	if a.byHash[k.hash] == s {
		delete(a.byHash, k.hash) // there is no end to hash keys
	}
	return closedRecord{k, reason}
}

// empty reports whether no record is open in s.
func (s *slot) empty() bool { return len(s.open.members) == 0 }

// growth is by how many bytes the body grows with r. It settles r's indexes in the tables.
func (s *slot) growth(r *userRecord) int {
	growth := 0
	first, found := s.partitionKeys.find(r.keyHash, func(member uint32) bool {
		return s.open.members[member].partitionKey == r.partitionKey
	})
	switch {
	case found:
		r.keyIndex = s.open.members[first].keyIndex
	case r.keyless:
		r.keyIndex = s.partitionKeys.size
		growth += fieldSize(KeylessKeySize)
	default:
		r.keyIndex = s.partitionKeys.size
		growth += fieldSize(len(r.partitionKey))
	}
	if r.explicit() {
		growth += s.hashKeyGrowth(r)
	}
	return growth + fieldSize(memberBodySize(r))
}

// hashKeyGrowth is growth's part on r's explicit hash key.
func (s *slot) hashKeyGrowth(r *userRecord) int {
	first, found := s.hashKeys.find(r.hashKeyHash(), func(member uint32) bool {
		return s.open.members[member].hash == r.hash
	})
	if found {
		r.hashKeyIndex = s.open.members[first].hashKeyIndex
		return 0
	}
	r.hashKeyIndex = s.hashKeys.size
	return fieldSize(int(r.hashDigits))
}

// append makes r a member of the open record of s, whose body grows by growth.
func (a *aggregator) append(s *slot, r *userRecord, growth int) {
	k := &s.open
	if len(k.members) == cap(k.members) {
		k.members = a.members.grow(k.members)
	}
	member := uint32(len(k.members)) //nolint:gosec // below AggregationMaxSize
	k.members = append(k.members, *r)
	k.bodySize += growth
	if r.keyIndex == s.partitionKeys.size {
		s.partitionKeys.add(r.keyHash, member)
	}
	if r.explicit() && r.hashKeyIndex == s.hashKeys.size {
		s.hashKeys.add(r.hashKeyHash(), member)
	}
	if r.hash.less(k.lowest) {
		k.lowest = r.hash
	}
	if k.highest.less(r.hash) {
		k.highest = r.hash
	}
}
