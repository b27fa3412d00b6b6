// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the repository as seen from this package's directory, where its tests run.
const root = "../.."

func TestLinksOfTheRepository(t *testing.T) {
	broken, err := brokenLinks(os.DirFS(root))
	require.NoError(t, err)
	assert.Empty(t, broken)
}

func TestFileMapOfTheRepository(t *testing.T) {
	design, err := os.ReadFile(root + "/DESIGN.md")
	require.NoError(t, err)
	paths, err := fileMap(string(design))
	require.NoError(t, err)
	wrong, err := mapErrors(os.DirFS(root), paths)
	require.NoError(t, err)
	assert.Empty(t, wrong)
}

// The key types of the file map are declared in the files of their row.
func TestKeyTypesOfTheRepository(t *testing.T) {
	rows := keyTypes(read(t, "DESIGN.md"))
	require.NotEmpty(t, rows, "DESIGN.md: the table in the section File map has three columns")
	wrong, err := keyTypeErrors(os.DirFS(root), rows)
	require.NoError(t, err)
	assert.Empty(t, wrong)
}

// files returns the paths below the root of fsys whose name matches pattern, see [path.Match], in the order of their
// names. Directories of things that are not the repository's own are left out.
func files(fsys fs.FS, pattern string) ([]string, error) {
	foreign := []string{".git", ".tools", "dist", "node_modules"}
	var found []string
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(foreign, entry.Name()):
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		matched, err := path.Match(pattern, entry.Name())
		if matched {
			found = append(found, name)
		}
		return err
	})
	return found, err
}
