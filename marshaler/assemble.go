// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"encoding/binary"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// framedSize returns how many bytes a container of the level takes if its content has n bytes. In protobuf it has a tag and
// a length in front, except for the request itself, which has the prefix.
func (t *tree) framedSize(depth, n int) int {
	if depth == 0 {
		return len(t.prefix) + n
	}
	if !t.framed {
		return n
	}
	return 1 + protowire.SizeVarint(unsigned(n)) + n
}

// assemble writes a message with the given rows into dst, which has the exact size of the message. The rows are in the order
// of the tree.
//
// It writes from the end to the start. So the length of a container, which stands in front of the container in protobuf, is
// known when it is written.
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
	copy(dst, t.prefix)
}

// backwardWriter writes a message from its end to its start.
type backwardWriter struct {
	// tree is where the bytes come from.
	tree *tree
	// buf is where the message is written to.
	buf []byte
	// pos is the position in buf of what was written last. The next bytes end there.
	pos int

	// path has the places of the open containers, which still lack a head, by level.
	path [maxDepth]int
	// ends has the positions in buf where the open containers end, to compute their lengths.
	ends [maxDepth]int
	// depth is how many containers are open.
	depth int
}

// write writes the bytes of an extent.
func (w *backwardWriter) write(e extent) {
	w.pos -= e.len()
	copy(w.buf[w.pos:], w.tree.data[e.start:e.end])
}

// open begins a container with its tail.
func (w *backwardWriter) open(place int) {
	w.path[w.depth], w.ends[w.depth] = place, w.pos
	w.write(w.tree.container(w.depth, place).tail)
	w.depth++
}

// closeTo ends the innermost containers, each with its head, until only as many as depth are open.
func (w *backwardWriter) closeTo(depth int) {
	for w.depth > depth {
		w.depth--
		c := w.tree.container(w.depth, w.path[w.depth])
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
