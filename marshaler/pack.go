// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "slices"

const (
	// wellFilled of 8 is how full a compressed message is at least, if there are more items to fill it with.
	wellFilled = 7
	// maxGrowths is how often a message that has come out too small may grow.
	maxGrowths = 3
	// packMargin of 64 stays free when a message is filled again by its own ratio.
	packMargin = 1
)

// packer compresses messages. Without a compressor it leaves them as they are.
type packer struct {
	// compressor is nil if no compression is configured.
	compressor compressor
	// ratio predicts how well the next message will compress. All packers of a signal share it.
	ratio *ratio
	// plain is the latest message before compression. It is kept because its memory is used again, and because a message
	// that compression makes larger is sent as it was.
	plain []byte
	// packed is the latest message after compression. Its memory is used again, so a finished message gets a copy.
	packed []byte
}

// active reports whether messages are compressed at all.
func (p *packer) active() bool { return p.compressor != nil }

// pack compresses the draft. The result is in packed.
func (p *packer) pack(d *draft) {
	p.plain = slices.Grow(p.plain[:0], d.size)[:d.size]
	d.assemble(p.plain)
	p.packed = p.compressor.compress(p.packed[:0], p.plain)
}

// roomFor returns how many bytes, before compression, make a message of about size bytes.
func (p *packer) roomFor(size int) int {
	if p.active() {
		return max(p.ratio.plain(size), 1)
	}
	return size
}

// packedRoom returns how many bytes, before compression, make a message of aim bytes. It assumes the ratio of a message
// that had size bytes before and packed bytes after compression.
func packedRoom(size, packed, aim int) int {
	return min(size*(64-packMargin)/64*aim/packed, MaxPlainSize)
}
