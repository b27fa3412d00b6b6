// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"errors"
	"fmt"
)

// pieceSize is about how many bytes of a large push are encoded at a time. A piece of this size is still in the processor's
// caches when it is cut. It takes little memory beside the messages, and is many times larger than a carry-over.
const pieceSize = 256 << 10

const (
	// pieceMargin is how much memory a piece gets beyond its expected size, as a part of that size.
	pieceMargin = .25
	// pieceGrowth is how many times the carry-over a piece has at least, so that the carry-over is not copied again and
	// again.
	pieceGrowth = 4
)

// pieces is a push that is encoded a few resources at a time.
//
// The messages are the same as if the push were encoded as a whole. Items that do not fill a message at the end of a piece
// are the carry-over: they are encoded again, in front of the next piece.
type pieces struct {
	push

	// parts gives the pdata of a piece.
	parts *pdataParts
	// size is about how many bytes the push has.
	size int
	// each is about how many bytes a piece should have.
	each int
	// perResource is how many bytes a resource has on average. It turns the size of a piece into a number of resources.
	perResource float64
}

// newPieces returns the pieces of a push, each of about as many bytes as each says. It returns false for a push that is
// encoded as a whole: because it is small, or has one resource, or has several partition keys, each of which would have a
// carry-over.
func newPieces(p push, source encodable, guess *sizeGuess, each int) (pieces, bool) {
	if p.resources == 1 || len(p.groups) > 1 {
		return pieces{}, false
	}
	size := guess.size(p.items)
	if size == 0 {
		size = source.SizeProto()
	}
	if size < 2*each {
		return pieces{}, false
	}
	parts, ok := partsOf(source, p.resources)
	return pieces{p, parts, size, each, float64(size) / float64(p.resources)}, ok
}

// split encodes the pieces and cuts them into messages. The guess learns the size of the push, which is the sum of the pieces.
func (p *pieces) split(f *filler, guess *sizeGuess) (Encoded, error) {
	defer f.forget()
	f.begin(&p.push, p.size)
	size, err := p.fill(f)
	if err != nil {
		f.discard()
		return Encoded{}, err
	}
	guess.learn(size, p.items)
	return f.encoded, nil
}

var errSize = errors.New("pdata has another size than it says")

// fill puts all items into messages. It returns how many bytes the push has.
func (p *pieces) fill(f *filler) (size int, err error) {
	f.startAt(p.groups[0].destination)
	var piece *buffer
	defer func() { piece.release() }()
	items := 0
	for first := 0; first < p.resources; {
		carried, carriedItems := f.front(), f.draft.items
		last := p.end(first, carried)
		next, ok := p.write(f, first, last)
		if !ok {
			return 0, fmt.Errorf("marshaler: encode %s: %w", p.signal, errSize)
		}
		f.carryOver(next.data[:carried])
		piece.release()
		piece = next
		if err := f.cut(piece.data, last-first, last-first); err != nil {
			return 0, err
		}
		f.firstResource = last - f.tree.resourceCount() // that of the carry-over
		f.fill(f.tree.resources())
		first, size, items = last, size+len(piece.data)-carried, items+f.tree.itemCount()-carriedItems
	}
	f.finish()
	return size, p.checkCount(p.resources, items)
}

// front returns how many bytes stand in front of the next piece: the carry-over, which begins with the marker, or the marker
// alone.
func (f *filler) front() int { return max(f.draft.size, len(f.marker)) }

// end returns one past the last resource of the piece that begins with the resource first. The parameter carried is the size
// of the carry-over.
func (p *pieces) end(first, carried int) int {
	resources := float64(max(p.each, pieceGrowth*carried)) / p.perResource
	return min(first+max(int(resources), 1), p.resources)
}

// write encodes the resources of a piece. It leaves room in front of them for the carry-over, which is the draft.
func (p *pieces) write(f *filler, first, last int) (*buffer, bool) {
	// All pieces leave the room of a full message, so that their buffers have the same size and can be used again.
	room := max(f.front(), f.target)
	guess := int(float64(last-first) * p.perResource * (1 + pieceMargin))
	b, ok := f.buffers.writeBehind(room, p.parts.take(first, last), guess)
	if ok {
		f.mender.resource = first
		b = f.mend(b, room)
		b.skip(room - f.front())
	}
	return b, ok
}
