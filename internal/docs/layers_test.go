// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What holds for package kpl, see the section "Layers" of DESIGN.md.
const (
	// coreLayer is the layer of DESIGN.md whose files may use each other in a circle of up to maxCore files.
	coreLayer = "core"
	maxCore   = 7
	// maxCircle is how many files may use each other in a circle anywhere else.
	maxCircle = 2
	// maxFields is how many fields the struct of the core may have.
	coreStruct = "pipeline"
	maxFields  = 16
)

// ownedStructs are the structs of kpl each field of which is written in one file only.
var ownedStructs = []string{coreStruct, "topology"}

// layer is a row of the table in the section "Layers" of DESIGN.md.
type layer struct {
	name  string
	files []string // of kpl, without "kpl/"; a directory ends in a slash
}

// layers returns the rows of the table in a document's section "Layers", from outside to inside. A row has the layer's
// name and then its files in backticks, as paths from the repository's root.
func layers(document string) ([]layer, error) {
	_, text, found := strings.Cut(document, "\n## Layers\n")
	if !found {
		return nil, errors.New(`no section "## Layers"`)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	var rows []layer
	for line := range strings.Lines(text) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		row := layer{name: strings.Trim(cells[1], " `*")}
		for _, match := range mapPath.FindAllStringSubmatch(cells[2], -1) {
			if file, is := strings.CutPrefix(match[1], "kpl/"); is {
				row.files = append(row.files, file)
			}
		}
		if len(row.files) > 0 {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// layerErrors returns a line for each file that is in no layer or in two, and for each use of a file in a layer further
// out than that of its user.
func layerErrors(graph fileGraph, rows []layer) []string {
	var found []string
	place := map[string]int{}
	for i, row := range rows {
		for _, file := range row.files {
			if other, twice := place[file]; twice {
				found = append(found, fmt.Sprintf("kpl/%s is in the layers %s and %s: leave it in one",
					file, rows[other].name, row.name))
			}
			place[file] = i
		}
	}
	for _, from := range slices.Sorted(maps.Keys(graph)) {
		own, known := place[from]
		if !known {
			found = append(found, fmt.Sprintf("kpl/%s is in no layer: add it to layer %s or further out", from, lowest(graph[from], rows)))
			continue
		}
		for _, to := range slices.Sorted(maps.Keys(graph[from])) {
			if i, known := place[to]; known && i < own {
				found = append(found, fmt.Sprintf(
					"kpl/%s (layer %s) uses %v of kpl/%s (layer %s, further out): move what it uses to its own layer or below, or hand it in",
					from, rows[own].name, graph[from][to], to, rows[i].name))
			}
		}
	}
	return found
}

// lowest returns the name of the innermost layer that a file can be in which uses the given files.
func lowest(uses map[string][]string, rows []layer) string {
	for _, row := range rows {
		for file := range uses {
			if slices.Contains(row.files, file) {
				return row.name
			}
		}
	}
	return rows[len(rows)-1].name
}

// circleErrors returns a line for each circle of files that is too large.
func circleErrors(graph fileGraph, rows []layer) []string {
	var core []string
	for _, row := range rows {
		if row.name == coreLayer {
			core = row.files
		}
	}
	var found []string
	for _, circle := range graph.circles() {
		limit := maxCore
		for _, file := range circle {
			if !slices.Contains(core, file) {
				limit = maxCircle
			}
		}
		if len(circle) <= limit {
			continue
		}
		found = append(found, fmt.Sprintf("%d files use each other in a circle, %d may (%d in layer %q): take out a use below\n%s",
			len(circle), limit, maxCore, coreLayer, graph.within(circle)))
	}
	return found
}

// within lists what each of some files uses of the others.
func (g fileGraph) within(some []string) string {
	var text strings.Builder
	for _, from := range some {
		for _, to := range slices.Sorted(maps.Keys(g[from])) {
			if slices.Contains(some, to) {
				fmt.Fprintf(&text, "  %s -> %s: %s\n", from, to, strings.Join(g[from][to], " "))
			}
		}
	}
	return text.String()
}

// No file of kpl uses one of a layer further out, and no more files than allowed use each other in a circle.
func TestLayersOfKpl(t *testing.T) {
	kpl := loadPackage(t, "kpl")
	graph := kpl.fileGraph()
	rows, err := layers(read(t, "DESIGN.md"))
	assert.NoError(t, err, "DESIGN.md: write a table | layer | files | ... |, from outside to inside")
	for _, wrong := range circleErrors(graph, rows) {
		t.Error(wrong)
	}
	if err != nil {
		return
	}
	for _, row := range rows {
		for _, file := range row.files {
			_, err := fs.Stat(os.DirFS(root), "kpl/"+strings.TrimSuffix(file, "/"))
			require.NoError(t, err, "DESIGN.md, section Layers: take it out")
		}
	}
	for _, wrong := range layerErrors(graph, rows) {
		t.Error(wrong)
	}
}

// A field of the core's structs is written in one file only, so that a reader finds all that changes it in one place.
func TestFieldWritesOfKpl(t *testing.T) {
	kpl := loadPackage(t, "kpl")
	writes := kpl.fieldWrites()
	for _, field := range slices.Sorted(maps.Keys(writes)) {
		if len(writes[field]) < 2 {
			continue
		}
		owner, _, _ := strings.Cut(field, ".")
		line := fmt.Sprintf("%s is written in %s", field, strings.Join(writes[field], ", "))
		if slices.Contains(ownedStructs, owner) {
			t.Errorf("%s: let one file write it, through methods", line)
		} else {
			t.Log(line)
		}
	}
	for _, name := range ownedStructs {
		assert.NotNil(t, kpl.structFields(name), "kpl has no struct %s: name the one that took its place in ownedStructs", name)
	}
	if core := kpl.structFields(coreStruct); core != nil {
		assert.LessOrEqual(t, core.NumFields(), maxFields,
			"%s has %d fields, at most %d are allowed: give some of them a type of their own", coreStruct, core.NumFields(), maxFields)
	}
}

func TestLayers(t *testing.T) {
	rows, err := layers("# D\n## Layers\nText.\n\n| layer | files |\n|---|---|\n| face | `kpl/a.go`, `kpl/b.go` |\n" +
		"| `core` | `kpl/c.go` | why `d.go` |\n| bytes | `kpl/internal/wire/` |\n\n## Next\n| x | `kpl/y.go` |\n")
	require.NoError(t, err)
	assert.Equal(t, []layer{
		{"face", []string{"a.go", "b.go"}},
		{"core", []string{"c.go"}},
		{"bytes", []string{"internal/wire/"}},
	}, rows)
	_, err = layers("# D\n")
	assert.Error(t, err)
}

func TestLayerErrors(t *testing.T) {
	graph := fileGraph{"a": {"b": nil}, "b": {"c": {"x"}}, "c": {}}
	tests := []struct {
		name string
		rows []layer
		want []string
	}{
		{"from outside to inside", []layer{{"out", []string{"a"}}, {"in", []string{"b", "c"}}}, nil},
		{"all in one", []layer{{"one", []string{"a", "b", "c"}}}, nil},
		{"missing", []layer{{"one", []string{"a", "b"}}}, []string{"kpl/c is in no layer: add it to layer one or"}},
		{
			"missing, and uses others",
			[]layer{{"out", []string{"x"}}, {"middle", []string{"b"}}, {"in", []string{"c"}}},
			[]string{"kpl/a is in no layer: add it to layer middle or"},
		},
		{"twice", []layer{{"out", []string{"a", "b", "c"}}, {"in", []string{"c"}}}, []string{"kpl/c is in the layers out and in"}},
		{
			"from inside to outside",
			[]layer{{"out", []string{"a", "c"}}, {"in", []string{"b"}}},
			[]string{"kpl/b (layer in) uses [x] of kpl/c (layer out, further out)"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := layerErrors(graph, test.rows)
			require.Len(t, got, len(test.want))
			for i := range got {
				assert.Contains(t, got[i], test.want[i])
			}
		})
	}
}

func TestCircleErrors(t *testing.T) {
	circle := func(size int) fileGraph {
		graph := fileGraph{}
		for i := range size {
			graph[string(rune('a'+i))] = map[string][]string{string(rune('a' + (i+1)%size)): {"x"}}
		}
		return graph
	}
	core := []layer{{coreLayer, strings.Split("abcdefgh", "")}}
	assert.Empty(t, circleErrors(circle(maxCore), core))
	assert.Len(t, circleErrors(circle(maxCore+1), core), 1)
	assert.Empty(t, circleErrors(circle(maxCircle), nil))
	assert.Len(t, circleErrors(circle(maxCircle+1), nil), 1)
	assert.Len(t, circleErrors(circle(maxCircle+1), []layer{{coreLayer, []string{"a", "b"}}}), 1, "one is outside of the core")
	assert.Contains(t, circleErrors(circle(3), nil)[0], "  a -> b: x\n  b -> c: x\n  c -> a: x\n")
}
