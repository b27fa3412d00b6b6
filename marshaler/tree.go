// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"errors"
	"slices"
)

// maxDepth is how many containers an item lies in at most: request, resource, scope, metric, data of the metric.
const maxDepth = 5

// extent is a range of the encoded bytes.
type extent struct{ start, end int }

func (e extent) len() int { return e.end - e.start }

// container is a part of an OTLP request that holds items. It consists of a head, its children side by side, and a tail.
// Head and tail are repeated in every message that has items of the container.
type container struct {
	// head is what is in front of the first child, tail what is behind the last one.
	head, tail extent
	// parent is the place of the parent in the level above. It leads from a row to all containers around it.
	parent int
	// first is the place of the first child in the level below, last is one past the last child.
	first, last int
	// items is how many items lie in front of the container. So the items of a row are a difference of two numbers.
	items int
	// tag is the protobuf tag in front of the container. It is written again with each copy of the container.
	tag byte
}

// around returns how many bytes head and tail have.
func (c *container) around() int { return c.head.len() + c.tail.len() }

// tree says where containers and items lie in an encoded OTLP request. A level holds what is equally deep. Level 0 is the
// request, level 1 are the resources, the last level are the items. Siblings are neighbours in their level.
type tree struct {
	// layers says, for each level, where the children of a container are. It depends on the signal alone.
	layers []layer
	// framed is true for protobuf, where each child has a tag and its length in front. In JSON a comma stands between two
	// children.
	framed bool

	// data is the encoded request. All extents are ranges of it.
	data []byte
	// prefix stands in front of each message, beside what is in the head of the request.
	prefix []byte
	// containers are all containers, by level.
	containers [maxDepth][]container
	// extents are where containers and items lie, by level. In protobuf they include tag and length.
	extents [maxDepth + 1][]extent
}

// reset empties the tree for another request.
func (t *tree) reset(data []byte) {
	t.data, t.prefix = data, nil
	for depth := range t.containers {
		t.containers[depth] = t.containers[depth][:0]
	}
	for depth := range t.extents {
		t.extents[depth] = t.extents[depth][:0]
	}
}

// reserve makes room for so many items, and for so many resources with one scope each.
func (t *tree) reserve(resources, items int) {
	for depth := 1; depth < t.itemDepth(); depth++ {
		t.containers[depth] = slices.Grow(t.containers[depth], resources)
		t.extents[depth] = slices.Grow(t.extents[depth], resources)
	}
	t.extents[t.itemDepth()] = slices.Grow(t.extents[t.itemDepth()], items)
}

// itemDepth returns the level of the items.
func (t *tree) itemDepth() int { return len(t.layers) }

// appendParents appends the place of the container of each item.
func (t *tree) appendParents(list []int) []int {
	for place := range t.containers[t.itemDepth()-1] {
		c := t.container(t.itemDepth()-1, place)
		for range c.last - c.first {
			list = append(list, place)
		}
	}
	return list
}

// bytes returns how many bytes the items or resources of the runs have.
func (t *tree) bytes(runs []run, byItem bool) (sum int) {
	level := t.extents[1]
	if byItem {
		level = t.extents[t.itemDepth()]
	}
	for _, r := range runs {
		for _, e := range level[r.first:r.last] {
			sum += e.len()
		}
	}
	return sum
}

// resourceOf returns the position of the resource at the beginning of a row, or around that.
func (t *tree) resourceOf(r row) int {
	if r.depth == 1 {
		return r.first
	}
	place := r.parent
	for depth := r.depth - 1; depth > 1; depth-- {
		place = t.containers[depth][place].parent
	}
	return place
}

// gap returns how many bytes lie between two siblings.
func (t *tree) gap() int {
	if t.framed {
		return 0
	}
	return 1
}

var errScattered = errors.New("malformed OTLP: the children of a container do not lie side by side")

// errSeveral is for a metric with data of several types. Only the last of them counts.
var errSeveral = errors.New("malformed OTLP: a metric has data twice")

// add adds a child to its level, behind its siblings. The parameter first is the place of the first sibling.
func (t *tree) add(depth, first int, child extent) error {
	level := t.extents[depth]
	if n := len(level); n > first && child.start != level[n-1].end+t.gap() {
		return errScattered
	}
	t.extents[depth] = append(level, child)
	return nil
}

// begin adds a container and returns its place. Its children come after it.
func (t *tree) begin(depth, parent int, tag byte) int {
	place := len(t.containers[depth])
	t.containers[depth] = append(t.containers[depth], container{
		parent: parent, tag: tag, first: len(t.extents[depth+1]), items: t.itemCount(),
	})
	return place
}

// finish sets head, tail and the last child of a container, once all its children are there. The parameter whole is where
// its content lies.
func (t *tree) finish(depth, place int, whole extent) {
	c := &t.containers[depth][place]
	children := t.extents[depth+1][c.first:]
	c.last = c.first + len(children)
	c.head, c.tail = whole, extent{whole.end, whole.end}
	if len(children) > 0 {
		c.head.end, c.tail.start = children[0].start, children[len(children)-1].end
	}
}

// container returns the container at a place of a level. It is only read.
func (t *tree) container(depth, place int) *container { return &t.containers[depth][place] }

func (t *tree) itemCount() int { return len(t.extents[t.itemDepth()]) }

func (t *tree) resourceCount() int { return len(t.extents[1]) }

// itemsBefore returns how many items lie in front of the place in the level. The place may be one past the last one.
func (t *tree) itemsBefore(depth, place int) int {
	switch {
	case depth == t.itemDepth():
		return place
	case place == len(t.containers[depth]):
		return t.itemCount()
	}
	return t.containers[depth][place].items
}

// row is one or more siblings, with all that they hold.
type row struct {
	depth       int
	parent      int // the place of their container in the level above
	first, last int // places in the level; last is one past the last sibling
}

// resources returns the row of all resources.
func (t *tree) resources() row { return row{depth: 1, last: t.resourceCount()} }

// children returns the row of all children of a container.
func (t *tree) children(depth, place int) row {
	c := t.container(depth, place)
	return row{depth: depth + 1, parent: place, first: c.first, last: c.last}
}

// items returns how many items the row has.
func (t *tree) items(r row) int {
	return t.itemsBefore(r.depth, r.last) - t.itemsBefore(r.depth, r.first)
}

// extent returns where the row lies.
func (t *tree) extent(r row) extent {
	level := t.extents[r.depth]
	return extent{level[r.first].start, level[r.last-1].end}
}

// path sets dst to the places of the containers that the row lies in, one for each level above the row.
func (t *tree) path(r row, dst *[maxDepth]int) {
	place := r.parent
	for depth := r.depth - 1; depth >= 0; depth-- {
		dst[depth] = place
		place = t.containers[depth][place].parent
	}
}
