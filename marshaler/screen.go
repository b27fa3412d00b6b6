// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"encoding/binary"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxNesting is how many messages may lie inside each other, the request not counted. The strictest readers allow 99: the JSON
// reader of Python's protobuf. Protobuf for Python, C++, Java and Rust allows 100 in the binary encoding.
const maxNesting = 99

// shortNesting is how many messages fit inside each other in fewer than 128 bytes. Each takes a tag and a length.
const shortNesting = 63

// isClean reports whether strict readers decode a message of the kind: all its text is valid UTF-8, and no value lies too
// deep. The parameter depth is how many messages are around it. Malformed bytes are not clean.
//
// Every push is screened, and nearly all text is ASCII. So neighbours that are short and mostly text make a run. A run is
// searched for bytes that are not ASCII, as a whole. Only if it has any, its fields are looked at one by one.
func isClean(data []byte, k kind, depth int) bool {
	l := &textLayouts[k]
	light := l.light
	if depth+1+shortNesting > maxNesting {
		light = l.text // a message could hold a value that lies too deep
	}
	run, pos := 0, 0
	for pos+1 < len(data) {
		tag, length := data[pos], data[pos+1]
		next, bit := pos+2+int(length), uint16(1)<<(tag>>3&15)
		wire, short := tag&0x87, length < 0x80 // a tag of two bytes has none of the types below
		numeric := l.attributes&bit != 0 && isNumeric(data, pos+2)
		switch {
		case wire == wireBytes && short && light&bit != 0 && !numeric:
			pos = next
			continue
		case wire == wireVarint && short:
			pos += 2
			continue
		case run < pos && !isASCII(data[run:pos]) && !l.areClean(data[run:pos], depth):
			return false
		case wire == wireFixed64:
			next = pos + 9
		case wire == wireBytes && short && l.opaque&bit != 0:
		case wire == wireBytes && short && numeric && next <= len(data) && isASCII(keyOfNumber(data[pos+2:next])):
		default:
			f, ok := readField(data, pos)
			if !ok || !l.isCleanField(data, f, depth) {
				return false
			}
			next = f.end
		}
		run, pos = next, next
	}
	return pos == len(data) && (run == pos || isASCII(data[run:]) || l.areClean(data[run:], depth))
}

// isNumeric reports whether the attribute at start begins with a value that is a number or a bool. pdata writes the value in
// front of the key.
func isNumeric(data []byte, start int) bool {
	return start+2 < len(data) && data[start+1] > 0 && data[start] == valueTag && data[start+2]&7 != wireBytes
}

// The wire types, as they stand in a tag.
const (
	wireVarint  = byte(protowire.VarintType)
	wireFixed64 = byte(protowire.Fixed64Type)
	wireBytes   = byte(protowire.BytesType)
)

// valueTag stands in front of the value of an attribute.
const valueTag = 2<<3 | wireBytes

// keyOfNumber returns what follows the value of a numeric attribute: its key.
func keyOfNumber(attribute []byte) []byte {
	return attribute[min(2+int(attribute[1]), len(attribute)):]
}

// areClean reports whether the fields of a run are clean.
//
// A run that is valid UTF-8 as a whole has only valid text. All its tags and lengths are ASCII, and each text stands between
// two of them. So no text can borrow from its neighbours what it lacks.
func (l *textLayout) areClean(run []byte, depth int) bool {
	if utf8.Valid(run) {
		return true
	}
	for pos := 0; pos < len(run); {
		f, ok := readField(run, pos)
		if !ok || !l.isCleanField(run, f, depth) {
			return false
		}
		pos = f.end
	}
	return true
}

// isCleanField reports whether a field of a message with this layout is clean.
func (l *textLayout) isCleanField(data []byte, f field, depth int) bool {
	content := data[f.start:f.end]
	if l.isText(f) {
		return utf8.Valid(content)
	}
	inner := l.kindOf(f)
	return inner == opaque || !isTooDeep(inner, depth+1) && isClean(content, inner, depth+1)
}

// isTooDeep reports whether a list or map at this depth, with what it holds, can lie too deep. The value that holds it is
// replaced by text then.
func isTooDeep(k kind, depth int) bool {
	switch k {
	case arrayValue:
		return depth >= maxNesting // with a value inside
	case keyValueList:
		return depth+1 >= maxNesting // with an attribute and its value inside
	default:
		return false
	}
}

// isASCII reports whether no byte is above 127.
func isASCII(b []byte) bool {
	const high = 0x8080808080808080
	if len(b) < 8 {
		if len(b) >= 4 {
			found := binary.LittleEndian.Uint32(b) | binary.LittleEndian.Uint32(b[len(b)-4:])
			return found&0x80808080 == 0
		}
		for _, c := range b {
			if c >= 0x80 {
				return false
			}
		}
		return true
	}
	found := binary.LittleEndian.Uint64(b[len(b)-8:]) // what is left at the end is in here
	for ; len(b) >= 32; b = b[32:] {
		found |= binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) |
			binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:])
		if found&high != 0 {
			return false
		}
	}
	if len(b) >= 16 {
		found |= binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:])
		b = b[16:]
	}
	if len(b) >= 8 {
		found |= binary.LittleEndian.Uint64(b)
	}
	return found&high == 0
}
