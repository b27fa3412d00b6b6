// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "hash/maphash"

// keySeed is the seed of the hashes in key tables. The hashes never leave the process.
var keySeed = maphash.MakeSeed()

// keyTable tells which member of an open record was the first with a key. An aggregated record has a table of its keys, in the
// order of their first use. keyTable is a hash table with linear probing rather than a map, because every record is looked up
// in one, and because it is cheap to clear.
type keyTable struct {
	places []keyPlace // the length is a power of two, at most half of it used
	size   uint32     // keys
}

// keyPlace is an entry of the table: the hash of a key, and 1 + the index of its first member. It is free if that is 0.
type keyPlace struct{ hash, memberPlusOne uint32 }

// find returns the member that was the first with the key that has the given hash. The function has reports whether a member
// has this key.
func (t *keyTable) find(hash uint32, has func(member uint32) bool) (member uint32, found bool) {
	if len(t.places) == 0 {
		return 0, false
	}
	mask := len(t.places) - 1
	for i := int(hash) & mask; t.places[i].memberPlusOne != 0; i = (i + 1) & mask {
		if place := t.places[i]; place.hash == hash && has(place.memberPlusOne-1) {
			return place.memberPlusOne - 1, true
		}
	}
	return 0, false
}

// first is where the search for a key with the given hash begins, in a table that is not empty.
func (t *keyTable) first(hash uint32) *keyPlace { return &t.places[int(hash)&(len(t.places)-1)] }

// add notes that member is the first with a key that is not in the table.
func (t *keyTable) add(hash, member uint32) {
	t.size++
	if 2*int(t.size) > len(t.places) {
		places := t.places
		t.places = make([]keyPlace, max(16, 2*len(places)))
		for _, place := range places {
			if place.memberPlusOne != 0 {
				t.place(place)
			}
		}
	}
	t.place(keyPlace{hash, member + 1})
}

// place puts p where it is found.
func (t *keyTable) place(p keyPlace) {
	mask := len(t.places) - 1
	i := int(p.hash) & mask
	for t.places[i].memberPlusOne != 0 {
		i = (i + 1) & mask
	}
	t.places[i] = p
}

// clear empties the table and keeps its memory, because the next record will need about as much.
func (t *keyTable) clear() {
	clear(t.places)
	t.size = 0
}
