// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "sort"

// draft is a message that is being filled. It holds no bytes. It knows which rows of the tree the message has, and how many
// bytes they will take.
type draft struct {
	// tree is where the rows lie.
	tree *tree
	// rows are the parts of the message, in the order of the tree.
	rows []row
	// items is the number of items in rows.
	items int
	// size is the exact size of the message in bytes, before compression.
	size int
	// open has, for each level, the container that the last row lies in. A further row may continue it.
	open [maxDepth]opening

	// path has, for each level, the container that the next row lies in. The method enter sets it.
	path [maxDepth]int
	// next has, for each level, the size of that container's content with the next row. The method sizeWith sets it, so
	// that take does not compute it again.
	next [maxDepth]int
}

// opening is a container that the draft already has and that may get more children.
type opening struct {
	place int // in its level of the tree; -1 if there is no such container
	size  int // bytes of its content so far
}

// drop takes everything out of the draft.
func (d *draft) drop() {
	d.rows, d.items, d.size = d.rows[:0], 0, 0
	for depth := range d.open {
		d.open[depth].place = -1
	}
}

// enter notes in which containers the row lies. It must be called before the methods below, which take that row or
// siblings of it.
func (d *draft) enter(r row) { d.tree.path(r, &d.path) }

// fitting returns how many siblings of the row, from the first one on, fit a message of room bytes.
func (d *draft) fitting(r row, room int) int {
	fits := func(n int) bool {
		return d.sizeWith(row{r.depth, r.parent, r.first, r.first + n}) <= room
	}
	all := r.last - r.first
	if fits(all) {
		return all
	}
	return sort.Search(all-1, func(n int) bool { return !fits(n + 1) })
}

// take adds the row.
func (d *draft) take(r row) {
	d.size = d.sizeWith(r)
	for depth := range r.depth {
		d.open[depth] = opening{d.path[depth], d.next[depth]}
	}
	d.items += d.tree.items(r)
	d.rows = append(d.rows, r)
}

// sizeWith returns the size that the message would have with the row in it. It sets next.
func (d *draft) sizeWith(r row) int {
	growth := d.tree.extent(r).len()
	separator := d.tree.gap() // none is needed in front of the first child of a container
	for depth := r.depth - 1; depth >= 0; depth-- {
		place, open := d.path[depth], d.open[depth]
		if open.place == place {
			d.next[depth] = open.size + separator + growth
			growth = d.tree.framedSize(depth, d.next[depth]) - d.tree.framedSize(depth, open.size)
			separator = 0
			continue
		}
		d.next[depth] = d.tree.container(depth, place).around() + growth
		growth = d.tree.framedSize(depth, d.next[depth])
	}
	return len(d.tree.prefix) + d.next[0]
}

// sizeAlone returns the size of a message that holds nothing but the row.
func (d *draft) sizeAlone(r row) int {
	size := d.tree.extent(r).len()
	for depth := r.depth - 1; depth >= 0; depth-- {
		size = d.tree.framedSize(depth, d.tree.container(depth, d.path[depth]).around()+size)
	}
	return size
}

// assemble writes the message into dst, which has its exact size.
func (d *draft) assemble(dst []byte) { d.tree.assemble(d.rows, dst) }
