// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package md5x8

import (
	"crypto/md5" //nolint:gosec // see the package comment
	"math/bits"
)

// Hasher hashes messages of any length. The zero Hasher is ready. It may be used again and again, but not by two goroutines
// at a time.
type Hasher struct {
	state state
	lanes [Width]lane
}

// lane is a message that is being hashed.
type lane struct {
	message int    // its place among the messages
	blocks  []byte // whole blocks that are still to be taken in
	tailLen int    // bytes of tail that follow them; 0 once they are in blocks
	tail    [2 * md5.BlockSize]byte
}

// Sums appends the MD5 of each message to sums.
func (h *Hasher) Sums(sums [][Size]byte, messages [][]byte) [][Size]byte {
	if len(messages) < 2 || !sideBySide() {
		for _, m := range messages {
			sums = append(sums, Sum(m))
		}
		return sums
	}
	first := len(sums)
	sums = append(sums, make([][Size]byte, len(messages))...)
	next := 0
	busy := 0 // a bit for each lane that has a message
	for i := range h.lanes {
		if next < len(messages) {
			h.take(i, next, messages)
			next, busy = next+1, busy|1<<i
		}
	}
	for busy != 0 {
		h.advance(busy)
		for i := range h.lanes {
			l := &h.lanes[i]
			switch {
			case busy>>i&1 == 0 || len(l.blocks) > 0:
			case l.tailLen > 0:
				l.blocks, l.tailLen = l.tail[:l.tailLen], 0
			default:
				sums[first+l.message] = h.state.sum(i)
				l.blocks = nil
				if next < len(messages) {
					h.take(i, next, messages)
					next++
				} else {
					busy &^= 1 << i
				}
			}
		}
	}
	return sums
}

// take gives a lane the next message.
func (h *Hasher) take(i, next int, messages [][]byte) {
	l, m := &h.lanes[i], messages[next]
	whole := len(m) / md5.BlockSize * md5.BlockSize
	l.message, l.blocks = next, m[:whole]
	l.tailLen = pad(&l.tail, m[whole:], len(m))
	if whole == 0 {
		l.blocks, l.tailLen = l.tail[:l.tailLen], 0
	}
	h.state.start(i)
}

// pad writes the last block or two of a message, and returns their size in bytes. They have the rest of the message, which
// is what is left of it after its whole blocks, and the padding.
func pad(tail *[2 * md5.BlockSize]byte, rest []byte, length int) int {
	size := md5.BlockSize
	if len(rest)+paddingSize > size {
		size = 2 * md5.BlockSize
	}
	clear(tail[copy(tail[:], rest):size])
	tail[len(rest)] = endMark
	putLength(tail[:size], length)
	return size
}

// advance takes in as many blocks of the busy lanes as all of them have. The other lanes take in the same memory as one of
// the busy lanes, and what comes of it is not used.
func (h *Hasher) advance(busy int) {
	shortest := h.lanes[bits.TrailingZeros(uint(busy))].blocks
	for i := range h.lanes {
		if blocks := h.lanes[i].blocks; busy>>i&1 == 1 && len(blocks) < len(shortest) {
			shortest = blocks
		}
	}
	var at [Width]*byte
	for i := range h.lanes {
		at[i] = &shortest[0]
		if l := &h.lanes[i]; busy>>i&1 == 1 {
			at[i], l.blocks = &l.blocks[0], l.blocks[len(shortest):]
		}
	}
	addBlocks(&h.state, &at, len(shortest)/md5.BlockSize)
}
