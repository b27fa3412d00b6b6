// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Records are written by others. They may contain sequences that move the cursor of a terminal, change its title or reverse the
// direction of text. So all characters that cannot be seen are escaped in whatever is printed.

// isTerminal reports whether w is a terminal, rather than a file or a pipe.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// visible returns text with escapes for what cannot be seen, as Go writes them in strings. Newlines are escaped too.
func visible(text string) string {
	var b strings.Builder
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := fmt.Sprintf("%+q", r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		text = text[size:]
	}
	return b.String()
}

// visibleLines is visible for text of several lines.
func visibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = visible(line)
	}
	return strings.Join(lines, "\n")
}

// clipped returns text, visible, with at most the given number of characters.
func clipped(text string, most int) string {
	if len(text) > most*utf8.UTFMax { // so that the rest of a long text costs nothing
		text = text[:most*utf8.UTFMax]
	}
	text = visible(text)
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// jsonLines prints values as lines of JSON.
type jsonLines struct {
	out     io.Writer
	line    bytes.Buffer
	encoder *json.Encoder
}

func newJSONLines(out io.Writer) *jsonLines {
	l := &jsonLines{out: out}
	l.encoder = json.NewEncoder(&l.line)
	l.encoder.SetEscapeHTML(false)
	return l
}

func (l *jsonLines) write(value any) error {
	l.line.Reset()
	if err := l.encoder.Encode(value); err != nil {
		return err
	}
	_, err := l.out.Write(visibleJSON(l.line.Bytes()))
	return err
}

// visibleJSON returns JSON that means the same, with escapes for what cannot be seen. Such characters are only in strings. The
// encoder has escaped those below the space.
func visibleJSON(data []byte) []byte {
	if !bytes.ContainsFunc(data, hidden) {
		return data
	}
	b := make([]byte, 0, len(data)+64)
	for _, r := range string(data) { // Bytes that are no UTF-8 become U+FFFD, which is what decoders of JSON read there.
		if !hidden(r) {
			b = utf8.AppendRune(b, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			b = fmt.Appendf(b, `\u%04x`, unit)
		}
	}
	return b
}

// hidden reports whether a character of encoded JSON is to be escaped.
func hidden(r rune) bool { return r >= 0x7f && (r == utf8.RuneError || !unicode.IsPrint(r)) }
