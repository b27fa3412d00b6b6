// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// slot is where one Kinesis record is put together. The first fields are those that add needs for each record; they lie side by
// side, so that a processor loads few cache lines. A record without a frame has no tables of keys, so these stay empty.
type slot struct {
	// partitionKeys finds the index of a partition key in the open record's table.
	partitionKeys keyTable
	// open is the record that takes members. There is none if it has no members.
	open kinesisRecord

	// number counts the records that were opened in this slot.
	number uint32
	// hashKeys finds the index of an explicit hash key in the open record's table.
	hashKeys keyTable
	// last is the number of members of the record that closed last. The next one will have about as many.
	last int
}

// empty reports whether no record is open in s.
func (s *slot) empty() bool { return len(s.open.members) == 0 }

// growthOfData is by how many bytes the body of the open record grows with the data of r alone.
func (s *slot) growthOfData(r *userRecord) int {
	if s.empty() {
		return len(r.data)
	}
	return r.kind.separatorSize() + len(r.data)
}

// growth is by how many bytes the body of the open record grows with r, as a member of a frame.
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

// hashKeyGrowth is the part of growth for r's explicit hash key.
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

// openRecord is a record that was opened in a slot. If the slot is empty or has another number, the record has closed.
type openRecord struct {
	slot   *slot
	number uint32
}

// live reports whether the record is open.
func (o *openRecord) live() bool {
	return o.slot != nil && o.slot.number == o.number && !o.slot.empty()
}

// kindSlots has the slots for the records of one kind, except for those whose shard is not known.
type kindSlots struct {
	kind Kind
	// byShard has a slot for each shard, by its index in shardMap.open.
	byShard []slot
	// keyless is the slot of the records without a key.
	keyless slot
	// keyed is the slot of all records with a key, where keys do not choose the shard.
	keyed slot
	// ratio tells how well records of the kind are compressed.
	ratio ratio
}

// setShards makes new slots for shards, nil if none are known. There must be no open record.
func (s *kindSlots) setShards(shards *shardMap) {
	s.byShard = nil
	if shards != nil {
		s.byShard = make([]slot, len(shards.open))
	}
}

// hashAndKind names the slot of records whose shard is not known.
type hashAndKind struct {
	hash hashKey
	kind Kind
}
