// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"io/fs"
	"os"
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
	testDeclared = regexp.MustCompile(`(?m)^func (Test[A-Z]\w*)\(t \*testing\.T\)`)
	testNamed    = regexp.MustCompile("`(Test[A-Z]\\w*)`")
)

// declaredTests returns the names of the tests in the Go files of fsys, by the path of their file.
func declaredTests(fsys fs.FS) (map[string][]string, error) {
	paths, err := files(fsys, "*_test.go")
	if err != nil {
		return nil, err
	}
	declared := map[string][]string{}
	for _, path := range paths {
		source, err := fs.ReadFile(fsys, path)
		if err != nil {
			return nil, err
		}
		for _, match := range testDeclared.FindAllSubmatch(source, -1) {
			declared[path] = append(declared[path], string(match[1]))
		}
	}
	return declared, nil
}

// faultErrors returns a line for each way in which a document of faults is wrong about the tests in fsys. A row of a table
// names at least one test. The tests exist. Each test in a file that matches pattern is in a row.
func faultErrors(fsys fs.FS, document, pattern string) ([]string, error) {
	declared, err := declaredTests(fsys)
	if err != nil {
		return nil, err
	}
	var all, mustName []string
	for file, tests := range declared {
		all = append(all, tests...)
		if matched, err := path.Match(pattern, file); err != nil {
			return nil, err
		} else if matched {
			mustName = append(mustName, tests...)
		}
	}
	var found, named []string
	header := true // of a table: its first two lines
	for line := range strings.Lines(document) {
		tests := testNamed.FindAllStringSubmatch(line, -1)
		for _, match := range tests {
			named = append(named, match[1])
			if !slices.Contains(all, match[1]) {
				found = append(found, match[1]+" does not exist")
			}
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			header = true
		case strings.HasPrefix(line, "|---"):
			header = false
		case !header && len(tests) == 0:
			found = append(found, "no test proves: "+strings.TrimSpace(strings.Split(line, "|")[1]))
		}
	}
	for _, test := range mustName {
		if !slices.Contains(named, test) {
			found = append(found, test+" is in no row")
		}
	}
	slices.Sort(found)
	return found, nil
}

// Each row of docs/faults.md is proved by a test that exists, and each test of the collector under fire has a row.
func TestFaultsOfTheRepository(t *testing.T) {
	wrong, err := faultErrors(os.DirFS(root), read(t, "docs/faults.md"), "internal/e2e/fire_*_test.go")
	require.NoError(t, err)
	assert.Empty(t, wrong)
}

func TestFaultErrors(t *testing.T) {
	tree := fstest.MapFS{
		"a/one_test.go":      {Data: []byte("package a\n\nfunc TestOne(t *testing.T) {}\n\nfunc TestMain(m *testing.M) {}\n")},
		"e2e/fire_x_test.go": {Data: []byte("package e2e\n\nfunc TestFire(t *testing.T) {}\n")},
		"a/one.go":           {Data: []byte("package a\n\nfunc TestNoTest(t *testing.T) {}\n")},
	}
	const table = "| fault | proved by |\n|---|---|\n"
	tests := []struct {
		name, document string
		want           []string
	}{
		{"all is there", table + "| a | `TestOne`, `TestFire` |\n", nil},
		{"named outside of the table", table + "| a | `TestOne` |\n\nAlso `TestFire`.\n", nil},
		{"no such test", table + "| a | `TestFire`, `TestTwo` |\n", []string{"TestTwo does not exist"}},
		{"not in a test's file", table + "| a | `TestFire`, `TestNoTest` |\n", []string{"TestNoTest does not exist"}},
		{"not a test", table + "| a | `TestFire`, `TestMain` |\n", []string{"TestMain does not exist"}},
		{"row without a test", table + "| a | `TestFire` |\n| b | soon |\n", []string{"no test proves: b"}},
		{"test without a row", table + "| a | `TestOne` |\n", []string{"TestFire is in no row"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := faultErrors(tree, test.document, "e2e/fire_*_test.go")
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}
