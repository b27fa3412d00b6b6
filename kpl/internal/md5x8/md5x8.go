// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package md5x8 computes the MD5 of several messages side by side. Each step of MD5 needs the result of the step before, so
// one message leaves most of a processor idle. Eight messages at a time take hardly longer than one.
//
// [Hasher] takes messages of any length, [Short] takes messages that fit into one block, and [Sum] takes one message. All of
// them return what crypto/md5 returns. They use crypto/md5 where the processor has no AVX2, on other architectures, and in a
// build with the tag purego.
//
// The kernel, avx2_amd64.s, is written by hand: there is no generator. Its macros F, G, H and I are the four rounds of
// RFC 1321. Each line that uses one of them is one of the 64 steps, in the order of the RFC. The kernel has no branch but its
// loop over the blocks. To change it, edit the macros and run the tests of this package. They compare the kernel with
// crypto/md5 for every length around the boundaries of a block and for any number of messages. FuzzHasher and FuzzShort
// do the same with random messages.
//
// MD5 is no cryptography here: Kinesis chooses the shard of a record by it, and the KPL's format ends with it. No secret
// depends on it. So it is also computed in a program that allows FIPS 140-3 algorithms only.
package md5x8

import (
	"crypto/fips140"
	"crypto/md5" //nolint:gosec // see the package comment
	"encoding/binary"
)

const (
	// Width is how many messages are hashed side by side.
	Width = 8
	// Size is the size of an MD5 in bytes.
	Size = md5.Size

	// paddingSize is the least that MD5 adds to a message: a byte that marks its end, and its length in eight bytes.
	paddingSize = 9
	endMark     = 0x80
)

// Sum is the MD5 of one message.
func Sum(message []byte) (sum [Size]byte) {
	if fips140.Enforced() {
		fips140.WithoutEnforcement(func() { sum = md5.Sum(message) }) //nolint:gosec // see the package comment
		return sum
	}
	return md5.Sum(message) //nolint:gosec // see the package comment
}

// state is the four words of MD5, each for all lanes. A lane is one of the messages that are hashed side by side.
type state [4][Width]uint32

// start makes a lane ready for a message.
func (s *state) start(lane int) {
	s[0][lane], s[1][lane], s[2][lane], s[3][lane] = 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476
}

// sum is the MD5 of the message that a lane has taken in.
func (s *state) sum(lane int) (sum [Size]byte) {
	for i := range s {
		binary.LittleEndian.PutUint32(sum[4*i:], s[i][lane])
	}
	return sum
}

// putLength writes the length of a message into the last eight bytes of its last block, in bits.
func putLength(block []byte, length int) {
	binary.LittleEndian.PutUint64(block[len(block)-8:], uint64(length)<<3) //nolint:gosec // a length is not negative
}
