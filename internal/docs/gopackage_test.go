// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// goPackage is a Go package with the types of its expressions. Its tests are left out.
type goPackage struct {
	fset  *token.FileSet
	files []*ast.File
	types *types.Package
	info  *types.Info
}

// loadPackage reads the package in a directory of the repository. What the package imports comes compiled from the build
// cache, so that loading takes a second at most once the packages are built.
func loadPackage(t *testing.T, dir string) *goPackage {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-export", "-json=ImportPath,Export,Dir,GoFiles", ".")
	list.Dir, list.Stderr = filepath.Join(root, dir), os.Stderr
	output, err := list.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, list.Start())
	type listed struct {
		ImportPath, Export, Dir string
		GoFiles                 []string
	}
	var last listed // the package itself comes after all that it needs
	exports := map[string]string{}
	for decoder := json.NewDecoder(output); ; exports[last.ImportPath] = last.Export {
		var next listed
		if err := decoder.Decode(&next); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		last = next
	}
	require.NoError(t, list.Wait(), "go list in %s", dir)

	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range last.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(last.Dir, name), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		parsed = append(parsed, file)
	}
	lookup := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	return checkPackage(t, last.ImportPath, fset, parsed, importer.ForCompiler(fset, "gc", lookup))
}

// sourcePackage makes a package of files given by name, which import nothing.
func sourcePackage(t *testing.T, sources map[string]string) *goPackage {
	t.Helper()
	fset := token.NewFileSet()
	var parsed []*ast.File
	for name, source := range sources {
		file, err := parser.ParseFile(fset, name, "package p\n"+source, parser.SkipObjectResolution)
		require.NoError(t, err)
		parsed = append(parsed, file)
	}
	return checkPackage(t, "p", fset, parsed, nil)
}

func checkPackage(t *testing.T, path string, fset *token.FileSet, parsed []*ast.File, imports types.Importer) *goPackage {
	t.Helper()
	p := &goPackage{fset: fset, files: parsed, info: &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}}
	config := types.Config{Importer: imports}
	var err error
	p.types, err = config.Check(path, fset, parsed, p.info)
	require.NoError(t, err)
	return p
}

// file returns the name of the file that pos is in, without its directory.
func (p *goPackage) file(pos token.Pos) string { return filepath.Base(p.fset.File(pos).Name()) }

// fileNames returns the names of all files.
func (p *goPackage) fileNames() []string {
	var names []string
	for _, file := range p.files {
		names = append(names, p.file(file.Pos()))
	}
	return names
}
