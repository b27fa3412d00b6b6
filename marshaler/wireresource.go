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
		list = appendResource(list[:0], t.data[c.head.start:c.head.end], names)
		list = appendResource(list, t.data[c.tail.start:c.tail.end], names)
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

// appendResource appends the attributes with the names, or all if names is nil, of the resource in a part of a container of the
// first level.
func appendResource(dst, container []byte, names []string) []byte {
	eachField(container, func(f field) bool {
		if f.number == 1 {
			dst = appendAttributes(dst, container[f.start:f.end], 1, names, 1)
		}
		return true
	})
	return dst
}

// appendAttributes appends the attributes with the names, or all if names is nil, of a message that has them in the field with
// the number. There they get another number.
func appendAttributes(dst, message []byte, number int, names []string, as int) []byte {
	eachField(message, func(f field) bool {
		if content := message[f.start:f.end]; f.number == number && (names == nil || hasKey(content, names)) {
			dst = appendBytes(dst, as, content)
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
