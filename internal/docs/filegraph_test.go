// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// fileGraph says which files of a package use declarations of which others. A method counts for the file that declares it, a
// field for the file of its struct. The value says what is used, by name.
type fileGraph map[string]map[string][]string

// fileGraph returns who uses whom in the package.
func (p *goPackage) fileGraph() fileGraph {
	graph := fileGraph{}
	for _, name := range p.fileNames() {
		graph[name] = map[string][]string{}
	}
	for id, object := range p.info.Uses {
		if object.Pkg() != p.types || !object.Pos().IsValid() {
			continue
		}
		from, to := p.file(id.Pos()), p.file(object.Pos())
		if used := graph[from][to]; from != to && !slices.Contains(used, object.Name()) {
			graph[from][to] = append(used, object.Name())
		}
	}
	for _, uses := range graph {
		for to := range uses {
			slices.Sort(uses[to])
		}
	}
	return graph
}

// circles returns the sets of files each of which uses all others of its set, directly or through other files: the
// strongly connected components of more than one file, the largest first.
func (g fileGraph) circles() [][]string {
	t := tarjan{graph: g, index: map[string]int{}, low: map[string]int{}, onStack: map[string]bool{}}
	for _, file := range slices.Sorted(maps.Keys(g)) {
		if _, seen := t.index[file]; !seen {
			t.visit(file)
		}
	}
	slices.SortFunc(t.found, func(a, b []string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return slices.Compare(a, b)
	})
	return t.found
}

// tarjan finds strongly connected components by Tarjan's algorithm.
type tarjan struct {
	graph      fileGraph
	index, low map[string]int
	stack      []string
	onStack    map[string]bool
	found      [][]string
}

func (t *tarjan) visit(file string) {
	t.index[file] = len(t.index)
	t.low[file] = t.index[file]
	t.stack, t.onStack[file] = append(t.stack, file), true
	for next := range t.graph[file] {
		if _, seen := t.index[next]; !seen {
			t.visit(next)
			t.low[file] = min(t.low[file], t.low[next])
		} else if t.onStack[next] {
			t.low[file] = min(t.low[file], t.index[next])
		}
	}
	if t.low[file] != t.index[file] {
		return
	}
	start := slices.Index(t.stack, file)
	component := slices.Sorted(slices.Values(t.stack[start:]))
	t.stack = t.stack[:start]
	for _, member := range component {
		t.onStack[member] = false
	}
	if len(component) > 1 {
		t.found = append(t.found, component)
	}
}

func TestFileGraph(t *testing.T) {
	graph := sourcePackage(t, map[string]string{
		"a.go": "type a struct{ field int }\nfunc (*a) use(x b) { x.method(); _ = a{field: 1} }",
		"b.go": "type b struct{}\nfunc (b) set(x *a) { x.field = 1 }",
		"c.go": "func (b) method() { (&a{}).use(b{}); limit := 1; _ = limit }",
		"d.go": "var d = func() { b{}.method() }\nconst limit = 2",
	}).fileGraph()
	assert.Equal(t, fileGraph{
		"a.go": {"b.go": {"b"}, "c.go": {"method"}},
		"b.go": {"a.go": {"a", "field"}},
		"c.go": {"a.go": {"a", "use"}, "b.go": {"b"}},
		"d.go": {"b.go": {"b"}, "c.go": {"method"}},
	}, graph)
	assert.Equal(t, [][]string{{"a.go", "b.go", "c.go"}}, graph.circles())
}

func TestCircles(t *testing.T) {
	graph := fileGraph{
		"a": {"b": nil, "c": nil}, "b": {"a": nil}, // one circle, which leads to the other
		"c": {"d": nil}, "d": {"e": nil}, "e": {"c": nil, "f": nil},
		"f": {},
	}
	assert.Equal(t, [][]string{{"c", "d", "e"}, {"a", "b"}}, graph.circles())
	assert.Empty(t, fileGraph{"a": {"b": nil, "c": nil}, "b": {"c": nil}, "c": {}}.circles())
}
