// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kclread

import (
	"strings"
	"unicode/utf8"
)

// table has the keys that records refer to by index. All keys lie in one text, because a string for each would take many times
// what an empty key takes in the message.
type table struct {
	text string
	// ends has for each key where it ends in text, shifted left by verdictBits, and its verdict.
	ends []uint32
}

// verdict says what KCL makes of a key.
type verdict uint32

const (
	usable    verdict = iota
	noNumber          // an explicit hash key that is no number
	noHashKey         // an explicit hash key that is a number, but not from 0 to 2^128-1

	verdictBits = 2
)

// tableSize is what a table needs in memory.
type tableSize struct{ keys, text int }

// add counts a key.
func (s *tableSize) add(key []byte) {
	s.keys++
	s.text += textSize(key)
}

// newTable returns the table of the fields of a message with that tag. They have that size. judge says what KCL makes of a key.
func newTable(message []byte, tag uint32, size tableSize, judge func(key string) verdict) table {
	if size.keys == 0 {
		return table{}
	}
	var text strings.Builder
	text.Grow(size.text)
	ends := make([]uint32, 0, size.keys)
	for len(message) > 0 {
		var f field
		f, message, _ = next(message, 0) // It was read before, without an error.
		if f.tag != tag {
			continue
		}
		start := text.Len()
		appendText(&text, f.bytes)
		v := judge(text.String()[start:])
		ends = append(ends, uint32(text.Len())<<verdictBits|uint32(v)) //nolint:gosec // see maxSize
	}
	return table{text.String(), ends}
}

func (t *table) len() int { return len(t.ends) }

// at returns the key with that index, if there is one.
func (t *table) at(index int32) (key string, v verdict, ok bool) {
	i := int(index)
	if i < 0 || i >= len(t.ends) {
		return "", usable, false
	}
	start := uint32(0)
	if i > 0 {
		start = t.ends[i-1] >> verdictBits
	}
	end := t.ends[i]
	return t.text[start : end>>verdictBits], verdict(end & (1<<verdictBits - 1)), true
}

// textSize is the length of what appendText appends.
func textSize(key []byte) (size int) {
	if utf8.Valid(key) {
		return len(key)
	}
	for len(key) > 0 {
		r, n := decodeRune(key)
		size += utf8.RuneLen(r)
		key = key[n:]
	}
	return size
}

// appendText appends a key as Java makes a String of it.
func appendText(text *strings.Builder, key []byte) {
	if utf8.Valid(key) {
		text.Write(key)
		return
	}
	for len(key) > 0 {
		r, n := decodeRune(key)
		text.WriteRune(r)
		key = key[n:]
	}
}

// decodeRune returns the first character of a key and its length in bytes. What is not UTF-8 is U+FFFD: one for each longest
// beginning of a character, and one for a surrogate, which has three bytes.
func decodeRune(key []byte) (r rune, n int) {
	r, n = utf8.DecodeRune(key)
	if r != utf8.RuneError || n != 1 {
		return r, n
	}
	length, low, high := 1, byte(0x80), byte(0xbf)
	switch first := key[0]; {
	case first == 0xe0:
		length, low = 3, 0xa0
	case first > 0xe0 && first <= 0xef:
		length = 3
	case first == 0xf0:
		length, low = 4, 0x90
	case first > 0xf0 && first < 0xf4:
		length = 4
	case first == 0xf4:
		length, high = 4, 0x8f
	}
	for n < min(length, len(key)) && key[n] >= low && key[n] <= high {
		n++
		low, high = 0x80, 0xbf
	}
	return utf8.RuneError, n
}
