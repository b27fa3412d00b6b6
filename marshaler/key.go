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

// A key made of resource attributes is the first 128 bits of a SHA-256 in lower-case hexadecimal digits. SHA-256 is
// allowed where MD5 is not (FIPS), and 128 bits keep different values apart.
const (
	digestSize    = 16
	digestKeySize = 2 * digestSize
)

// What a value is hashed behind. The numbers must never change.
const (
	kindMissing = iota // the resource lacks the attribute
	kindEmpty
	kindString
	kindInt
	kindDouble
	kindBool
	kindMap
	kindSlice
	kindBytes
)

// digest identifies the values of the key's attributes.
type digest [digestSize]byte

// group is the resources that share a partition key.
type group struct {
	key string
	// resources are their positions in the request, ascending; nil means all.
	resources []int
}

// keyer makes partition keys.
type keyer struct {
	static string
	names  []string // sorted, so that their order in the configuration does not matter
}

func newKeyer(cfg KeyConfig) keyer {
	return keyer{static: cfg.Static, names: slices.Sorted(slices.Values(cfg.ResourceAttributes))}
}

// groups sorts the n resources whose attributes are given by partition key, in the order in which keys first appear.
func (k keyer) groups(n int, attributes func(int) pcommon.Map) []group {
	if len(k.names) == 0 {
		return []group{{key: k.static}}
	}
	var groups []group
	var scratch []byte
	positions := make(map[digest]int)
	for i := range n {
		var d digest
		d, scratch = k.digest(attributes(i), scratch[:0])
		pos, known := positions[d]
		if !known {
			pos = len(groups)
			positions[d] = pos
			groups = append(groups, group{key: hex.EncodeToString(d[:])})
		}
		groups[pos].resources = append(groups[pos].resources, i)
	}
	return groups
}

// digest hashes names and typed values, each behind its length, so that no two sets of values look the same. It is
// stable for good: a change moves every key to another shard. The scratch buffer comes back for the next call.
func (k keyer) digest(attributes pcommon.Map, scratch []byte) (digest, []byte) {
	for _, name := range k.names {
		scratch = appendString(scratch, name)
		if value, ok := attributes.Get(name); ok {
			scratch = appendValue(scratch, value)
		} else {
			scratch = append(scratch, kindMissing)
		}
	}
	sum := sha256.Sum256(scratch)
	return digest(sum[:digestSize]), scratch
}

func appendValue(b []byte, value pcommon.Value) []byte {
	switch value.Type() {
	case pcommon.ValueTypeEmpty:
		return append(b, kindEmpty)
	case pcommon.ValueTypeStr:
		return appendString(append(b, kindString), value.Str())
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

// appendMap writes the entries sorted by key: maps that differ only in their order are equal.
func appendMap(b []byte, m pcommon.Map) []byte {
	type entry struct {
		key   string
		value pcommon.Value
	}
	entries := make([]entry, 0, m.Len())
	for key, value := range m.All() {
		entries = append(entries, entry{key, value})
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	b = binary.AppendUvarint(b, uint64(len(entries)))
	for _, e := range entries {
		b = appendString(b, e.key)
		b = appendValue(b, e.value)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
