package kpl

import "time"

// aggregator packs user records into Kinesis records: those for one predicted shard together, those whose shard is not
// known by hash key (equal keys always share a shard), and those without a key into one record at a time.
type aggregator struct {
	config  *Config
	enabled bool // else every record travels alone
	shards  *shardMap

	byShard []*slot           // by index in shards.open
	byHash  map[hashKey]*slot // of records that shards has no shard for
	keyless slot

	opened  []openRecord // open records in the order of their deadlines, with some closed ones between them
	overdue []*slot      // with records that may not wait for others
}

// slot is a place where one Kinesis record is put together.
type slot struct {
	open          *kinesisRecord // nil if empty
	partitionKeys keyTable
	hashKeys      keyTable
	last          int // members of the record closed last: about as many as the next one will have
}

// openRecord is a record that was opened in a slot. It has been closed since if the slot has another one.
type openRecord struct {
	slot   *slot
	record *kinesisRecord
}

func newAggregator(config *Config) *aggregator {
	return &aggregator{config: config, enabled: config.AggregationEnabled, byHash: map[hashKey]*slot{}}
}

// closedRecord is a Kinesis record that takes no more members, and why.
type closedRecord struct {
	*kinesisRecord
	reason FlushReason
}

// add takes in r and appends the records that this closes to closed.
func (a *aggregator) add(closed []closedRecord, r *userRecord) []closedRecord {
	if !a.enabled || a.fillsRecord(r) {
		alone := slot{}
		a.open(&alone, r)
		alone.append(r, alone.growth(r))
		return append(closed, a.close(&alone, FlushSize))
	}
	s := a.slotFor(r)
	growth := s.growth(r)
	if s.open != nil && s.open.bodySize+growth > a.roomFor(s.open) {
		closed = append(closed, a.close(s, FlushSize))
		growth = s.growth(r)
	}
	if s.open == nil {
		a.open(s, r)
		a.opened = append(a.opened, openRecord{s, s.open})
	}
	s.append(r, growth)
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
	k := s.open
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
		if s.open != nil && !s.open.deadline.After(now) {
			closed = append(closed, a.close(s, FlushDeadline))
		}
	}
	clear(a.overdue)
	a.overdue = a.overdue[:0]
	for {
		oldest, ok := a.oldest()
		if !ok || oldest.record.deadline.After(now) {
			return closed
		}
		closed = append(closed, a.close(oldest.slot, FlushDeadline))
	}
}

// closeAll appends all open records to closed.
func (a *aggregator) closeAll(closed []closedRecord, reason FlushReason) []closedRecord {
	for {
		oldest, ok := a.oldest()
		if !ok {
			return closed
		}
		closed = append(closed, a.close(oldest.slot, reason))
	}
}

// nextDeadline is when the next record is due; false if none is open.
func (a *aggregator) nextDeadline() (time.Time, bool) {
	oldest, ok := a.oldest()
	if !ok {
		return time.Time{}, false
	}
	return oldest.record.deadline, true
}

// setShards makes shards the ones to predict from. It returns the user records that were in open records: they are to
// be added anew.
func (a *aggregator) setShards(shards *shardMap) []*userRecord {
	members := a.takeAll()
	a.shards = shards
	a.byShard = nil
	if shards != nil {
		a.byShard = make([]*slot, len(shards.open))
	}
	return members
}

// takeAll empties the stage and returns the user records that were in it.
func (a *aggregator) takeAll() []*userRecord {
	var members []*userRecord
	for _, k := range a.closeAll(nil, FlushRequest) {
		members = append(members, k.members...)
	}
	return members
}

// oldest returns the open record that is due first.
func (a *aggregator) oldest() (openRecord, bool) {
	for i, o := range a.opened {
		if o.slot.open == o.record {
			a.opened = a.opened[i:]
			return o, true
		}
		a.opened[i] = openRecord{}
	}
	a.opened = a.opened[:0]
	return openRecord{}, false
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
		if a.byShard[i] == nil {
			a.byShard[i] = &slot{}
		}
		return a.byShard[i]
	}
	s := a.byHash[r.hash]
	if s == nil {
		s = &slot{}
		a.byHash[r.hash] = s
	}
	return s
}

// roomFor is how large the body of k may become.
func (a *aggregator) roomFor(k *kinesisRecord) int {
	if k.keyless {
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

// open starts a Kinesis record in s for r, which becomes its first member.
func (a *aggregator) open(s *slot, r *userRecord) {
	s.open = &kinesisRecord{
		members:  make([]*userRecord, 0, s.last+s.last/8+1),
		keyless:  r.keyless,
		lowest:   maxHashKey,
		highest:  minHashKey,
		received: r.received,
		deadline: a.deadline(r),
	}
}

// close takes the record out of s.
func (a *aggregator) close(s *slot, reason FlushReason) closedRecord {
	k := s.open
	s.open, s.last = nil, len(k.members)
	k.partitionKeys, k.explicitHashKeys = s.partitionKeys.take(), s.hashKeys.take()
	k.setOuterKeys()
	if a.byHash[k.hash] == s {
		delete(a.byHash, k.hash) // there is no end to hash keys
	}
	return closedRecord{k, reason}
}

// growth is by how many bytes the body grows with r. It settles r's indexes in the tables.
func (s *slot) growth(r *userRecord) int {
	growth := 0
	index, found := s.partitionKeys.find(r.partitionKey, r.keyHash)
	if !found && r.keyless {
		growth += fieldSize(KeylessKeySize)
	} else if !found {
		growth += fieldSize(len(r.partitionKey))
	}
	r.keyIndex = uint32(index) //nolint:gosec // below AggregationMaxSize
	if r.explicitHashKey != "" {
		index, found := s.hashKeys.find(r.explicitHashKey, uint32(r.hash.low)) //nolint:gosec // its low bits
		if !found {
			growth += fieldSize(len(r.explicitHashKey))
		}
		r.hashKeyIndex = uint32(index) //nolint:gosec // below AggregationMaxSize
	}
	return growth + fieldSize(memberBodySize(r))
}

// append makes r a member of the open record, whose body grows by growth.
func (s *slot) append(r *userRecord, growth int) {
	k := s.open
	k.members = append(k.members, r)
	k.bodySize += growth
	if int(r.keyIndex) == len(s.partitionKeys.keys) {
		s.partitionKeys.add(r.partitionKey, r.keyHash)
	}
	if r.explicitHashKey != "" && int(r.hashKeyIndex) == len(s.hashKeys.keys) {
		s.hashKeys.add(r.explicitHashKey, uint32(r.hash.low)) //nolint:gosec // its low bits
	}
	if r.hash.less(k.lowest) {
		k.lowest = r.hash
	}
	if k.highest.less(r.hash) {
		k.highest = r.hash
	}
}
