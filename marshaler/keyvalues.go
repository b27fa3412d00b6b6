// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"encoding/binary"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// groupValues puts resources or items into groups by their values.
func (k *keyer) groupValues(p push, g *grouper) {
	v := valueGroups{keyer: k, push: p, grouper: g, groups: map[string]int{}, resource: -1}
	position := 0
	p.eachRecord(func(r *record) {
		v.enter(r.resource)
		v.put(position, r.attributes)
		position++
	})
	g.keyless = k.isDigest() && !v.found
}

// valueGroups are the groups of a push, each with other values.
type valueGroups struct {
	*keyer
	push
	*grouper
	keyBytes

	// groups has the number of each group, by all that decides about it.
	groups map[string]int
	// resource is the current one. What follows belongs to it.
	resource int
	stream   string
	hashKey  string
	invalid  bool // it has a hash key that is none

	// bytes are all that decides about a group: the stream, from keyStart on what makes the key, and the hash key. What lies in
	// front of itemStart is the same for all items of the resource.
	bytes               []byte
	keyStart, itemStart int
}

// enter makes a resource the current one.
func (v *valueGroups) enter(resource int) {
	if v.resource == resource {
		return
	}
	v.resource = resource
	var attributes pcommon.Map
	if v.readsResources() {
		attributes = v.attributes(resource)
	}
	if v.route != nil {
		v.stream = v.route(attributes)
	}
	v.bytes = appendString(v.bytes[:0], v.stream)
	v.keyStart = len(v.bytes)
	v.bytes = v.appendAttributes(v.bytes, v.resourceNames, attributes)
	if len(v.metadataKeys) > 0 {
		v.bytes = v.appendMetadata(appendSection(v.bytes, sectionMetadata), v.metadataKeys, v.metadata)
	}
	v.hashKey, v.invalid = "", false
	if v.hashKeyName != "" {
		v.hashKey, v.invalid = explicitHashKey(attributes, v.hashKeyName, "", false)
	}
	v.itemStart = len(v.bytes)
}

// put puts an item of the current resource, or the resource itself, into its group.
func (v *valueGroups) put(position int, attributes pcommon.Map) {
	v.bytes = v.bytes[:v.itemStart]
	if len(v.recordNames) > 0 {
		v.bytes = v.appendAttributes(appendSection(v.bytes, sectionRecord), v.recordNames, attributes)
	}
	keyEnd := len(v.bytes)
	hashKey := ""
	if v.hashKeyName != "" {
		var invalid bool
		if hashKey, invalid = explicitHashKey(attributes, v.hashKeyName, v.hashKey, v.invalid); invalid {
			v.grouper.invalidHashKeys++
		}
		v.bytes = append(v.bytes, hashKey...)
		v.bytes = binary.BigEndian.AppendUint16(v.bytes, uint16(len(hashKey))) //nolint:gosec // 39 at most
	}
	number, known := v.groups[string(v.bytes)]
	if !known {
		number = v.add(v.destination(v.bytes[v.keyStart:keyEnd], hashKey))
		v.groups[string(v.bytes)] = number
	}
	v.grouper.put(position, number)
}

// destination returns where values and a hash key lead to.
func (v *valueGroups) destination(values []byte, hashKey string) destination {
	to := destination{key: v.static, hashKey: hashKey, stream: v.stream}
	switch {
	case v.isDigest():
		to.key = digestKey(values)
	case hashKey != "":
		to.key = hashKey // Kinesis takes a hash key only beside a partition key
	}
	return to
}

// explicitHashKey returns the hash key in the attributes, and whether there is one that is invalid. If the attributes have none,
// it returns what it is given.
func explicitHashKey(attributes pcommon.Map, name, otherwise string, invalid bool) (string, bool) {
	value, ok := attributes.Get(name)
	if !ok {
		return otherwise, invalid
	}
	hashKey, ok := hashKeyOf(value)
	if !ok {
		return "", true
	}
	return hashKey, false
}
