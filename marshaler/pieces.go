package marshaler

import (
	"errors"
	"fmt"
)

// pieceSize is about how many bytes of a large request are encoded at a time: few enough to be in the processor's caches
// still when they are cut, and to count for little beside chunks; and many times what a piece leaves over.
const pieceSize = 256 << 10

const (
	// pieceMargin is the part of a piece's expected size that its memory has besides.
	pieceMargin = .25
	// pieceGrowth is how many times what the piece before has left over a piece has at least, so that bytes that are left
	// over again and again are not copied for ever.
	pieceGrowth = 4
)

// pieces is a request that is encoded a few resources at a time. It gets the chunks that it would get as a whole: what a
// piece leaves over for a chunk goes in front of the next piece, as OTLP of its own.
type pieces struct {
	request

	parts       *wireParts
	size        int     // of the request, about
	each        int     // about how many bytes a piece has
	perResource float64 // bytes, on average
}

// piecesOf returns the pieces of a request, or false if there is no use or no way: it is small or has a single resource,
// or its chunks have several partition keys, and a piece would leave over something for each.
func (m *Marshaler) piecesOf(r request, message wireMessage) (p pieces, ok bool) {
	if r.resources == 1 || len(r.groups) > 1 {
		return pieces{}, false
	}
	size := m.guesses[r.signal].size(r.items)
	if size == 0 {
		size = message.SizeProto()
	}
	if size < 2*m.pieceSize {
		return pieces{}, false
	}
	parts, ok := wirePartsOf(message, r.resources)
	return pieces{r, parts, size, m.pieceSize, float64(size) / float64(r.resources)}, ok
}

// splitPieces makes the chunks of a request.
func (m *Marshaler) splitPieces(p pieces) (Encoded, error) {
	c := m.chunker(p.request, p.size)
	defer m.idle(c)
	size, err := c.fillPieces(p)
	if err != nil {
		c.encoded.Release()
		return Encoded{}, err
	}
	m.guesses[p.signal].learn(size, p.items)
	return c.encoded, nil
}

var errSize = errors.New("a message has another size than it says")

// fillPieces puts all items into chunks, and returns how many bytes the request has.
func (c *chunker) fillPieces(p pieces) (size int, err error) {
	c.key = p.groups[0].key
	c.clear()
	var piece *buffer
	defer func() { piece.release() }()
	items := 0
	for first := 0; first < p.resources; {
		left, leftItems := c.size, c.items
		last := p.end(first, left)
		next, ok := p.write(c, first, last)
		if !ok {
			return 0, fmt.Errorf("marshaler: encode %s: %w", p.signal, errSize)
		}
		c.tree.assemble(c.rows, next.data[:left])
		c.drop()
		piece.release()
		piece = next
		if err := c.cut(piece.data, last-first, last-first); err != nil {
			return 0, err
		}
		c.fill(row{depth: 1, last: len(c.tree.extents[1])})
		first, size, items = last, size+len(piece.data)-left, items+c.tree.itemCount()-leftItems
	}
	c.finish()
	return size, p.checkCount(p.resources, items)
}

// end returns where the piece ends that begins with the given resource, behind so many bytes that are left over.
func (p *pieces) end(first, left int) int {
	resources := float64(max(p.each, pieceGrowth*left)) / p.perResource
	return min(first+max(int(resources), 1), p.resources)
}

// write encodes the piece, behind as many bytes as the chunk has that is open.
func (p *pieces) write(c *chunker, first, last int) (*buffer, bool) {
	room := max(c.size, c.target) // not what it takes just now: so all pieces can use the same memory
	guess := int(float64(last-first) * p.perResource * (1 + pieceMargin))
	b, ok := c.buffers.writeBehind(room, p.parts.take(first, last), guess)
	if ok {
		b.data = b.data[room-c.size:]
	}
	return b, ok
}
