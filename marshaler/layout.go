// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "slices"

// layer says where the children of a container are, by field in protobuf and by key in JSON.
type layer struct {
	// fields has bit n set if the protobuf field n holds children. All these numbers are below 16, so the tag is one byte.
	fields uint16
	// keys are the JSON keys that hold children.
	keys []string
	// list is true if the value of such a key is an array of children. Otherwise the value is the only child.
	list bool
}

func (l layer) hasField(number int) bool { return number < 16 && l.fields>>number&1 == 1 }

func (l layer) hasKey(key []byte) bool {
	return slices.Contains(l.keys, string(key))
}

// layout returns the layers of an OTLP request, from the outside in. The children of the last layer are the items.
func (s Signal) layout() []layer {
	switch s {
	case Logs:
		return []layer{
			{fields: 1 << 1, keys: []string{"resourceLogs"}, list: true},
			{fields: 1 << 2, keys: []string{"scopeLogs"}, list: true},
			{fields: 1 << 2, keys: []string{"logRecords"}, list: true},
		}
	case Traces:
		return []layer{
			{fields: 1 << 1, keys: []string{"resourceSpans"}, list: true},
			{fields: 1 << 2, keys: []string{"scopeSpans"}, list: true},
			{fields: 1 << 2, keys: []string{"spans"}, list: true},
		}
	case Metrics:
		return []layer{
			{fields: 1 << 1, keys: []string{"resourceMetrics"}, list: true},
			{fields: 1 << 2, keys: []string{"scopeMetrics"}, list: true},
			{fields: 1 << 2, keys: []string{"metrics"}, list: true},
			{
				fields: 1<<5 | 1<<7 | 1<<9 | 1<<10 | 1<<11,
				keys:   []string{"gauge", "sum", "histogram", "exponentialHistogram", "summary"},
			},
			{fields: 1 << 1, keys: []string{"dataPoints"}, list: true},
		}
	case Profiles:
		return []layer{
			{fields: 1 << 1, keys: []string{"resourceProfiles"}, list: true},
			{fields: 1 << 2, keys: []string{"scopeProfiles"}, list: true},
			{fields: 1 << 2, keys: []string{"profiles"}, list: true},
			{fields: 1 << 2, keys: []string{"samples"}, list: true},
		}
	}
	return nil
}
