// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	inlineLink    = regexp.MustCompile(`\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)`)
	referenceLink = regexp.MustCompile(`^ {0,3}\[[^\]]+\]:\s+(?:<([^>]*)>|([^\s<]\S*))`)
	codeSpan      = regexp.MustCompile("`+[^`]*`+")
	heading       = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
	anchorTag     = regexp.MustCompile(`<a\s+(?:id|name)="([^"]+)"`)
	linkText      = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// brokenLinks returns a line for each link in a Markdown file of fsys that leads to a file or heading of fsys that does
// not exist. Links to other hosts are not followed.
func brokenLinks(fsys fs.FS) ([]string, error) {
	documents, err := files(fsys, "*.md")
	if err != nil {
		return nil, err
	}
	var broken []string
	for _, document := range documents {
		lines, err := prose(fsys, document)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			for _, target := range targets(line.text) {
				if err := follow(fsys, document, target); err != nil {
					broken = append(broken, fmt.Sprintf("%s:%d: %s: %v", document, line.number, target, err))
				}
			}
		}
	}
	return broken, nil
}

// targets returns where the links of a line lead.
func targets(line string) []string {
	var found []string
	line = codeSpan.ReplaceAllString(line, "")
	for _, match := range inlineLink.FindAllStringSubmatch(line, -1) {
		found = append(found, match[1])
	}
	if match := referenceLink.FindStringSubmatch(line); match != nil {
		found = append(found, match[1]+match[2])
	}
	return found
}

// follow returns an error if target, found in document, does not exist.
func follow(fsys fs.FS, document, target string) error {
	link, err := url.Parse(target)
	if err != nil {
		return err
	}
	if link.Scheme != "" || link.Host != "" {
		return nil
	}
	name := document
	if link.Path != "" {
		fromRoot, absolute := strings.CutPrefix(link.Path, "/")
		if name = path.Join(path.Dir(document), link.Path); absolute {
			name = fromRoot
		}
		if _, err := fs.Stat(fsys, name); err != nil {
			return err
		}
	}
	if link.Fragment == "" || path.Ext(name) != ".md" {
		return nil
	}
	known, err := anchors(fsys, name)
	if err != nil {
		return err
	}
	if !known[link.Fragment] {
		return fmt.Errorf("%s has no heading for it", name)
	}
	return nil
}

// anchors returns the fragments that lead somewhere in a Markdown file: its headings as GitHub spells them, and its
// anchor tags.
func anchors(fsys fs.FS, document string) (map[string]bool, error) {
	lines, err := prose(fsys, document)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool)
	seen := make(map[string]int)
	for _, line := range lines {
		for _, match := range anchorTag.FindAllStringSubmatch(line.text, -1) {
			known[match[1]] = true
		}
		match := heading.FindStringSubmatch(line.text)
		if match == nil {
			continue
		}
		name := slug(match[1])
		if n := seen[name]; n > 0 {
			known[fmt.Sprintf("%s-%d", name, n)] = true
		} else {
			known[name] = true
		}
		seen[name]++
	}
	return known, nil
}

// slug returns the fragment that GitHub gives a heading.
func slug(text string) string {
	text = linkText.ReplaceAllString(text, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r):
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, text)
}

// numberedLine is a line of a file with its number, counted from 1.
type numberedLine struct {
	number int
	text   string
}

// prose returns the lines of a Markdown file that are not inside a fenced block.
func prose(fsys fs.FS, document string) ([]numberedLine, error) {
	text, err := fs.ReadFile(fsys, document)
	if err != nil {
		return nil, err
	}
	var lines []numberedLine
	fence := ""
	for i, line := range strings.Split(string(text), "\n") {
		switch trimmed := strings.TrimLeft(line, " "); {
		case fence != "":
			if rest, closes := strings.CutPrefix(trimmed, fence); closes && strings.Trim(rest, fence[:1]+" \r") == "" {
				fence = ""
			}
		case strings.HasPrefix(trimmed, "```") || strings.HasPrefix(trimmed, "~~~"):
			fence = trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, trimmed[:1]))]
		default:
			lines = append(lines, numberedLine{number: i + 1, text: line})
		}
	}
	return lines, nil
}

func TestBrokenLinks(t *testing.T) {
	const page = "# One `code` heading\n## Twice\n## Twice\n" +
		"## Of [a link](https://x.example), 2.5%\n<a id=\"own\"></a>\n" +
		"```\n# fenced\n```\n"
	tests := []struct {
		name, text string
		want       []string // what the one broken link's line ends with, nil for none
	}{
		{name: "file", text: "[x](docs/page.md)"},
		{name: "from the root", text: "[x](/docs/page.md)"},
		{name: "directory", text: "[x](docs)"},
		{name: "escaped", text: "[x](a%20b.txt)"},
		{name: "title", text: `[x](docs/page.md "title")`},
		{name: "other host", text: "[x](https://example.com/nowhere#x) <mailto:a@b.example>"},
		{name: "heading", text: "[x](docs/page.md#one-code-heading)"},
		{name: "second of its name", text: "[x](docs/page.md#twice-1)"},
		{name: "punctuation", text: "[x](docs/page.md#of-a-link-25)"},
		{name: "anchor tag", text: "[x](docs/page.md#own)"},
		{name: "own heading", text: "# Here I am\n[x](#here-i-am)"},
		{name: "line of code", text: "[x](main.go#L1)"},
		{name: "code span", text: "`[x](nowhere.md)`"},
		{name: "fenced", text: "~~~~\n~~~\n[x](nowhere.md)\n~~~~"},
		{name: "comment", text: "[comment]: <> (a remark)"},
		{
			name: "no file behind a bracketed reference", text: "[x]: <no where.md>",
			want: []string{"README.md:1: no where.md: open no where.md: file does not exist"},
		},
		{
			name: "no file", text: "\n[x](nowhere.md)",
			want: []string{"README.md:2: nowhere.md: open nowhere.md: file does not exist"},
		},
		{
			name: "no file behind a reference", text: "[x]\n\n[x]: nowhere.md",
			want: []string{"README.md:3: nowhere.md: open nowhere.md: file does not exist"},
		},
		{
			name: "no heading", text: "[x](docs/page.md#two)",
			want: []string{"README.md:1: docs/page.md#two: docs/page.md has no heading for it"},
		},
		{
			name: "a fenced line is no heading", text: "[x](docs/page.md#fenced)",
			want: []string{"README.md:1: docs/page.md#fenced: docs/page.md has no heading for it"},
		},
		{
			name: "after a fence", text: "```yaml\nx\n```\n[x](y)",
			want: []string{"README.md:4: y: open y: file does not exist"},
		},
		{
			name: "outside", text: "[x](../secret)",
			want: []string{"README.md:1: ../secret: open ../secret: file does not exist"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := brokenLinks(fstest.MapFS{
				"README.md":                 {Data: []byte(test.text)},
				"docs/page.md":              {Data: []byte(page)},
				"a b.txt":                   {},
				"main.go":                   {},
				"x/node_modules/y/break.md": {Data: []byte("[x](nowhere.md)")},
			})
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}
