// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxSentence is how many words a sentence of a comment may have. Below 25 is better.
const maxSentence = 38

// A comment says one thing a sentence.
func TestSentencesOfTheRepository(t *testing.T) {
	goFiles, err := ownGoFiles(os.DirFS(root))
	require.NoError(t, err)
	for _, file := range goFiles {
		for _, s := range file.sentences() {
			if n := words(s.text); n > maxSentence {
				t.Errorf("%s:%d: a sentence of %d words, %d may be: make two of it: %.60s...", file.name, s.number, n, maxSentence, s.text)
			}
		}
	}
}

// ownGoFile is a Go file that people write.
type ownGoFile struct {
	name string
	fset *token.FileSet
	*ast.File
}

// ownGoFiles returns the Go files of fsys but for generated ones and test data.
func ownGoFiles(fsys fs.FS) ([]ownGoFile, error) {
	names, err := files(fsys, "*.go")
	if err != nil {
		return nil, err
	}
	var found []ownGoFile
	for _, name := range names {
		source, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(strings.Split(name, "/"), "testdata") || generated.Match(source) {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, filepath.Base(name), source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		found = append(found, ownGoFile{name, fset, file})
	}
	return found, nil
}

// sentences returns what the comments say, with the lines on which the sentences begin.
func (f ownGoFile) sentences() []numberedLine {
	var found []numberedLine
	for _, group := range f.Comments {
		found = append(found, sentences(f.commentLines(group))...)
	}
	return found
}

var (
	directive   = regexp.MustCompile(`^//(\w+:|line |export |extern |nolint)|^// (Output|Unordered output|README \w+)\b`)
	sentenceEnd = regexp.MustCompile(`[.?!][)"'\x60]*(\s+|$)`)
	listMark    = regexp.MustCompile(`^\s*([-*+]|\d+[.)])\s+`)
	quoted      = regexp.MustCompile("`[^`]*`|\"[^\"]*\"")
)

// commentLines returns the lines of comments without their marks. Directives for tools are empty lines.
func (f ownGoFile) commentLines(group *ast.CommentGroup) []numberedLine {
	var found []numberedLine
	for _, comment := range group.List {
		number := f.fset.Position(comment.Pos()).Line
		text := comment.Text
		switch {
		case directive.MatchString(text):
			text = ""
		case strings.HasPrefix(text, "//"):
			text = strings.TrimPrefix(text, "//")
		default:
			text = strings.TrimSuffix(strings.TrimPrefix(text, "/*"), "*/")
		}
		for i, line := range strings.Split(text, "\n") {
			found = append(found, numberedLine{number + i, line})
		}
	}
	return found
}

// sentences splits lines of a comment into sentences. Paragraphs, items of lists and headings end sentences; lines that
// are indented like code or a table are none.
func sentences(lines []numberedLine) []numberedLine {
	var (
		found []numberedLine
		open  numberedLine
		list  bool
	)
	end := func() {
		if open.text != "" {
			found = append(found, open)
		}
		open = numberedLine{}
	}
	for _, line := range lines {
		text := strings.TrimPrefix(line.text, " ")
		mark := listMark.FindString(text)
		switch {
		case strings.TrimSpace(text) == "":
			end()
			list = false
			continue
		case mark != "":
			end()
			list = true
			text = text[len(mark):]
		case strings.HasPrefix(text, "\t") || strings.HasPrefix(text, "  ") && !list:
			end()
			continue
		}
		for text = strings.TrimSpace(text); text != ""; {
			if open.text == "" {
				open.number = line.number
			}
			at := sentenceEnd.FindStringIndex(text)
			if at == nil {
				open.text = strings.TrimSpace(open.text + " " + text)
				break
			}
			open.text = strings.TrimSpace(open.text + " " + text[:at[1]])
			text = text[at[1]:]
			if !abbreviated(open.text) {
				end()
			}
		}
	}
	end()
	return found
}

// abbreviated reports whether a text ends in a dot that ends no sentence.
func abbreviated(text string) bool {
	return strings.HasSuffix(text, "e.g.") || strings.HasSuffix(text, "i.e.") || strings.HasSuffix(text, "etc.") ||
		strings.HasSuffix(text, "vs.")
}

// words counts what has a letter or a digit.
func words(text string) int {
	n := 0
	for word := range strings.FieldsSeq(text) {
		if strings.ContainsFunc(word, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			n++
		}
	}
	return n
}

func TestSentences(t *testing.T) {
	tests := []struct {
		name    string
		comment string
		want    []numberedLine
	}{
		{"one", "// A sentence\n// over two lines.", []numberedLine{{3, "A sentence over two lines."}}},
		{"two on a line", "// One. Two\n// ends.", []numberedLine{{3, "One."}, {3, "Two ends."}}},
		{"no dot", "// one\n//\n// two", []numberedLine{{3, "one"}, {5, "two"}}},
		{"names and numbers", "// See a.go, v1.2 and (that.) Then e.g. more.", []numberedLine{
			{3, "See a.go, v1.2 and (that.)"}, {3, "Then e.g. more."},
		}},
		{"list", "// Items:\n//   - one\n//     goes on\n//   - two", []numberedLine{{3, "Items:"}, {4, "one goes on"}, {6, "two"}}},
		{"code", "// Text:\n//\n//\tcode. More code\n//\n// End.", []numberedLine{{3, "Text:"}, {7, "End."}}},
		{"directives", "//go:noinline\n//nolint:x // why. so\n// Text.", []numberedLine{{5, "Text."}}},
		{"block", "/* One.\nTwo. */", []numberedLine{{3, "One."}, {4, "Two."}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree := fstest.MapFS{"a.go": {Data: []byte("package a\n\n" + test.comment + "\nvar x int\n")}}
			goFiles, err := ownGoFiles(tree)
			require.NoError(t, err)
			require.Len(t, goFiles, 1)
			assert.Equal(t, test.want, goFiles[0].sentences())
		})
	}
	assert.Equal(t, 4, words("a - b, c/d 1!"))
}
