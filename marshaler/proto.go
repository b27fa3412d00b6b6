package marshaler

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is a protobuf field: its payload lies from start to end.
type field struct {
	number     int
	kind       protowire.Type
	start, end int
}

// readField reads the field at pos. It does not know groups, which OTLP does not have.
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

// readUvarint returns the number at pos and where it ends; -1 if there is none.
func readUvarint(data []byte, pos int) (value uint64, next int) {
	if pos < len(data) && data[pos] < 0x80 {
		return uint64(data[pos]), pos + 1
	}
	value, n := binary.Uvarint(data[pos:])
	if n <= 0 {
		return 0, -1
	}
	return value, pos + n
}

// unsigned returns a size or a count as varints take it.
func unsigned(n int) uint64 {
	return uint64(n) //nolint:gosec // neither is ever negative
}

// cutProto adds the container of the level whose content is given, and all that it holds.
func (t *tree) cutProto(content extent, depth, parent int, tag byte) error {
	place := t.begin(depth, parent, tag)
	first := t.containers[depth][place].first
	layer := t.layers[depth]
	data := t.data[:content.end]
	for pos := content.start; pos < content.end; {
		f, ok := readField(data, pos)
		if !ok {
			return errMalformed
		}
		child := extent{pos, f.end}
		pos = f.end
		if !layer.hasField(f.number) {
			continue
		}
		if f.kind != protowire.BytesType {
			return errMalformed
		}
		if err := t.add(depth+1, first, child); err != nil {
			return err
		}
		if depth+1 == t.itemDepth() {
			continue
		}
		childTag := byte(f.number<<3) | byte(protowire.BytesType) //nolint:gosec // the layouts have no number above 15
		if err := t.cutProto(extent{f.start, f.end}, depth+1, place, childTag); err != nil {
			return err
		}
	}
	t.finish(depth, place, content)
	return nil
}
