// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"encoding/binary"
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// ErrMalformed is wrapped by the error of [Marshaler.MarshalEncoded] for bytes that are no OTLP request of the signal.
var ErrMalformed = errors.New("malformed OTLP")

// field is a field of a protobuf message. Its content lies from start to end.
type field struct {
	number     int
	kind       protowire.Type
	start, end int
}

// readField reads the field at pos. It returns false for malformed data and for groups, which OTLP does not have.
func readField(data []byte, pos int) (field, bool) {
	tag, pos := readUvarint(data, pos)
	if pos < 0 || tag>>3 < 1 || tag>>3 > uint64(protowire.MaxValidNumber) {
		return field{}, false
	}
	f := field{number: int(tag >> 3), kind: protowire.Type(tag & 7), start: pos, end: pos}
	switch f.kind {
	case protowire.BytesType:
		length, start := readUvarint(data, pos)
		if start < 0 || length > unsigned(len(data)-start) {
			return field{}, false
		}
		f.start, f.end = start, start+int(length) //nolint:gosec // at most what is left of the data
	case protowire.VarintType:
		_, f.end = readUvarint(data, pos)
	case protowire.Fixed64Type:
		f.end += 8
	case protowire.Fixed32Type:
		f.end += 4
	case protowire.StartGroupType, protowire.EndGroupType:
		return field{}, false
	default:
		return field{}, false
	}
	return f, f.end >= f.start && f.end <= len(data)
}

// readUvarint returns the number at pos and the position behind it, which is -1 if there is no number.
func readUvarint(data []byte, pos int) (value uint64, next int) {
	if pos < len(data) && data[pos] < 0x80 {
		return uint64(data[pos]), pos + 1
	}
	if pos+1 < len(data) && data[pos+1] < 0x80 {
		return uint64(data[pos]&0x7f) | uint64(data[pos+1])<<7, pos + 2
	}
	value, n := binary.Uvarint(data[pos:])
	if n <= 0 {
		return 0, -1
	}
	return value, pos + n
}

// unsigned converts a size or a count for a varint.
func unsigned(n int) uint64 {
	return uint64(n) //nolint:gosec // neither is ever negative
}

// eachField calls visit for each field of a protobuf message, until visit returns false. It reports whether visit always
// returned true and the message is well-formed.
func eachField(content []byte, visit func(field) bool) bool {
	for pos := 0; pos < len(content); {
		f, ok := readField(content, pos)
		if !ok || !visit(f) {
			return false
		}
		pos = f.end
	}
	return true
}
