// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package md5x8

import "crypto/md5" //nolint:gosec // see the package comment

// MaxShort is the length of the longest message that [Short] takes, in bytes.
const MaxShort = md5.BlockSize - paddingSize

// Short hashes up to [Width] messages, each of at most [MaxShort] bytes. They are copied, so that the messages can be
// strings. The zero Short is ready. It may be used again and again, but not by two goroutines at a time.
type Short struct {
	n       int
	lengths [Width]int
	blocks  [Width][md5.BlockSize]byte
}

// Len returns how many messages there are.
func (s *Short) Len() int { return s.n }

// Add adds a message. It panics if there are [Width] messages already, or if the message is longer than [MaxShort].
func (s *Short) Add(message string) {
	block := &s.blocks[s.n]
	*block = [md5.BlockSize]byte{}
	copy(block[:MaxShort], message)
	block[:MaxShort+1][len(message)] = endMark
	putLength(block[:], len(message))
	s.lengths[s.n] = len(message)
	s.n++
}

// Sums returns the MD5 of each message, in the order in which they were added, and forgets the messages. Sums beyond their
// number mean nothing.
func (s *Short) Sums() (sums [Width][Size]byte) {
	n := s.n
	s.n = 0
	if n < 2 || !sideBySide() {
		for i := range n {
			sums[i] = Sum(s.blocks[i][:s.lengths[i]])
		}
		return sums
	}
	var words state
	var at [Width]*byte
	for i := range at {
		words.start(i)
		at[i] = &s.blocks[i][0]
	}
	addBlocks(&words, &at, 1)
	for i := range n {
		sums[i] = words.sum(i)
	}
	return sums
}
