package kpl

import (
	"crypto/md5" //nolint:gosec // the service places records by MD5
	"encoding/binary"
)

// hashKeys settles the hash keys of records that have a partition key and no explicit hash key.
func hashKeys(records []userRecord) {
	var keys keyBlocks
	for i := range records {
		r := &records[i]
		switch {
		case r.keyless || r.explicit():
		case len(r.partitionKey) > maxBlockKey || !md5SideBySide():
			r.hash = hashOf(r.partitionKey)
		default:
			keys.add(r)
			if keys.n == md5Width {
				keys.hash()
			}
		}
	}
	if keys.n > 0 {
		keys.hash()
	}
}

// keyBlocks are partition keys that are hashed side by side, each of which fills one block.
type keyBlocks struct {
	n      int
	owners [md5Width]*userRecord
	blocks [md5Width][md5.BlockSize]byte
}

// maxBlockKey is the length of the longest key that fits into a block.
const maxBlockKey = md5.BlockSize - 9

// add takes in the key of r, padded.
func (k *keyBlocks) add(r *userRecord) {
	block := &k.blocks[k.n]
	*block = [md5.BlockSize]byte{}
	n := copy(block[:], r.partitionKey)
	block[n] = 0x80
	binary.LittleEndian.PutUint64(block[md5.BlockSize-8:], uint64(n)<<3) //nolint:gosec // it is positive
	k.owners[k.n] = r
	k.n++
}

// hash gives the keys' owners their hash keys.
func (k *keyBlocks) hash() {
	owners := k.owners[:k.n]
	k.n = 0
	if len(owners) == 1 {
		owners[0].hash = hashOf(owners[0].partitionKey)
		return
	}
	var state md5State
	var at [md5Width]*byte
	for lane := range at {
		state.start(lane)
		at[lane] = &k.blocks[lane][0]
	}
	md5Blocks(&state, &at, 1)
	for lane, r := range owners {
		r.hash = hashKeyOf(state.sum(lane))
	}
}
