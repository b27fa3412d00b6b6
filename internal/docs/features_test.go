// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// provedBy is the comment in a cell of the features that names tests.
var provedBy = regexp.MustCompile(`<!-- (Test\w+(?:, Test\w+)*) -->`)

// featureErrors returns a line for each way in which a table of features is wrong about the tests in fsys. The second cell of
// a row is about this exporter. It begins with yes and names tests that exist, or with no. The cells of a row that is a
// heading are empty.
func featureErrors(fsys fs.FS, table string) ([]string, error) {
	declared, err := declaredTests(fsys)
	if err != nil {
		return nil, err
	}
	var all, found []string
	for _, tests := range declared {
		all = append(all, tests...)
	}
	lines := strings.Split(strings.TrimSpace(table), "\n")
	columns := strings.Count(lines[0], "|")
	for _, line := range lines[2:] {
		cells := strings.Split(line, "|")
		feature, own := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		named := provedBy.FindStringSubmatch(own)
		switch {
		case len(cells) != columns+1:
			found = append(found, feature+": wrong number of cells")
		case strings.HasPrefix(own, "yes") && named == nil:
			found = append(found, feature+": no test proves it")
		case !strings.HasPrefix(own, "yes") && named != nil:
			found = append(found, feature+": tests prove what is not said")
		case !strings.HasPrefix(own, "yes") && !strings.HasPrefix(own, "no") && own != "":
			found = append(found, feature+": neither yes nor no")
		case named != nil:
			for test := range strings.SplitSeq(named[1], ", ") {
				if !slices.Contains(all, test) {
					found = append(found, feature+": "+test+" does not exist")
				}
			}
		}
	}
	return found, nil
}

// Each feature that the README claims is proved by a test that exists.
func TestFeaturesOfTheRepository(t *testing.T) {
	_, rest, begins := strings.Cut(read(t, "README.md"), "<!-- features -->\n")
	table, _, ends := strings.Cut(rest, "<!-- end of the features -->")
	require.True(t, begins && ends)
	require.Greater(t, strings.Count(table, "<!-- Test"), 20)
	wrong, err := featureErrors(os.DirFS(root), table)
	require.NoError(t, err)
	assert.Empty(t, wrong)
}

func TestFeatureErrors(t *testing.T) {
	tree := fstest.MapFS{"a_test.go": {Data: []byte("package a\n\nfunc TestOne(t *testing.T) {}\n")}}
	tests := []struct{ name, row, want string }{
		{"proved", "| a | yes, some <!-- TestOne --> | no |", ""},
		{"not there", "| a | no: why | yes |", ""},
		{"heading", "| **A** | | |", ""},
		{"no test", "| a | yes | no |", "a: no test proves it"},
		{"no such test", "| a | yes <!-- TestOne, TestTwo --> | no |", "a: TestTwo does not exist"},
		{"proves a no", "| a | no <!-- TestOne --> | no |", "a: tests prove what is not said"},
		{"neither", "| a | some | no |", "a: neither yes nor no"},
		{"cells", "| a | no |", "a: wrong number of cells"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := featureErrors(tree, "| | own | other |\n|---|---|---|\n"+test.row+"\n")
			require.NoError(t, err)
			if test.want == "" {
				assert.Empty(t, got)
				return
			}
			assert.Equal(t, []string{test.want}, got)
		})
	}
}
