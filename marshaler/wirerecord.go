// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"
)

// eachRecord calls visit for each item in a tree of sound protobuf, in order, as the function of that name does for pdata. Of the
// attributes, the record has those with the names.
func (t *tree) eachRecord(s Signal, names []string, visit func(*record)) {
	var r record
	var attributes plog.LogRecordSlice
	if len(names) > 0 {
		attributes = t.itemsWith(s, names)
	}
	depth := t.itemDepth()
	for place := range t.containers[depth-1] {
		c := t.container(depth-1, place)
		if c.first == c.last {
			continue
		}
		r.resource = t.resourceOf(t.children(depth-1, place))
		for item := c.first; item < c.last; item++ {
			r.traceID = t.traceID(s.traceIDField(), item)
			if len(names) > 0 {
				r.attributes = attributes.At(item).Attributes()
			}
			visit(&r)
		}
	}
}

// traceIDField returns the field of an item that is its trace id, 0 if items have none.
func (s Signal) traceIDField() int {
	switch s {
	case Logs:
		return 9
	case Traces:
		return 1
	case Metrics, Profiles:
	}
	return 0
}

// attributesField returns the field of an item that is its attributes. The parameter tag is the one in front of the container of
// the item.
func (s Signal) attributesField(tag byte) int {
	switch s {
	case Logs:
		return 6
	case Traces:
		return 9
	case Metrics, Profiles:
	}
	switch tag >> 3 {
	case 9: // a histogram
		return 9
	case 10: // an exponential histogram
		return 1
	}
	return 7
}

// content returns what an item has behind its tag and its length.
func (t *tree) content(item int) []byte {
	e := t.extents[t.itemDepth()][item]
	f, _ := readField(t.data, e.start)
	return t.data[f.start:f.end]
}

// traceID returns the trace id of an item. If it has several, the last one counts.
func (t *tree) traceID(number, item int) (id pcommon.TraceID) {
	if number == 0 {
		return id
	}
	content := t.content(item)
	for pos := 0; pos < len(content); {
		f, ok := readField(content, pos)
		if !ok {
			return id // never: the bytes are sound
		}
		if pos = f.end; f.number == number {
			id = pcommon.TraceID{}
			copy(id[:], content[f.start:f.end])
		}
	}
	return id
}

// itemsWith returns a log record for each item, with those attributes of the item that have the names. pdata decodes these, so
// that they are what pdata makes of them.
func (t *tree) itemsWith(s Signal, names []string) plog.LogRecordSlice {
	var records, list []byte
	depth := t.itemDepth()
	for place := range t.containers[depth-1] {
		c := t.container(depth-1, place)
		field := s.attributesField(c.tag)
		for item := c.first; item < c.last; item++ {
			list = appendAttributes(list[:0], t.content(item), field, names, attributesOfLogs)
			records = appendBytes(records, 2, list)
		}
	}
	size := 1 + protowire.SizeVarint(unsigned(len(records))) + len(records)
	request := protowire.AppendVarint([]byte{1<<3 | wireBytes}, unsigned(size))
	logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(appendBytes(request, 2, records))
	if err != nil {
		panic(err) // never: the bytes are sound
	}
	return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
}

// attributesOfLogs is the field of a log record that is its attributes.
const attributesOfLogs = 6
