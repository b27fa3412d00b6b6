// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// place is where a word is looked for.
type place uint8

const (
	inNames    place = 1 << iota // identifiers that Go code declares, by their parts: laneOf is lane and of
	inWhole                      // whole identifiers
	inMethods                    // methods and functions, by their whole name
	inComments                   // comments of Go code
	inStrings                    // strings of Go code: log lines, errors, names of cases
	inText                       // documents (Markdown)
)

const inEverything = inNames | inComments | inStrings | inText

// bannedWord is a word that means nothing, or several things, in this repository.
type bannedWord struct {
	pattern *regexp.Regexp // of the whole word, in lower case
	where   place
	instead string
}

var bannedWords = []bannedWord{
	{whole("ways?"), inWhole, "lane"},
	{whole("heirs?"), inNames | inComments | inStrings, "childLane"},
	{whole("hurr(y|ies|ied)"), inNames | inComments | inStrings, "skipLinger, does not linger, sends at once"},
	{whole("wish(es|ed|ing)?"), inNames | inComments | inStrings, "request, requested"},
	{whole("mails?|sheets?"), inNames | inComments | inStrings, "inbox, block"},
	{whole("speaks?"), inNames, "install"},
	{whole("tell"), inMethods, "apply, report"},
	{whole("refus(e|es|ed|ing|als?)"), inEverything, "throttled, rejected, unavailable or unsupported"},
	{whole("chunk(s|ed|ing|ers?)?"), inEverything, "message"},
	{whole("stray(s|ed|ing)?"), inEverything, "misplaced"},
	{whole("land(s|ed|ings?)"), inEverything, "stored, place"},
	{whole("calms?|calmed|descents?|pardon(s|ed|ing)?"), inEverything, "what happens to the rate or the limit"},
	{whole("fates?|tombstones?"), inEverything, "outcome, what became of it"},
}

func whole(word string) *regexp.Regexp { return regexp.MustCompile("^(" + word + ")$") }

// allowedPhrases hold a banned word that means what it means everywhere.
var allowedPhrases = regexp.MustCompile(`(?i)connection refused|receiver_refused_|chunked transfer|transfer-encoding: chunked`)

// allowedNames are identifiers that hold a banned word, with the reason.
var allowedNames = map[string]string{}

// allowedFiles are documents and Go files that may hold a banned word, with the reason.
var allowedFiles = map[string]string{
	"internal/docs/words_test.go": "it lists the words",
	"CONTRIBUTING.md":             "it lists the words",
	"CHANGELOG.md":                "it says what things were called",
}

// One word stands for one thing.
func TestWordsOfTheRepository(t *testing.T) {
	found, err := wordErrors(os.DirFS(root))
	require.NoError(t, err)
	for _, line := range found {
		t.Error(line)
	}
}

// wordErrors returns a line for each banned word in the Go files and documents of fsys.
func wordErrors(fsys fs.FS) ([]string, error) {
	goFiles, err := ownGoFiles(fsys)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, file := range goFiles {
		if allowedFiles[file.name] == "" {
			found = append(found, file.wordErrors()...)
		}
	}
	documents, err := files(fsys, "*.md")
	if err != nil {
		return nil, err
	}
	for _, document := range documents {
		if allowedFiles[document] != "" {
			continue
		}
		lines, err := prose(fsys, document)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			found = append(found, bannedIn(document, line, inText)...)
		}
	}
	return found, nil
}

// wordErrors returns a line for each banned word in the names that the file declares, in its comments and in its strings.
func (f ownGoFile) wordErrors() []string {
	var found []string
	for _, name := range f.declared() {
		number := f.fset.Position(name.Pos()).Line
		if allowedNames[name.Name] != "" {
			continue
		}
		found = append(found, banned(f.name, number, strings.ToLower(name.Name), name.Name, inWhole)...)
		for _, part := range parts(name.Name) {
			found = append(found, banned(f.name, number, part, name.Name, inNames)...)
		}
	}
	for _, method := range f.methods() {
		number := f.fset.Position(method.Pos()).Line
		found = append(found, banned(f.name, number, strings.ToLower(method.Name), method.Name, inMethods)...)
	}
	for _, group := range f.Comments {
		for _, line := range f.commentLines(group) {
			found = append(found, bannedIn(f.name, line, inComments)...)
		}
	}
	for _, line := range f.strings() {
		found = append(found, bannedIn(f.name, line, inStrings)...)
	}
	return found
}

// strings returns the strings of the file, but for paths of imports and tags of fields.
func (f ownGoFile) strings() []numberedLine {
	var found []numberedLine
	ast.Inspect(f.File, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			node.Tag = nil
		case *ast.BasicLit:
			if node.Kind == token.STRING {
				// Without its quotes, or bannedIn would take it for what others say.
				found = append(found, numberedLine{f.fset.Position(node.Pos()).Line, strings.Trim(node.Value, "`\"")})
			}
		}
		return true
	})
	return found
}

// declared returns the names that the file declares: its own, those of parameters and variables, fields and methods.
func (f ownGoFile) declared() []*ast.Ident {
	names := []*ast.Ident{f.Name}
	ast.Inspect(f.File, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			names = append(names, node.Name)
		case *ast.TypeSpec:
			names = append(names, node.Name)
		case *ast.ValueSpec:
			names = append(names, node.Names...)
		case *ast.Field:
			names = append(names, node.Names...)
		case *ast.AssignStmt:
			if node.Tok == token.DEFINE {
				names = append(names, identifiers(node.Lhs...)...)
			}
		case *ast.RangeStmt:
			if node.Tok == token.DEFINE {
				names = append(names, identifiers(node.Key, node.Value)...)
			}
		case *ast.LabeledStmt:
			names = append(names, node.Label)
		}
		return true
	})
	return names
}

func identifiers(expressions ...ast.Expr) []*ast.Ident {
	var found []*ast.Ident
	for _, expression := range expressions {
		if name, is := expression.(*ast.Ident); is {
			found = append(found, name)
		}
	}
	return found
}

// methods returns the names of the functions and methods that the file declares, those of interfaces too.
func (f ownGoFile) methods() []*ast.Ident {
	var names []*ast.Ident
	ast.Inspect(f.File, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			names = append(names, node.Name)
		case *ast.InterfaceType:
			for _, method := range node.Methods.List {
				names = append(names, method.Names...)
			}
		}
		return true
	})
	return names
}

// parts splits an identifier into its words, in lower case: wireURLs is wire and urls, shard_map is shard and map.
func parts(name string) []string {
	runes := []rune(name)
	var found []string
	start := 0
	cut := func(end int) {
		if word := strings.Trim(string(runes[start:end]), "_0123456789"); word != "" {
			found = append(found, strings.ToLower(word))
		}
		start = end
	}
	for i := 1; i < len(runes); i++ {
		begins := unicode.IsUpper(runes[i]) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]) &&
			string(runes[i+1:]) != "s")
		if begins || runes[i] == '_' || runes[i-1] == '_' {
			cut(i)
		}
	}
	cut(len(runes))
	return found
}

// bannedIn returns a line for each banned word in a line of text. What is in quotes is what others say, and links name
// files.
func bannedIn(file string, line numberedLine, where place) []string {
	var found []string
	text := quoted.ReplaceAllString(line.text, "")
	if where == inText {
		text = linkText.ReplaceAllString(text, "$1")
	}
	text = allowedPhrases.ReplaceAllString(text, "")
	split := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }
	for word := range strings.FieldsFuncSeq(text, split) {
		for _, part := range parts(word) {
			found = append(found, banned(file, line.number, part, word, where)...)
		}
	}
	return found
}

// banned returns a line if a word in lower case, which is part of name, is banned there.
func banned(file string, number int, word, name string, where place) []string {
	for _, b := range bannedWords {
		if b.where&where != 0 && b.pattern.MatchString(word) {
			return []string{fmt.Sprintf("%s:%d: %s: say %s", file, number, name, b.instead)}
		}
	}
	return nil
}

func TestParts(t *testing.T) {
	for name, want := range map[string]string{
		"way": "way", "halfWay2": "half way", "gateway": "gateway", "WholeWay": "whole way", "URLWay": "url way",
		"wireURLs": "wire urls", "a_way": "a way", "W": "w", "ErrHTTPRefused": "err http refused",
	} {
		assert.Equal(t, want, strings.Join(parts(name), " "), name)
	}
}

func TestWordErrors(t *testing.T) {
	tree := fstest.MapFS{
		"a.go": {Data: []byte(`package a

// The way of a Wish, "refused": connection refused.
func tell(heirs int) (gateway int) {
	way, wholeWay := 1, func(sheet int) {}
	wholeWay(way)
	return teller("a chunk", "connection refused")
}

type x interface{ Tell() }
`)},
		"made.go":         {Data: []byte("// Code generated by x. DO NOT EDIT.\n\npackage a\n\nvar way int\n")},
		"testdata/b.go":   {Data: []byte("package a\n\nvar way int\n")},
		"README.md":       {Data: []byte("# Refusals\n\nA heir's way, `chunk`, [x](chunk.go).\n```\nrefuse\n```\n")},
		"CONTRIBUTING.md": {Data: []byte("Not refused.\n")},
	}
	got, err := wordErrors(tree)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"a.go:4: heirs: say childLane",
		"a.go:5: way: say lane",
		"a.go:5: sheet: say inbox, block",
		"a.go:4: tell: say apply, report",
		"a.go:10: Tell: say apply, report",
		"a.go:3: Wish: say request, requested",
		"a.go:7: chunk: say message",
		"README.md:1: Refusals: say throttled, rejected, unavailable or unsupported",
	}, got)
}
