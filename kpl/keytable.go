package kpl

import "hash/maphash"

// keySeed makes the hashes that tell keys of a table apart. They never leave the process.
var keySeed = maphash.MakeSeed()

// keyTable gives keys indexes in order of first use: one of the tables of an aggregated record. It is a hash table with
// linear probing rather than a map, because every record is looked up in one, and because clearing it is cheap.
type keyTable struct {
	keys   []string
	places []keyPlace // the length is a power of two, at most half of it used
}

// keyPlace is where the key with a hash is found.
type keyPlace struct{ hash, indexPlusOne uint32 } // free if indexPlusOne is 0

// find returns the index of key, whose hash is given; if it has none, the one it would get.
func (t *keyTable) find(key string, hash uint32) (index int, found bool) {
	if len(t.places) == 0 {
		return 0, false
	}
	mask := len(t.places) - 1
	for i := int(hash) & mask; t.places[i].indexPlusOne != 0; i = (i + 1) & mask {
		place := t.places[i]
		if place.hash == hash && t.keys[place.indexPlusOne-1] == key {
			return int(place.indexPlusOne - 1), true
		}
	}
	return len(t.keys), false
}

// add gives key, which is not in the table, the next index.
func (t *keyTable) add(key string, hash uint32) {
	t.keys = append(t.keys, key)
	if 2*len(t.keys) > len(t.places) {
		places := t.places
		t.places = make([]keyPlace, max(16, 2*len(places)))
		for _, place := range places {
			if place.indexPlusOne != 0 {
				t.place(place)
			}
		}
	}
	t.place(keyPlace{hash, uint32(len(t.keys))}) //nolint:gosec // an aggregate has far fewer keys
}

// place puts p where it is found.
func (t *keyTable) place(p keyPlace) {
	mask := len(t.places) - 1
	i := int(p.hash) & mask
	for t.places[i].indexPlusOne != 0 {
		i = (i + 1) & mask
	}
	t.places[i] = p
}

// take returns the keys by index and empties the table. The next record will have about as many.
func (t *keyTable) take() []string {
	keys := t.keys
	t.keys = make([]string, 0, len(keys)+len(keys)/8)
	clear(t.places)
	return keys
}
