// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "bytes"

// jsonScanner finds where JSON values begin and end. It checks the objects, arrays, keys and separators that it walks through.
// Inside values that it skips it checks strings and brackets only.
type jsonScanner []byte

// skipSpace returns the first position, from pos on, that has no white space.
func (s jsonScanner) skipSpace(pos int) int {
	for pos < len(s) && (s[pos] == ' ' || s[pos] == '\n' || s[pos] == '\t' || s[pos] == '\r') {
		pos++
	}
	return pos
}

// at reports whether the byte at pos is c.
func (s jsonScanner) at(pos int, c byte) bool { return pos < len(s) && s[pos] == c }

// skipString returns the position behind the string whose opening quote is at pos.
func (s jsonScanner) skipString(pos int) (end int, ok bool) {
	for from := pos + 1; ; {
		i := bytes.IndexByte(s[from:], '"')
		if i < 0 {
			return 0, false
		}
		quote := from + i
		slashes := 0
		for quote-1-slashes >= from && s[quote-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return quote + 1, true
		}
		from = quote + 1
	}
}

// skipValue returns the position behind the value at pos.
func (s jsonScanner) skipValue(pos int) (end int, ok bool) {
	switch {
	case pos >= len(s):
		return 0, false
	case s[pos] == '"':
		return s.skipString(pos)
	case s[pos] == '{' || s[pos] == '[':
		return s.skipBrackets(pos)
	}
	end = pos
	for end < len(s) && isScalar(s[end]) {
		end++
	}
	return end, end > pos
}

// isScalar reports whether c can be part of a number, true, false or null.
func isScalar(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || c == 'E' || c == '+' || c == '-' || c == '.'
}

// skipBrackets returns the position behind the object or array at pos.
func (s jsonScanner) skipBrackets(pos int) (end int, ok bool) {
	stack := make([]byte, 0, 64) // the closing brackets of all open objects and arrays, the outermost first
	for pos < len(s) {
		switch c := s[pos]; c {
		case '"':
			if pos, ok = s.skipString(pos); !ok {
				return 0, false
			}
			continue
		case '{', '[':
			stack = append(stack, c+2) // in ASCII, '}' is '{' + 2, and ']' is '[' + 2
		case '}', ']':
			if stack[len(stack)-1] != c {
				return 0, false
			}
			if stack = stack[:len(stack)-1]; len(stack) == 0 {
				return pos + 1, true
			}
		}
		pos++
	}
	return 0, false
}

// next finds the next element of an object or array. For the first element, pos is behind the opening bracket. For others, pos
// is behind the element before. It returns the position of the element. If there is none, it returns done and the position
// behind the closing bracket.
func (s jsonScanner) next(pos int, first bool, closing byte) (next int, done, ok bool) {
	pos = s.skipSpace(pos)
	switch {
	case s.at(pos, closing):
		return pos + 1, true, true
	case first:
		return pos, false, pos < len(s)
	case s.at(pos, ','):
		return s.skipSpace(pos + 1), false, true
	}
	return 0, false, false
}

// key returns the key at pos, without quotes and with its escapes as they are, and the position of its value.
func (s jsonScanner) key(pos int) (key []byte, value int, ok bool) {
	if !s.at(pos, '"') {
		return nil, 0, false
	}
	end, ok := s.skipString(pos)
	if !ok {
		return nil, 0, false
	}
	colon := s.skipSpace(end)
	if !s.at(colon, ':') {
		return nil, 0, false
	}
	return s[pos+1 : end-1], s.skipSpace(colon + 1), true
}
