// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "slices"

const (
	// wellFilled of 8 is how full a compressed message is at least, if there are more items to fill it with.
	wellFilled = 7
	// maxGrowths is how often a message that has come out too small may grow.
	maxGrowths = 3
	// ratioMargin of 64 stays free when a message is filled again by its own ratio.
	ratioMargin = 1
)

// messageCompressor compresses messages, if compression is configured.
type messageCompressor struct {
	// format compresses data. It is nil if no compression is configured.
	format compressor
	// ratio predicts how well the next message will compress. All fillers of a signal share it.
	ratio *ratio
	// plain is the latest message before compression. It is kept because its memory is used again, and because a message
	// that compression makes larger is sent as it was.
	plain []byte
	// compressed is the latest message after compression. Its memory is used again, so a finished message gets a copy.
	compressed []byte
}

// active reports whether messages are compressed at all.
func (c *messageCompressor) active() bool { return c.format != nil }

// compress compresses the draft, which is in plain then. The result is in compressed.
func (c *messageCompressor) compress(d *draft) {
	c.plain = slices.Grow(c.plain[:0], d.size)[:d.size]
	d.assemble(c.plain)
	c.compressData(c.plain)
}

// compressData compresses data. The result is in compressed.
func (c *messageCompressor) compressData(data []byte) {
	c.compressed = c.format.compress(c.compressed[:0], data)
}

// roomFor returns how many bytes, before compression, make a message of about size bytes.
func (c *messageCompressor) roomFor(size int) int {
	if c.active() {
		return max(c.ratio.plain(size), 1)
	}
	return size
}

// compressedRoom returns how many bytes, before compression, make a message of aim bytes. It assumes the ratio of a message
// that had size bytes before and compressed bytes after compression.
func compressedRoom(size, compressed, aim int) int {
	return min(size*(64-ratioMargin)/64*aim/compressed, MaxPlainSize)
}
