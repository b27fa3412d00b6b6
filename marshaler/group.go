// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "sort"

// destination is where a message goes.
type destination struct {
	key     string // empty for no key
	hashKey string // empty if the key decides
	stream  string // empty for the default stream
}

// destinationOf returns where a message goes.
func destinationOf(m *Message) destination {
	return destination{key: m.PartitionKey, hashKey: m.ExplicitHashKey, stream: m.Stream}
}

// message returns a message for the destination whose data is the buffer.
func (d *destination) message(b *buffer, items int) Message {
	return Message{
		Data: b.data, PartitionKey: d.key, ExplicitHashKey: d.hashKey, Stream: d.stream, Items: items, buffer: b,
	}
}

// group is what goes to one destination.
type group struct {
	destination

	// runs are its items, or its resources, ascending. Nil means the whole push.
	runs []run
}

// has reports whether a resource is in the group, whose runs are resources.
func (g *group) has(resource int) bool {
	if len(g.runs) == 0 {
		return true
	}
	i := sort.Search(len(g.runs), func(i int) bool { return g.runs[i].last > resource })
	return i < len(g.runs) && g.runs[i].first <= resource
}

// run is one or more neighbors: positions in the push, from first up to, but not including, last.
type run struct{ first, last int }

// grouper puts the items or the resources of a push into groups. Its memory is used again for the next push.
type grouper struct {
	groups []group
	// tagged are the runs in the order of the push, each with its group.
	tagged []taggedRun
	// runs has the runs of all groups, one group after the other.
	runs []run
	// ends has, for each group, where its runs end.
	ends []int

	// keyless and invalidHashKeys are those of the push.
	keyless         bool
	invalidHashKeys int
}

type taggedRun struct {
	run

	group int
}

// reset empties the grouper for another push.
func (g *grouper) reset() {
	clear(g.groups) // keys of a push that is over need no memory
	g.groups, g.tagged = g.groups[:0], g.tagged[:0]
	g.keyless, g.invalidHashKeys = false, 0
}

// add adds a group and returns its number.
func (g *grouper) add(to destination) int {
	g.groups = append(g.groups, group{destination: to})
	return len(g.groups) - 1
}

// put puts the next item or resource into a group.
func (g *grouper) put(position, group int) {
	if n := len(g.tagged); n > 0 && g.tagged[n-1].group == group && g.tagged[n-1].last == position {
		g.tagged[n-1].last++
		return
	}
	g.tagged = append(g.tagged, taggedRun{run{position, position + 1}, group})
}

// finish returns the groups with their runs, in the order in which they were added.
func (g *grouper) finish() []group {
	if len(g.groups) < 2 {
		return g.groups
	}
	g.ends = append(g.ends[:0], make([]int, len(g.groups))...)
	for i := range g.tagged {
		g.ends[g.tagged[i].group]++
	}
	end := 0
	for i, n := range g.ends {
		g.ends[i] = end
		end += n
	}
	g.runs = append(g.runs[:0], make([]run, end)...)
	for i := range g.tagged {
		t := &g.tagged[i]
		g.runs[g.ends[t.group]] = t.run
		g.ends[t.group]++
	}
	first := 0
	for i, end := range g.ends {
		g.groups[i].runs = g.runs[first:end:end]
		first = end
	}
	return g.groups
}
