// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"cmp"
	"crypto/md5"
	"encoding/binary"
	"math/big"
	"math/bits"
)

// hashKey is a hash key, an unsigned number of 128 bits.
type hashKey struct{ high, low uint64 }

// maxHashKey is the largest hash key, 2^128-1.
var maxHashKey = hashKey{^uint64(0), ^uint64(0)}

// hashOf returns the hash key that the service computes from a partition key: the MD5, read as a big-endian number.
func hashOf(partitionKey string) hashKey {
	sum := md5.Sum([]byte(partitionKey))
	return hashKey{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:])}
}

// parseHashKey reads a decimal number as the service accepts it: digits only, without leading zeros. wellFormed says
// whether text is such a number, and inRange whether the number fits into 128 bits.
func parseHashKey(decimal string) (key hashKey, wellFormed, inRange bool) {
	if decimal == "" || len(decimal) > 39 || len(decimal) > 1 && decimal[0] == '0' {
		return hashKey{}, false, false
	}
	inRange = true
	for i := range len(decimal) {
		digit := uint64(decimal[i] - '0')
		if digit > 9 {
			return hashKey{}, false, false
		}
		carry, low := bits.Mul64(key.low, 10)
		overflow, high := bits.Mul64(key.high, 10)
		low, c := bits.Add64(low, digit, 0)
		high, c = bits.Add64(high, carry, c)
		if overflow+c != 0 {
			inRange = false
		}
		key = hashKey{high, low}
	}
	return key, true, inRange
}

func (k hashKey) compare(other hashKey) int {
	if c := cmp.Compare(k.high, other.high); c != 0 {
		return c
	}
	return cmp.Compare(k.low, other.low)
}

// next returns k+1. After the largest hash key comes 0.
func (k hashKey) next() hashKey {
	low, carry := bits.Add64(k.low, 1, 0)
	return hashKey{k.high + carry, low}
}

// previous returns k-1. Before 0 comes the largest hash key.
func (k hashKey) previous() hashKey {
	low, borrow := bits.Sub64(k.low, 1, 0)
	return hashKey{k.high - borrow, low}
}

// middle returns the first hash key of the upper half of the range from k to end. The range has at least two hash keys.
func (k hashKey) middle(end hashKey) hashKey {
	sum := new(big.Int).Add(k.big(), end.big())
	return hashKeyOf(sum.Rsh(sum, 1)).next()
}

// String returns k in decimal.
func (k hashKey) String() string { return k.big().String() }

func (k hashKey) big() *big.Int {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], k.high)
	binary.BigEndian.PutUint64(raw[8:], k.low)
	return new(big.Int).SetBytes(raw[:])
}

// hashKeyOf converts a number from 0 to 2^128-1.
func hashKeyOf(number *big.Int) hashKey {
	var raw [16]byte
	number.FillBytes(raw[:])
	return hashKey{binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:])}
}

// evenStarts divides all hash keys into n adjacent ranges of equal size and returns the first hash key of each. The last
// range also has the remainder of the division.
func evenStarts(n int) []hashKey {
	width := new(big.Int).Lsh(big.NewInt(1), 128)
	width.Div(width, big.NewInt(int64(n)))
	starts := make([]hashKey, n)
	for i := range starts {
		starts[i] = hashKeyOf(new(big.Int).Mul(width, big.NewInt(int64(i))))
	}
	return starts
}
