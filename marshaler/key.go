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

// A key made of resource attributes is the first 128 bits of a SHA-256, in lower-case hexadecimal digits. It is SHA-256 because
// FIPS does not allow MD5. 128 bits are enough to give different values different keys.
const (
	digestSize    = 16
	digestKeySize = 2 * digestSize
)

// Each value is hashed behind a number that says its type. The numbers must never change, because keys would change.
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

// digest is the hash of the values of the attributes that decide the key.
type digest [digestSize]byte

// destination is where a message goes.
type destination struct {
	key     string // empty for no key
	hashKey string // empty if the key decides
	stream  string // empty for the default stream
}

// destinationOf returns where a message goes.
func destinationOf(m *Message) destination {
	return destination{key: m.PartitionKey, hashKey: m.ExplicitHashKey, stream: m.Stream}
}

// message returns a message for the destination whose data is the buffer.
func (d *destination) message(b *buffer, items int) Message {
	return Message{
		Data: b.data, PartitionKey: d.key, ExplicitHashKey: d.hashKey, Stream: d.stream, Items: items, buffer: b,
	}
}

// group is the resources that go to one destination.
type group struct {
	destination

	// resources are the positions of the resources in the push, ascending. Nil means all resources.
	resources []int
}

// keyer makes partition keys.
type keyer struct {
	static string
	names  []string // sorted, so that their order in the configuration does not matter
	// route is [Config.Route].
	route func(pcommon.Map) string
}

// newKeyer returns a keyer for a valid configuration.
func newKeyer(c *Config) keyer {
	return keyer{static: c.Key.Static, names: slices.Sorted(slices.Values(c.Key.ResourceAttributes)), route: c.Route}
}

// readsResources reports whether destinations depend on attributes of resources.
func (k keyer) readsResources() bool { return len(k.names) > 0 || k.route != nil }

// resourceNames returns the names of the attributes of resources that destinations depend on. Nil means all.
func (k keyer) resourceNames() []string {
	if k.route != nil {
		return nil
	}
	return k.names
}

// groups puts n resources into groups by destination. The groups are in the order in which their destinations first appear.
func (k keyer) groups(n int, attributes func(int) pcommon.Map) []group {
	if !k.readsResources() {
		return []group{{destination: destination{key: k.static}}}
	}
	type place struct {
		stream string
		digest digest
	}
	var groups []group
	var scratch []byte
	positions := make(map[place]int)
	for i := range n {
		resource := attributes(i)
		var at place
		if len(k.names) > 0 {
			at.digest, scratch = k.digest(resource, scratch[:0])
		}
		if k.route != nil {
			at.stream = k.route(resource)
		}
		pos, known := positions[at]
		if !known {
			pos = len(groups)
			positions[at] = pos
			to := destination{key: k.static, stream: at.stream}
			if len(k.names) > 0 {
				to.key = hex.EncodeToString(at.digest[:])
			}
			groups = append(groups, group{destination: to})
		}
		groups[pos].resources = append(groups[pos].resources, i)
	}
	return groups
}

// keyless reports whether the key depends on attributes, and no resource of the push has any of them.
func (k keyer) keyless(p *push) bool {
	if len(k.names) == 0 {
		return false
	}
	for i := range p.resources {
		attributes := p.attributes(i)
		for _, name := range k.names {
			if _, ok := attributes.Get(name); ok {
				return false
			}
		}
	}
	return true
}

// digest hashes the names and values of the attributes. Types and lengths are hashed too, so that different values are never
// hashed as the same bytes. It must never change, because every key would move to another shard. The bytes are gathered in
// scratch, which it returns for the next call.
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
