// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// contentIn returns what the .proto files of OTLP say about a field.
func contentIn(f protoreflect.FieldDescriptor) content {
	switch f.Kind() {
	case protoreflect.StringKind:
		return text
	case protoreflect.MessageKind:
		return inside
	case protoreflect.BytesKind:
		switch f.Name() {
		case "trace_id", "profile_id":
			return id16
		case "span_id", "parent_span_id":
			return id8
		}
		return anyBytes
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		if f.IsPacked() {
			return packed64
		}
		return fixed64
	case protoreflect.Fixed32Kind:
		return fixed32
	default: // the kinds of varints
		if f.IsPacked() {
			return packedVarints
		}
		return varint
	}
}

// wireOf returns the wire type of a content.
func wireOf(c content) protowire.Type {
	switch c {
	case varint:
		return protowire.VarintType
	case fixed64:
		return protowire.Fixed64Type
	case fixed32:
		return protowire.Fixed32Type
	default:
		return protowire.BytesType
	}
}

// The layouts are those of OTLP's .proto files: for each field and each wire type, they say what readers accept.
func TestWireLayoutsAreThoseOfOTLP(t *testing.T) {
	seen := map[protoreflect.FullName]kind{}
	var compare func(m protoreflect.MessageDescriptor, k kind)
	compare = func(m protoreflect.MessageDescriptor, k kind) {
		if known, ok := seen[m.FullName()]; ok {
			assert.Equal(t, known, k, m.FullName())
			return
		}
		seen[m.FullName()] = k
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			want, number := contentIn(f), int(f.Number())
			if number >= 16 {
				for wire := range protowire.Type(8) {
					c, _ := contentOfLongTag(protowire.AppendVarint(nil, unsigned(number)<<3|uint64(wire)), 0, k)
					if wire == wireOf(want) {
						assert.Equal(t, want, c, f.FullName())
					} else {
						assert.Equal(t, invalid, c, f.FullName())
					}
				}
				continue
			}
			for wire := range 8 {
				got := wireLayouts[k].fields[number<<3|wire]
				switch wire := protowire.Type(wire); {
				case wire == wireOf(want):
					assert.Equal(t, want, got, "%s by wire type %d", f.FullName(), wire)
				case f.IsPacked() && got != invalid:
					assert.Equal(t, wireOf(contentOfOne(f)), wire, f.FullName())
				default:
					assert.Equal(t, invalid, got, "%s by wire type %d", f.FullName(), wire)
				}
			}
			if want == inside {
				compare(f.Message(), wireLayouts[k].inner[number])
			}
		}
		for number := 1; number < 16; number++ {
			if m.Fields().ByNumber(protowire.Number(number)) != nil || m.Name() == "Gauge" {
				continue // a gauge has the layout of a sum, so pdata decides about its unknown fields
			}
			assert.Zero(t, numbersOf[k][number], "%s has no field %d", m.FullName(), number)
			for wire, want := range usualContent {
				assert.Equal(t, want, wireLayouts[k].fields[number<<3|wire], "%s, unknown field %d", m.FullName(), number)
			}
		}
	}
	for _, s := range []Signal{Logs, Traces, Metrics, Profiles} {
		compare(strictMessage(s).ProtoReflect().Descriptor(), s.request())
	}
	assert.Len(t, seen, int(wireKinds)-1+1, "all kinds are met; gauge and sum are one kind")
}

// contentOfOne returns the content of a single number of a packed field.
func contentOfOne(f protoreflect.FieldDescriptor) content {
	if contentIn(f) == packed64 {
		return fixed64
	}
	return varint
}
