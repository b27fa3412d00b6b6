// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "google.golang.org/protobuf/encoding/protowire"

// profileDepth is the level of profiles in the tree of their request. Their samples are the items.
const profileDepth = 3

// profileKinds are the kinds of the containers of a request of profiles, by level.
var profileKinds = [profileDepth + 1]kind{profilesRequest, resourceProfiles, scopeProfiles, profile}

// portion is a message of profiles that is being filled. It has a dictionary of its own, with what its samples need. So each
// message can be read alone, and none carries what others need.
type portion struct {
	tree *tree
	// prefix stands in front of the message.
	prefix []byte
	// selection is the dictionary of the message.
	selection selection
	// rows are whole profiles, or samples of one profile, in the order of the tree.
	rows []row
	// items is the number of samples in rows.
	items int
	// profiles is how many bytes the rows and the containers around them take at most, apart from the dictionary. own is how many
	// of these are those of the rows.
	profiles, own int
	// open has, for each level, the container that the last row lies in, or -1.
	open [profileDepth + 1]int
}

// read takes in the request that the tree was cut from. It returns false if the request cannot be cut.
func (p *portion) read(t *tree) bool {
	p.tree = t
	ok := p.selection.read(t.data)
	p.drop()
	return ok
}

// drop takes everything out of the portion.
func (p *portion) drop() {
	p.selection.reset()
	p.rows, p.items, p.profiles, p.own = p.rows[:0], 0, 0, 0
	for depth := range p.open {
		p.open[depth] = -1
	}
}

// size is how many bytes the message takes at most.
func (p *portion) size() int { return len(p.prefix) + p.profiles + framed(p.selection.size) }

// around is how many of these bytes are not those of the profiles and samples themselves.
func (p *portion) around() int { return p.size() - p.own }

// framed returns how many bytes a message of size bytes takes with its tag and its length.
func framed(size int) int { return 1 + protowire.SizeVarint(unsigned(size)) + size }

// add adds a row if the message then takes at most room bytes. It reports whether it did.
func (p *portion) add(r row, room int) bool {
	chosen, profiles, open := len(p.selection.chosen), p.profiles, p.open
	path := [maxDepth]int{}
	p.tree.path(r, &path)
	for depth := 1; depth < r.depth; depth++ {
		if p.open[depth] == path[depth] {
			continue
		}
		c := p.tree.container(depth, path[depth])
		p.choose(c.head, profileKinds[depth])
		p.choose(c.tail, profileKinds[depth])
		// The length in front of a container is at most that of the whole container.
		p.profiles += c.around() + 1 + protowire.SizeVarint(unsigned(p.tree.extents[depth][path[depth]].len()))
		p.open[depth] = path[depth]
		for below := depth + 1; below <= profileDepth; below++ {
			p.open[below] = -1
		}
	}
	content := p.tree.extent(r)
	p.choose(content, profileKinds[r.depth-1])
	p.profiles += content.len()
	if p.size() > room {
		p.selection.undo(chosen)
		p.profiles, p.open = profiles, open
		return false
	}
	p.own += content.len()
	p.rows = append(p.rows, r)
	p.items += p.tree.items(r)
	return true
}

// choose selects what a part of a message of the kind refers to.
func (p *portion) choose(part extent, k kind) {
	p.selection.chooseFor(p.tree.data[part.start:part.end], k)
}

// write appends the message to dst.
func (p *portion) write(dst []byte) []byte {
	p.selection.number()
	w := portionWriter{portion: p, dst: append(dst, p.prefix...)}
	for _, r := range p.rows {
		w.enter(r)
		content := p.tree.extent(r)
		w.dst = p.selection.append(w.dst, p.tree.data[content.start:content.end], profileKinds[r.depth-1])
	}
	w.closeTo(1)
	return p.selection.appendDictionary(w.dst)
}

// portionWriter writes the containers of a portion.
type portionWriter struct {
	portion *portion
	dst     []byte
	// depth is the level below that of the innermost open container.
	depth int
	// path has the places of the open containers, lengths the positions in dst of their lengths, and starts where their contents
	// begin, by level.
	path            [maxDepth]int
	lengths, starts [maxDepth]int
}

// enter opens the containers of a row, and closes those that the row does not lie in.
func (w *portionWriter) enter(r row) {
	var path [maxDepth]int
	w.portion.tree.path(r, &path)
	common := 1
	for common < min(w.depth, r.depth) && w.path[common] == path[common] {
		common++
	}
	w.closeTo(common)
	for depth := common; depth < r.depth; depth++ {
		c := w.portion.tree.container(depth, path[depth])
		w.dst = append(w.dst, c.tag)
		w.lengths[depth] = len(w.dst)
		w.dst = protowire.AppendVarint(w.dst, unsigned(w.portion.tree.extents[depth][path[depth]].len()))
		w.starts[depth], w.path[depth] = len(w.dst), path[depth]
		w.part(c.head, depth)
	}
	w.depth = r.depth
}

// closeTo ends the innermost containers, until only those above the level depth are open.
func (w *portionWriter) closeTo(depth int) {
	for ; w.depth > depth; w.depth-- {
		open := w.depth - 1
		place := w.path[open]
		w.part(w.portion.tree.container(open, place).tail, open)
		w.dst = withLength(w.dst, w.lengths[open], w.starts[open], w.portion.tree.extents[open][place].len())
	}
}

// part appends the head or tail of a container of the level.
func (w *portionWriter) part(e extent, depth int) {
	w.dst = w.portion.selection.append(w.dst, w.portion.tree.data[e.start:e.end], profileKinds[depth])
}
