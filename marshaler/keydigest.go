// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A key made of attributes and metadata is the first 128 bits of a SHA-256, in lower-case hexadecimal digits. It is SHA-256
// because FIPS does not allow MD5. 128 bits are enough to give different values different keys.
const (
	digestSize    = 16
	digestKeySize = 2 * digestSize
)

// Each value is hashed behind a number that says its type. The numbers must never change, because keys would change.
const (
	kindMissing = iota // there is no such attribute, or the client has not sent the key
	kindEmpty
	kindString
	kindInt
	kindDouble
	kindBool
	kindMap
	kindSlice
	kindBytes
)

// The values that decide a key are hashed behind their names, in sections. First come the attributes of the resource. In front of
// each later section there are an empty name and the number of the section. A section without names is left out. So keys that
// only attributes of resources decide are the same as before there were sections. The numbers must never change.
const (
	sectionMetadata = iota + 1
	sectionRecord
)

// digestKey returns the partition key that sections make.
func digestKey(sections []byte) string {
	sum := sha256.Sum256(sections)
	return hex.EncodeToString(sum[:digestSize])
}

// appendSection appends the beginning of a later section.
func appendSection(b []byte, section byte) []byte { return append(b, 0, section) }

// keyBytes appends values with their names. Types and lengths are hashed too, so that different values are never hashed as the
// same bytes. The bytes must never change, because every key would move to another shard.
type keyBytes struct {
	found bool // there was one of the attributes, or one of the keys of metadata
}

func (k *keyBytes) appendAttributes(b []byte, names []string, attributes pcommon.Map) []byte {
	for _, name := range names {
		b = appendString(b, name)
		value, ok := attributes.Get(name)
		if !ok {
			b = append(b, kindMissing)
			continue
		}
		k.found = true
		b = appendValue(b, value)
	}
	return b
}

// appendMetadata appends each key with its values, as a list of strings.
func (k *keyBytes) appendMetadata(b []byte, keys []string, get func(string) []string) []byte {
	for _, key := range keys {
		b = appendString(b, key)
		var values []string
		if get != nil {
			values = get(key)
		}
		if len(values) == 0 {
			b = append(b, kindMissing)
			continue
		}
		k.found = true
		b = binary.AppendUvarint(append(b, kindSlice), unsigned(len(values)))
		for _, value := range values {
			b = appendString(append(b, kindString), validText(value))
		}
	}
	return b
}

// appendValue appends the type and the bytes of a value.
func appendValue(b []byte, value pcommon.Value) []byte {
	switch value.Type() {
	case pcommon.ValueTypeEmpty:
		return append(b, kindEmpty)
	case pcommon.ValueTypeStr:
		return appendString(append(b, kindString), validText(value.Str()))
	case pcommon.ValueTypeInt:
		bits := uint64(value.Int()) //nolint:gosec // two's complement
		return binary.BigEndian.AppendUint64(append(b, kindInt), bits)
	case pcommon.ValueTypeDouble:
		return binary.BigEndian.AppendUint64(append(b, kindDouble), math.Float64bits(value.Double()))
	case pcommon.ValueTypeBool:
		if value.Bool() {
			return append(b, kindBool, 1)
		}
		return append(b, kindBool, 0)
	case pcommon.ValueTypeMap:
		return appendMap(append(b, kindMap), value.Map())
	case pcommon.ValueTypeSlice:
		values := value.Slice()
		b = binary.AppendUvarint(append(b, kindSlice), unsigned(values.Len()))
		for _, v := range values.All() {
			b = appendValue(b, v)
		}
	case pcommon.ValueTypeBytes:
		return appendString(append(b, kindBytes), string(value.Bytes().AsRaw()))
	}
	return b
}

// appendMap appends the entries of a map, sorted by key. So maps that differ in the order of their entries only are equal.
func appendMap(b []byte, m pcommon.Map) []byte {
	type entry struct {
		key   string
		value pcommon.Value
	}
	entries := make([]entry, 0, m.Len())
	for key, value := range m.All() {
		entries = append(entries, entry{validText(key), value})
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	b = binary.AppendUvarint(b, uint64(len(entries)))
	for _, e := range entries {
		b = appendString(b, e.key)
		b = appendValue(b, e.value)
	}
	return b
}

// validText returns text as readers see it, see [Mended]. So a message that comes back and is sent again keeps its key.
func validText(s string) string { return strings.ToValidUTF8(s, replacement) }

// appendString appends a string behind its length.
func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
