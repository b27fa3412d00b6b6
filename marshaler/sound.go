// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxPrefix is how many bytes a tag or a length has at most for readers in C++, and for those that are built on upb, such as
// Python's.
const maxPrefix = 5

// isSound reports whether every reader decodes a message of the kind, which anybody may have written. The parameter depth is
// how many messages are around it.
//
// All fields that OTLP knows have their wire type, all lengths are right, all text is valid UTF-8, and no value lies too deep.
// A sound message may have fields that are not known, and fields in any order. A message that is not sound is not always
// malformed: pdata decides that.
func isSound(data []byte, k kind, depth int) bool {
	l := &wireLayouts[k]
	pos := 0
	for pos < len(data) {
		tag := data[pos]
		var c content
		if tag < 0x80 {
			c = l.fields[tag]
			pos++
		} else {
			c, pos = contentOfLongTag(data, pos, k)
		}
		switch c { //nolint:exhaustive // the others have a length in front
		case invalid:
			return false
		case varint:
			if pos < len(data) && data[pos] < 0x80 {
				pos++
			} else if _, pos = readUvarint(data, pos); pos < 0 {
				return false
			}
			continue
		case fixed64:
			pos += 8
			continue
		case fixed32:
			pos += 4
			continue
		}
		start := pos + 1
		if pos < len(data) && data[pos] < 0x80 {
			pos = start + int(data[pos])
		} else if start, pos = longContent(data, pos); start < 0 {
			return false
		}
		if pos > len(data) {
			return false
		}
		value := data[start:pos]
		switch {
		case c == inside:
			inner := l.inner[tag>>3]
			if inner == keyValue && isPlainAttribute(value) || inner == anyValue && isPlainValue(value) {
				continue
			}
			if isTooDeep(inner, depth+1) || !isSound(value, inner, depth+1) {
				return false
			}
		case c == text:
			if !isASCII(value) && !utf8.Valid(value) {
				return false
			}
		case c != anyBytes && !isSoundBytes(value, c):
			return false
		}
	}
	return pos == len(data)
}

// longContent returns where the content of a field lies whose length, at pos, has more than one byte. It returns -1 if the length
// is wrong.
func longContent(data []byte, pos int) (start, end int) {
	length, start := readUvarint(data, pos)
	if start < 0 || start > pos+maxPrefix || length > unsigned(len(data)-start) {
		return -1, -1
	}
	return start, start + int(length) //nolint:gosec // at most what is left of the data
}

// isSoundBytes reports whether every reader decodes the bytes of a field that is neither text nor a message.
func isSoundBytes(data []byte, c content) bool {
	switch c { //nolint:exhaustive // the others may have any bytes, or no length
	case id16:
		return len(data) == traceIDLength || len(data) == 0
	case id8:
		return len(data) == spanIDLength || len(data) == 0
	case packed64:
		return len(data)%8 == 0
	case packedVarints:
		for pos := 0; pos < len(data); {
			if _, pos = readUvarint(data, pos); pos < 0 {
				return false
			}
		}
	}
	return true
}

// contentOfLongTag returns what lies in the field whose tag, at pos, has more than one byte, and the position behind the tag. A
// tag that could have one byte counts as invalid.
func contentOfLongTag(data []byte, pos int, k kind) (content, int) {
	tag, next := readUvarint(data, pos)
	number, wire := tag>>3, protowire.Type(tag&7)
	switch {
	case next < 0, next > pos+maxPrefix, number < 16, number > uint64(protowire.MaxValidNumber),
		number == deprecatedScopes && (k == resourceLogs || k == resourceSpans || k == resourceMetrics),
		number == spanFlags && k == span && wire != protowire.Fixed32Type:
		return invalid, next
	}
	return usualContent[wire], next
}
