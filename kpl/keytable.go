package kpl

import "hash/maphash"

// keySeed makes the hashes that tell keys of a table apart. They never leave the process.
var keySeed = maphash.MakeSeed()

// keyTable gives keys indexes in order of first use: one of the tables of an aggregated record. It is a hash table with
// linear probing rather than a map, because every record is looked up in one, and because clearing it is cheap.
type keyTable struct {
	keys   []string
	hashes []uint64
	places []uint32 // index+1, or 0 if free; the length is a power of two, at most half of it used
}

// find returns the index of key, whose hash is given; if it has none, the one it would get.
func (t *keyTable) find(key string, hash uint64) (index int, found bool) {
	if len(t.places) == 0 {
		return 0, false
	}
	mask := uint64(len(t.places) - 1) //nolint:gosec // not empty
	for i := hash & mask; t.places[i] != 0; i = (i + 1) & mask {
		at := t.places[i] - 1
		if t.hashes[at] == hash && t.keys[at] == key {
			return int(at), true
		}
	}
	return len(t.keys), false
}

// add gives key, which is not in the table, the next index.
func (t *keyTable) add(key string, hash uint64) {
	t.keys = append(t.keys, key)
	t.hashes = append(t.hashes, hash)
	if 2*len(t.keys) <= len(t.places) {
		t.place(hash, len(t.keys))
		return
	}
	t.places = make([]uint32, max(16, 2*len(t.places)))
	for i, hash := range t.hashes {
		t.place(hash, i+1)
	}
}

// place notes where the key with the given hash and index is found.
func (t *keyTable) place(hash uint64, indexPlusOne int) {
	mask := uint64(len(t.places) - 1) //nolint:gosec // not empty
	i := hash & mask
	for t.places[i] != 0 {
		i = (i + 1) & mask
	}
	t.places[i] = uint32(indexPlusOne) //nolint:gosec // an aggregate has far fewer keys
}

// take returns the keys by index and empties the table. The next record will have about as many.
func (t *keyTable) take() []string {
	keys := t.keys
	t.keys = make([]string, 0, len(keys)+len(keys)/8)
	t.hashes = t.hashes[:0]
	clear(t.places)
	return keys
}
