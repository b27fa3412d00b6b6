package marshaler

import (
	"encoding/binary"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// framedSize is the bytes that a container of the level takes if its content has n bytes.
func (t *tree) framedSize(depth, n int) int {
	if !t.framed || depth == 0 {
		return n
	}
	return 1 + protowire.SizeVarint(unsigned(n)) + n
}

// assemble writes a chunk that has the rows, which come in the order of the request, into dst, which has its exact size.
// It writes from the end to the start, so that the length of a container is known when its turn comes.
func (t *tree) assemble(rows []row, dst []byte) {
	w := backwardWriter{tree: t, buf: dst, pos: len(dst)}
	var path [maxDepth]int
	for _, r := range slices.Backward(rows) {
		t.path(r, &path)
		common := 0
		for common < min(w.depth, r.depth) && w.path[common] == path[common] {
			common++
		}
		w.closeTo(common)
		if common > 0 && !t.framed {
			w.pos--
			w.buf[w.pos] = ','
		}
		for _, place := range path[common:r.depth] {
			w.open(place)
		}
		w.write(t.extent(r))
	}
	w.closeTo(0)
}

// backwardWriter fills a buffer from its end.
type backwardWriter struct {
	tree *tree
	buf  []byte
	pos  int // of the first byte written

	path  [maxDepth]int // the places of the containers that are open
	ends  [maxDepth]int // where they end in buf
	depth int           // how many are open
}

func (w *backwardWriter) write(e extent) {
	w.pos -= e.len()
	copy(w.buf[w.pos:], w.tree.data[e.start:e.end])
}

func (w *backwardWriter) open(place int) {
	w.path[w.depth], w.ends[w.depth] = place, w.pos
	w.write(w.tree.containers[w.depth][place].tail)
	w.depth++
}

// closeTo closes the innermost containers until only the given number is open.
func (w *backwardWriter) closeTo(depth int) {
	for w.depth > depth {
		w.depth--
		c := &w.tree.containers[w.depth][w.path[w.depth]]
		w.write(c.head)
		if w.tree.framed && w.depth > 0 {
			length := unsigned(w.ends[w.depth] - w.pos)
			w.pos -= protowire.SizeVarint(length)
			binary.PutUvarint(w.buf[w.pos:], length)
			w.pos--
			w.buf[w.pos] = c.tag
		}
	}
}
