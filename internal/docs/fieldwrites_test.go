// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// fieldWrites returns, by "struct.field", the files in which a field of the package's structs is written: assigned to,
// changed in one of its elements, or given away by its address. Literals are not counted, nor are calls of the methods of a
// field. In x.a.b = 1, b is written, and not a.
func (p *goPackage) fieldWrites() map[string][]string {
	w := &fieldWriters{goPackage: p, names: map[types.Object]string{}, files: map[string]map[string]bool{}}
	for _, name := range p.types.Scope().Names() {
		if fields := p.structFields(name); fields != nil {
			for field := range fields.Fields() {
				w.names[field] = name + "." + field.Name()
			}
		}
	}
	for _, file := range p.files {
		ast.Inspect(file, w.visit)
	}
	found := map[string][]string{}
	for field, files := range w.files {
		found[field] = slices.Sorted(maps.Keys(files))
	}
	return found
}

// structFields returns the struct that a name of the package stands for, nil if there is none.
func (p *goPackage) structFields(name string) *types.Struct {
	object, is := p.types.Scope().Lookup(name).(*types.TypeName)
	if !is {
		return nil
	}
	fields, _ := object.Type().Underlying().(*types.Struct)
	return fields
}

type fieldWriters struct {
	*goPackage

	names map[types.Object]string    // of fields
	files map[string]map[string]bool // by name of the field
}

func (w *fieldWriters) visit(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.AssignStmt:
		for _, target := range node.Lhs {
			w.write(target)
		}
	case *ast.IncDecStmt:
		w.write(node.X)
	case *ast.RangeStmt:
		w.write(node.Key)
		w.write(node.Value)
	case *ast.UnaryExpr:
		if node.Op == token.AND {
			w.write(node.X)
		}
	case *ast.CallExpr:
		if name, is := node.Fun.(*ast.Ident); is && (name.Name == "delete" || name.Name == "clear") {
			w.write(node.Args[0])
		}
	}
	return true
}

// write notes that what target denotes is written.
func (w *fieldWriters) write(target ast.Expr) {
	switch target := ast.Unparen(target).(type) {
	case *ast.IndexExpr:
		w.write(target.X)
	case *ast.SelectorExpr:
		selection := w.info.Selections[target]
		if selection == nil || selection.Kind() != types.FieldVal {
			return
		}
		if field, known := w.names[selection.Obj().(*types.Var).Origin()]; known {
			if w.files[field] == nil {
				w.files[field] = map[string]bool{}
			}
			w.files[field][w.file(target.Pos())] = true
		}
	}
}

func TestFieldWrites(t *testing.T) {
	got := sourcePackage(t, map[string]string{
		"a.go": `type a struct {
	set, counted, ranged, given, element, inner, key, read, literal, method int
	list []int; table map[int]int; part b; link *b
}
type b struct{ n int }
func (b *b) grow() { b.n++ }`,
		"b.go": `func f(x *a) {
	x.set, _ = 1, x.read
	x.counted++
	for x.key, x.ranged = range x.list { }
	_ = &x.given
	x.list[0] = 1
	delete(x.table, 1)
	x.part.n = 1
	x.part.grow()
	_ = &a{literal: 1}
}`,
		"c.go": `func g(x *a) { x.set += 1; x.link.n = 1; x.table[1]--; n := x.read; n++ }`,
	}).fieldWrites()
	assert.Equal(t, map[string][]string{
		"a.set": {"b.go", "c.go"}, "a.counted": {"b.go"}, "a.key": {"b.go"}, "a.ranged": {"b.go"}, "a.given": {"b.go"},
		"a.list": {"b.go"}, "a.table": {"b.go", "c.go"}, "b.n": {"a.go", "b.go", "c.go"},
	}, got)
}
