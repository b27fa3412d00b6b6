// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"
)

// resourcesWith returns the resources in a tree of sound protobuf, from first up to, but not including, last. They have the
// attributes with the names only, or all if names is nil. pdata decodes these, so that they are what pdata makes of them. All
// others are left out before, because resources have many.
//
// The resources are those of logs, whatever the signal is. They are encoded in the same way.
func (t *tree) resourcesWith(names []string, first, last int) plog.ResourceLogsSlice {
	var request, list []byte
	for place := first; place < last; place++ {
		c := t.container(1, place)
		list = appendAttributes(list[:0], t.data[c.head.start:c.head.end], names)
		list = appendAttributes(list, t.data[c.tail.start:c.tail.end], names)
		size := 1 + protowire.SizeVarint(unsigned(len(list))) + len(list)
		request = protowire.AppendVarint(append(request, 1<<3|wireBytes), unsigned(size))
		request = appendBytes(request, 1, list)
	}
	logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(request)
	if err != nil {
		panic(err) // never: the bytes are sound
	}
	return logs.ResourceLogs()
}

// attributesWith returns the attributes of one resource, see resourcesWith.
func (t *tree) attributesWith(names []string, place int) pcommon.Map {
	return t.resourcesWith(names, place, place+1).At(0).Resource().Attributes()
}

// appendAttributes appends the attributes with the names, or all if names is nil. It finds them in a part of a container of the
// first level.
func appendAttributes(dst, container []byte, names []string) []byte {
	eachField(container, func(f field) bool {
		if f.number != 1 {
			return true
		}
		resource := container[f.start:f.end]
		for pos := 0; pos < len(resource); {
			attribute, ok := readField(resource, pos)
			if !ok {
				return false
			}
			if attribute.number == 1 && (names == nil || hasKey(resource[attribute.start:attribute.end], names)) {
				dst = append(dst, resource[pos:attribute.end]...)
			}
			pos = attribute.end
		}
		return true
	})
	return dst
}

// hasKey reports whether the key of an attribute is one of the names. If it has several keys, the last one counts.
func hasKey(attribute []byte, names []string) bool {
	var key []byte
	eachField(attribute, func(f field) bool {
		if f.number == 1 {
			key = attribute[f.start:f.end]
		}
		return true
	})
	return slices.Contains(names, string(key))
}
