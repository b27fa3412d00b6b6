// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"errors"
	"fmt"
	"go/ast"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	mapTitle   = regexp.MustCompile(`^(#+)\s+File map\s*$`)
	mapRow     = regexp.MustCompile("^\\s*[|*-]?\\s*((?:`[^`]+`,?\\s*)+)")
	mapPath    = regexp.MustCompile("`([^`]+)`")
	generated  = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
	mapDirs    = []string{"kpl", "marshaler", "cmd", "examples"}
	errNoTitle = errors.New(`no section "File map"`)
)

// fileMap returns the paths that a Markdown document names at the start of a row of its section "File map". A row is a
// line of a table, of a list or of a fenced block; the paths stand in backticks, separated by commas.
func fileMap(document string) ([]string, error) {
	var (
		paths []string
		level string
	)
	for line := range strings.Lines(document) {
		line = strings.TrimRight(line, "\r\n")
		if level == "" {
			if title := mapTitle.FindStringSubmatch(line); title != nil {
				level = title[1]
			}
			continue
		}
		if marks := line[:len(line)-len(strings.TrimLeft(line, "#"))]; marks != "" && len(marks) <= len(level) {
			break
		}
		if row := mapRow.FindStringSubmatch(line); row != nil {
			for _, match := range mapPath.FindAllStringSubmatch(row[1], -1) {
				paths = append(paths, match[1])
			}
		}
	}
	if level == "" {
		return nil, errNoTitle
	}
	return paths, nil
}

// mapTypes are the key types of a row of a file map.
type mapTypes struct{ paths, types []string }

// keyTypes returns what the third column of the table in a Markdown document's section "File map" names, by row.
func keyTypes(document string) []mapTypes {
	_, table, _ := strings.Cut(document, "\n## File map\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var found []mapTypes
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 {
			continue
		}
		var row mapTypes
		for _, match := range mapPath.FindAllStringSubmatch(cells[1], -1) {
			row.paths = append(row.paths, match[1])
		}
		for _, match := range mapPath.FindAllStringSubmatch(cells[3], -1) {
			row.types = append(row.types, match[1])
		}
		found = append(found, row)
	}
	return found
}

// keyTypeErrors returns a line for each type that none of the files, or directories, of its row declares.
func keyTypeErrors(fsys fs.FS, rows []mapTypes) ([]string, error) {
	goFiles, err := ownGoFiles(fsys)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, row := range rows {
		var declared []string
		for _, file := range goFiles {
			inRow := slices.ContainsFunc(row.paths, func(p string) bool {
				return p == file.name || strings.HasSuffix(p, "/") && strings.HasPrefix(file.name, p)
			})
			if inRow && !strings.HasSuffix(file.name, "_test.go") {
				declared = append(declared, file.typeNames()...)
			}
		}
		for _, name := range row.types {
			if !slices.Contains(declared, name) {
				found = append(found, fmt.Sprintf("%s is a key type of %s in the map, and not declared there", name, row.paths[0]))
			}
		}
	}
	return found, nil
}

// typeNames returns the types that the file declares outside of functions.
func (f ownGoFile) typeNames() []string {
	var names []string
	for _, declaration := range f.Decls {
		if general, is := declaration.(*ast.GenDecl); is {
			for _, spec := range general.Specs {
				if declared, is := spec.(*ast.TypeSpec); is {
					names = append(names, declared.Name.Name)
				}
			}
		}
	}
	return names
}

// mapErrors returns a line for each way in which a file map is wrong about fsys. Each path of the map exists. Each Go file of
// the root, kpl, marshaler, cmd and examples is in a row, but for tests and generated files.
//
// A row for a directory, which ends in a slash, stands for every file below it, unless a row names something below it.
func mapErrors(fsys fs.FS, paths []string) ([]string, error) {
	var found []string
	for _, p := range paths {
		if _, err := fs.Stat(fsys, strings.TrimSuffix(p, "/")); err != nil {
			found = append(found, p+" is in the map and not in the tree")
		}
	}
	goFiles, err := files(fsys, "*.go")
	if err != nil {
		return nil, err
	}
	for _, file := range goFiles {
		top, _, nested := strings.Cut(file, "/")
		if strings.HasSuffix(file, "_test.go") || nested && !slices.Contains(mapDirs, top) || mapped(file, paths) {
			continue
		}
		source, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, err
		}
		if !generated.Match(source) {
			found = append(found, file+" is in the tree and not in the map")
		}
	}
	return found, nil
}

// mapped reports whether a row stands for file: its own, or that of the nearest directory with a row, if no row names
// something below that.
func mapped(file string, paths []string) bool {
	if slices.Contains(paths, file) {
		return true
	}
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if slices.Contains(paths, dir+"/") {
			return !slices.ContainsFunc(paths, func(p string) bool {
				return p != dir+"/" && strings.HasPrefix(p, dir+"/")
			})
		}
	}
	return false
}

func TestFileMap(t *testing.T) {
	got, err := fileMap("# Design\n`a.go` before\n## File map\ntext `b.go`\n| `c.go` | x `d.go` |\n- `e/`, `f.go`: y\n" +
		"### Below\n```\n`g.go`  z\n```\n## Next\n`h.go`\n")
	require.NoError(t, err)
	assert.Equal(t, []string{"c.go", "e/", "f.go", "g.go"}, got)

	_, err = fileMap("# Design\n")
	assert.ErrorIs(t, err, errNoTitle)
}

func TestMapErrors(t *testing.T) {
	tree := fstest.MapFS{
		"root.go":           {},
		"root_test.go":      {},
		"kpl/a.go":          {},
		"kpl/sub/b.go":      {},
		"kpl/made.go":       {Data: []byte("// Code generated by x. DO NOT EDIT.\n\npackage kpl\n")},
		"cmd/tool/main.go":  {},
		"cmd/tool/other.go": {},
		"internal/c.go":     {},
		"dist/d.go":         {},
	}
	tests := []struct {
		name  string
		paths []string
		want  []string
	}{
		{name: "each file", paths: []string{"root.go", "kpl/a.go", "kpl/sub/b.go", "cmd/tool/main.go", "cmd/tool/other.go"}},
		{name: "directories", paths: []string{"root.go", "kpl/", "cmd/"}},
		{
			name:  "a directory's row stands for nothing once one below it is named",
			paths: []string{"root.go", "kpl/", "kpl/a.go", "cmd/"},
			want:  []string{"kpl/sub/b.go is in the tree and not in the map"},
		},
		{
			name:  "the nearest directory counts",
			paths: []string{"root.go", "kpl/", "kpl/a.go", "kpl/sub/", "cmd/"},
		},
		{
			name: "gone", paths: []string{"root.go", "kpl/", "cmd/tool/", "old.go", "old/"},
			want: []string{"old.go is in the map and not in the tree", "old/ is in the map and not in the tree"},
		},
		{
			name: "new", paths: []string{"kpl/", "cmd/tool/main.go"},
			want: []string{
				"cmd/tool/other.go is in the tree and not in the map",
				"root.go is in the tree and not in the map",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := mapErrors(tree, test.paths)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestKeyTypes(t *testing.T) {
	rows := keyTypes("# Design\n\n## File map\n\n| file | what | key types |\n|---|---|---|\n| `a.go`, `b/` | x | `T`, `u` |\n" +
		"| `c.go` | y | |\n\n## Next\n| `d.go` | z | `V` |\n")
	assert.Equal(t, []mapTypes{{}, {}, {[]string{"a.go", "b/"}, []string{"T", "u"}}, {paths: []string{"c.go"}}}, rows)

	tree := fstest.MapFS{
		"a.go": {Data: []byte("package a\n\ntype (\n\tT[X any] struct{ field int }\n\tu = int\n)\n\n" +
			"func f() { type local int }\n")},
		"a_test.go":     {Data: []byte("package a\n\ntype inTest int\n")},
		"b/b.go":        {Data: []byte("package b\n\ntype below int\n")},
		"b/deep/way.go": {Data: []byte("package deep\n\ntype deep int\n")},
	}
	row := mapTypes{[]string{"a.go", "b/"}, []string{"T", "u", "below", "deep"}}
	wrong, err := keyTypeErrors(tree, []mapTypes{row})
	require.NoError(t, err)
	assert.Empty(t, wrong)
	for _, name := range []string{"field", "local", "inTest", "f", "none"} {
		row.types = []string{name}
		wrong, err = keyTypeErrors(tree, []mapTypes{row})
		require.NoError(t, err)
		assert.Equal(t, []string{name + " is a key type of a.go in the map, and not declared there"}, wrong)
	}
	wrong, err = keyTypeErrors(tree, []mapTypes{{[]string{"b/b.go"}, []string{"T"}}})
	require.NoError(t, err)
	assert.Len(t, wrong, 1, "another row's")
}
