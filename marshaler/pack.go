package marshaler

import "slices"

const (
	// wellFilled of 8 is how full a compressed chunk is at least, if there is more to fill it with.
	wellFilled = 7
	// maxGrowths is how often a chunk may grow that has come out too small.
	maxGrowths = 3
	// packMargin of 64 stays free when a chunk is filled anew by its own ratio.
	packMargin = 1
)

// pack compresses the chunk and ends it, if it has come out as large as it should be. If it has come out too large, only
// as many items as will fit are in the chunk that ends, and the rest is in the one that is open afterwards. If it has come
// out too small, it stays open, with more room, provided that this is enough for the item that comes next, which has that
// many bytes, 0 for none.
func (c *chunker) pack(next int) {
	c.plain = slices.Grow(c.plain[:0], c.size)[:c.size]
	c.tree.assemble(c.rows, c.plain)
	c.packed = c.compressor.compress(c.packed[:0], c.plain)
	packed := len(c.packed)
	if c.growths == 0 && 2*c.size > c.room {
		c.ratio.learn(c.size, packed)
	}
	// What the chunk has room for, if the rest compresses as what is in it.
	room := min(c.size*(64-packMargin)/64*c.aim/packed, MaxPlainSize)
	switch {
	case packed > c.aim && c.items > 1:
		c.refill(min(room, c.size-1))
		return
	case next > 0 && packed < c.aim*wellFilled/8 && c.size+next <= room && c.growths < maxGrowths:
		c.growths++
		c.room = room
		return
	case packed+c.keySize <= c.limit:
		c.emit(c.packed)
	case c.size+c.keySize <= c.limit:
		c.emit(c.plain) // a single item that compression makes larger
	default:
		c.reject(packed)
	}
	c.clear()
}

// refill fills the rows of the chunk into chunks once more, the first with less room.
func (c *chunker) refill(room int) {
	rows, path, aim := slices.Clone(c.rows), c.path, c.aim
	c.clear()
	c.aim, c.room, c.ceiling = aim, room, room
	c.growths = maxGrowths // it is known by now what fits
	for _, r := range rows {
		c.tree.path(r, &c.path)
		c.fill(r)
	}
	c.path = path
}

// emit adds a chunk with the data.
func (c *chunker) emit(data []byte) {
	b := c.buffers.get(len(data))
	copy(b.data, data)
	c.encoded.Chunks = append(c.encoded.Chunks, Chunk{Data: b.data, PartitionKey: c.key, Items: c.items, buffer: b})
}
