package marshaler

import (
	"math"
	"sort"
)

// chunker fills chunks with the items of a tree. It counts the exact bytes of a chunk; only a full one is assembled.
//
// It takes whole rows where they fit, and goes into a container where it does not: the work grows with the number of
// chunks rather than with that of the items, and the items still fill the chunks one after the other.
type chunker struct {
	tree    tree
	layers  []layer // of the tree
	framed  bool    // see tree
	signal  Signal
	target  int // Config.TargetSize
	limit   int // Config.MaxSize
	keySize int
	buffers *buffers
	encoded Encoded

	compressor compressor // nil for none
	ratio      *ratio
	plain      []byte // the latest chunk before compression
	packed     []byte // and after it

	// The chunk that is being filled.
	key     string
	aim     int // the bytes that its data should come to
	room    int // what its data is filled up to, before compression
	ceiling int // what room does not go beyond
	growths int // how often that has grown
	rows    []row
	items   int
	size    int               // of its data, before compression
	open    [maxDepth]opening // the containers of its last row

	path [maxDepth]int // the containers of the row that comes next
	next [maxDepth]int // the bytes that their contents have with that row
}

// opening is a container that is in the chunk already, and may get more children.
type opening struct {
	place int // -1 for none
	size  int // bytes of its content in the chunk
}

// fillGroup puts the items of the group's resources into chunks of their own.
func (c *chunker) fillGroup(g group) {
	c.key = g.key
	c.clear()
	if g.resources == nil {
		c.fill(row{depth: 1, last: len(c.tree.extents[1])})
	}
	for i := 0; i < len(g.resources); {
		first := g.resources[i]
		last := first
		for i < len(g.resources) && g.resources[i] == last { // as many neighbours as there are
			i, last = i+1, last+1
		}
		c.fill(row{depth: 1, first: first, last: last})
	}
	c.finish()
}

// finish ends the chunk, and those that its items may come to.
func (c *chunker) finish() {
	for c.items > 0 {
		c.flush(0)
	}
}

// fill adds the row, part by part where it does not fit as a whole.
func (c *chunker) fill(r row) {
	c.path[r.depth-1] = r.parent
	for r.first < r.last {
		part := r
		part.last = r.first + c.fitting(r)
		switch {
		case part.last > r.first:
			c.take(part)
		case r.depth == c.tree.itemDepth():
			part.last = r.first + 1
			c.fillOne(part)
		default:
			part.last = r.first + 1
			inner := c.tree.containers[r.depth][r.first]
			c.fill(row{depth: r.depth + 1, parent: r.first, first: inner.first, last: inner.last})
		}
		r.first = part.last
	}
}

// fillOne adds a single item that the chunk has no room for: to the next chunk, or to none.
func (c *chunker) fillOne(item row) {
	size, bytes := c.sizeAlone(item), c.tree.extent(item).len()
	if size > c.most() {
		c.reject(size)
		return
	}
	for c.items > 0 && c.fitting(item) == 0 {
		c.flush(bytes)
	}
	if c.items == 0 {
		c.drop()
		c.aimFor(size - bytes)
	}
	c.take(item)
}

// most returns the most bytes of data before compression.
func (c *chunker) most() int {
	if c.compressor != nil {
		return MaxPlainSize
	}
	return c.limit - c.keySize
}

// reject leaves out the only item of a chunk whose data would have the size.
func (c *chunker) reject(size int) {
	c.encoded.Rejected = append(c.encoded.Rejected,
		&ItemSizeError{Signal: c.signal, Size: size + c.keySize, Limit: c.limit})
}

// aimFor decides how large the chunk gets whose first item has that many bytes around it. Where these fill more than half
// of the target, the chunk grows by whole targets until they do not, as far as the limit allows: they are repeated in every
// chunk, and a request of many small items in a large resource would come to a multiple of its size.
func (c *chunker) aimFor(around int) {
	target := c.roomFor(c.target)
	targets := (2*around + target - 1) / target
	c.aim = max(c.target, min(targets*c.target, c.limit)) - c.keySize
	c.room = min(c.roomFor(c.aim), c.ceiling)
}

// roomFor returns how many bytes of data to fill a chunk with whose data should come to the size.
func (c *chunker) roomFor(size int) int {
	if c.compressor != nil {
		return max(c.ratio.plain(size), 1)
	}
	return size
}

// fitting returns how many siblings of the row, from the first on, the chunk has room for.
func (c *chunker) fitting(r row) int {
	fits := func(n int) bool {
		return c.sizeWith(row{r.depth, r.parent, r.first, r.first + n}) <= c.room
	}
	all := r.last - r.first
	if fits(all) {
		return all
	}
	return sort.Search(all-1, func(n int) bool { return !fits(n + 1) })
}

// take puts the row into the chunk.
func (c *chunker) take(r row) {
	c.size = c.sizeWith(r)
	for depth := range r.depth {
		c.open[depth] = opening{c.path[depth], c.next[depth]}
	}
	c.items += c.tree.items(r)
	c.rows = append(c.rows, r)
}

// sizeWith returns the bytes of the data of the chunk with the row in it, and sets next.
func (c *chunker) sizeWith(r row) int {
	growth := c.tree.extent(r).len()
	separator := c.tree.gap() // nothing separates the first child of a container from its head
	for depth := r.depth - 1; depth >= 0; depth-- {
		place, open := c.path[depth], c.open[depth]
		if open.place == place {
			c.next[depth] = open.size + separator + growth
			growth = c.tree.framedSize(depth, c.next[depth]) - c.tree.framedSize(depth, open.size)
			separator = 0
			continue
		}
		around := &c.tree.containers[depth][place]
		c.next[depth] = around.head.len() + growth + around.tail.len()
		growth = c.tree.framedSize(depth, c.next[depth])
	}
	return c.next[0]
}

// sizeAlone returns the bytes of the data of a chunk with nothing but the row.
func (c *chunker) sizeAlone(r row) int {
	size := c.tree.extent(r).len()
	for depth := r.depth - 1; depth >= 0; depth-- {
		around := &c.tree.containers[depth][c.path[depth]]
		size = c.tree.framedSize(depth, around.head.len()+size+around.tail.len())
	}
	return size
}

// flush ends the chunk, as a rule; see pack for the exceptions. The next item has that many bytes, 0 if there is none. A
// chunk that has only containers without items comes to nothing.
func (c *chunker) flush(next int) {
	switch {
	case c.items == 0:
	case c.compressor != nil:
		c.pack(next)
		return
	default:
		b := c.buffers.get(c.size)
		c.tree.assemble(c.rows, b.data)
		c.encoded.Chunks = append(c.encoded.Chunks, Chunk{Data: b.data, PartitionKey: c.key, Items: c.items, buffer: b})
	}
	c.clear()
}

// clear starts a chunk.
func (c *chunker) clear() {
	c.drop()
	c.growths, c.ceiling = 0, math.MaxInt
	c.aimFor(0)
}

// drop takes everything out of the chunk.
func (c *chunker) drop() {
	c.rows, c.items, c.size = c.rows[:0], 0, 0
	for depth := range c.open {
		c.open[depth].place = -1
	}
}
