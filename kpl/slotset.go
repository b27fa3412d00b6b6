// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// slotSet has the slots of an aggregator, and finds the one in which a record is packed.
type slotSet struct {
	// byKind is set if only records of one kind share a Kinesis record. If not, first has the slots of all kinds.
	byKind bool
	// automatic is set if keys choose no shard.
	automatic bool
	// shards are the shards to predict from. It is nil if none are known.
	shards *shardMap

	// first has the slots of the zero Kind. others has those of other kinds.
	first  kindSlots
	others []*kindSlots
	// byHash has the slots of the records whose shard is not known. A slot goes when its record closes, because the number of
	// different keys has no end.
	byHash map[hashAndKind]*slot
}

func newSlotSet(byKind bool) slotSet {
	return slotSet{byKind: byKind, byHash: map[hashAndKind]*slot{}}
}

// setShards makes shards the ones to predict from. Automatic says that keys choose no shard. If the shards change, all slots must
// be empty.
func (s *slotSet) setShards(shards *shardMap, automatic bool) {
	if !sameShards(s.shards, shards) {
		s.first.setShards(shards)
		for _, slots := range s.others {
			slots.setShards(shards)
		}
	}
	s.shards, s.automatic = shards, automatic
}

// of returns the slot in which r is packed.
func (s *slotSet) of(r *userRecord) *slot {
	slots := s.sharedBy(r)
	if r.keyless {
		return &slots.keyless
	}
	if s.automatic {
		return &slots.keyed
	}
	if i, ok := s.shards.predict(r.hash); ok {
		return &slots.byShard[i]
	}
	name := hashAndKind{r.hash, s.kindOf(r)}
	found := s.byHash[name]
	if found == nil {
		found = &slot{}
		s.byHash[name] = found
	}
	return found
}

// release forgets a slot whose record has closed, if it is one of those with a name.
func (s *slotSet) release(closed *slot, name hashAndKind) {
	if s.byHash[name] == closed {
		delete(s.byHash, name)
	}
}

// kindOf is the kind of r, if it matters.
func (s *slotSet) kindOf(r *userRecord) Kind {
	if !s.byKind {
		return Kind{}
	}
	return r.kind
}

// sharedBy are the slots for records of r's kind.
func (s *slotSet) sharedBy(r *userRecord) *kindSlots {
	if !s.byKind {
		return &s.first
	}
	return s.ofKind(r.kind)
}

// ofKind are the slots for records of a kind, where kinds matter.
func (s *slotSet) ofKind(kind Kind) *kindSlots {
	if kind == s.first.kind {
		return &s.first
	}
	for _, slots := range s.others {
		if slots.kind == kind {
			return slots
		}
	}
	slots := &kindSlots{kind: kind}
	slots.setShards(s.shards)
	s.others = append(s.others, slots)
	return slots
}
