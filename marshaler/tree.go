package marshaler

import (
	"errors"
	"slices"
)

// Errors of the cutters. Bytes that pdata has written never cause one.
var (
	errMalformed = errors.New("malformed OTLP")
	errScattered = errors.New("malformed OTLP: the children of a container do not lie side by side")
)

// maxDepth is the most containers an item lies in: request, resource, scope, metric, data.
const maxDepth = 5

// extent is a range of bytes of the request.
type extent struct{ start, end int }

func (e extent) len() int { return e.end - e.start }

// container is a message or object that holds items: its head, its children side by side, and its tail. Head and tail
// are what each chunk with any of its items repeats.
type container struct {
	head, tail extent
	parent     int  // its place in the level above
	first      int  // the place of its first child in the level below
	last       int  // one past the place of its last child
	items      int  // the items in all containers of the level before this one
	tag        byte // in front of it in protobuf
}

// tree is where containers and items lie in an encoded request. A level holds what is equally deep: level 0 the request,
// level 1 the resources, the last one the items. Siblings are neighbours in their level.
type tree struct {
	data   []byte
	layers []layer // layers[depth] says where the children of a container of that level are
	// framed is true for protobuf: a child has a tag and its length in front. In JSON a child has a comma in front unless
	// it is the first.
	framed bool

	containers [maxDepth][]container
	extents    [maxDepth + 1][]extent // of containers and items, with tag and length where framed
}

// reset makes the tree that of another request, which is cut next.
func (t *tree) reset(data []byte, layers []layer, framed bool) {
	t.data, t.layers, t.framed = data, layers, framed
	for depth := range t.containers {
		t.containers[depth] = t.containers[depth][:0]
	}
	for depth := range t.extents {
		t.extents[depth] = t.extents[depth][:0]
	}
}

// reserve makes room for as many items, and for one scope in each of as many resources.
func (t *tree) reserve(resources, items int) {
	for depth := 1; depth < t.itemDepth(); depth++ {
		t.containers[depth] = slices.Grow(t.containers[depth], resources)
		t.extents[depth] = slices.Grow(t.extents[depth], resources)
	}
	t.extents[t.itemDepth()] = slices.Grow(t.extents[t.itemDepth()], items)
}

// cut finds all containers and items.
func (t *tree) cut() error {
	if t.framed {
		return t.cutProto(extent{0, len(t.data)}, 0, 0, 0)
	}
	return t.cutJSON()
}

// itemDepth is the level of the items.
func (t *tree) itemDepth() int { return len(t.layers) }

// gap is the bytes between two siblings.
func (t *tree) gap() int {
	if t.framed {
		return 0
	}
	return 1
}

// add adds a child at its level, which must follow its siblings there, of which first is the first.
func (t *tree) add(depth, first int, child extent) error {
	level := t.extents[depth]
	if n := len(level); n > first && child.start != level[n-1].end+t.gap() {
		return errScattered
	}
	t.extents[depth] = append(level, child)
	return nil
}

// begin adds a container before its children and returns its place.
func (t *tree) begin(depth, parent int, tag byte) int {
	place := len(t.containers[depth])
	t.containers[depth] = append(t.containers[depth], container{
		parent: parent, tag: tag, first: len(t.extents[depth+1]), items: t.itemCount(),
	})
	return place
}

// finish sets the head and tail of a container after its children; whole is its content.
func (t *tree) finish(depth, place int, whole extent) {
	c := &t.containers[depth][place]
	children := t.extents[depth+1][c.first:]
	c.last = c.first + len(children)
	c.head, c.tail = whole, extent{whole.end, whole.end}
	if len(children) > 0 {
		c.head.end, c.tail.start = children[0].start, children[len(children)-1].end
	}
}

func (t *tree) itemCount() int { return len(t.extents[t.itemDepth()]) }

// itemsBefore returns how many items lie before the place in the level, which may be one past its end.
func (t *tree) itemsBefore(depth, place int) int {
	switch {
	case depth == t.itemDepth():
		return place
	case place == len(t.containers[depth]):
		return t.itemCount()
	}
	return t.containers[depth][place].items
}

// row is some siblings with all they hold.
type row struct {
	depth       int
	parent      int // the place of their container in the level above
	first, last int // last is one past the last
}

func (t *tree) items(r row) int {
	return t.itemsBefore(r.depth, r.last) - t.itemsBefore(r.depth, r.first)
}

// extent returns where the row lies; it has at least one sibling.
func (t *tree) extent(r row) extent {
	level := t.extents[r.depth]
	return extent{level[r.first].start, level[r.last-1].end}
}

// path sets dst to the places of the containers that the row lies in, one for each level above it.
func (t *tree) path(r row, dst *[maxDepth]int) {
	place := r.parent
	for depth := r.depth - 1; depth >= 0; depth-- {
		dst[depth] = place
		place = t.containers[depth][place].parent
	}
}
