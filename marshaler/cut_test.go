// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func cutOf(signal Signal, data string, framed bool) (*tree, error) {
	t := &tree{layers: signal.layout(), framed: framed}
	t.reset([]byte(data))
	err := t.cut()
	return t, err
}

// contents returns what lies at a level.
func contents(t *tree, depth int) (list []string) {
	for _, e := range t.extents[depth] {
		list = append(list, string(t.data[e.start:e.end]))
	}
	return list
}

// splitWhole cuts bytes that nobody has checked.
func splitWhole(m *Marshaler, p push, data []byte) (Encoded, error) {
	f := m.fillers[p.signal].Get().(*filler)
	defer m.fillers[p.signal].Put(f)
	return f.split(&p, &buffer{data: data})
}

func TestCutProto(t *testing.T) {
	const item = "\x12\x02\x08\x01"
	tests := []struct {
		name, data string
		items      []string
		err        error
	}{
		{name: "empty"},
		{name: "resource without scopes", data: "\x0a\x02\x0a\x00"},
		{name: "two items", data: "\x0a\x0a\x12\x08" + item + item, items: []string{item, item}},
		{name: "scope and schema around", data: "\x0a\x0b\x12\x09\x0a\x01x" + item + "\x1a\x00", items: []string{item}},
		{name: "unknown fields around", data: "\x0a\x0a\x12\x08\x38\x01" + item + "\x40\x01", items: []string{item}},
		{name: "empty item", data: "\x0a\x04\x12\x02\x12\x00", items: []string{"\x12\x00"}},
		{name: "long tag", data: "\x8a\x00\x06\x12\x04" + item, items: []string{item}},
		{name: "field between items", data: "\x0a\x0c\x12\x0a" + item + "\x38\x01" + item, err: errScattered},
		{name: "item is no message", data: "\x0a\x04\x12\x02\x10\x01", err: ErrMalformed},
		{name: "resource is no message", data: "\x08\x01", err: ErrMalformed},
		{name: "longer than its container", data: "\x0a\x04\x12\x02\x12\x01" + "x", err: ErrMalformed},
		{name: "cut off in a length", data: "\x0a\x80", err: ErrMalformed},
		{name: "cut off in a tag", data: "\x80", err: ErrMalformed},
		{name: "huge length", data: "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", err: ErrMalformed},
		{name: "endless number", data: "\x10" + strings.Repeat("\xff", 11), err: ErrMalformed},
		{name: "short fixed64", data: "\x11\x00", err: ErrMalformed},
		{name: "short fixed32", data: "\x15\x00", err: ErrMalformed},
		{name: "field number 0", data: "\x02\x00", err: ErrMalformed},
		{name: "field number too large", data: "\x82\x80\x80\x80\x10\x00", err: ErrMalformed},
		{name: "group", data: "\x13\x14", err: ErrMalformed},
		{name: "wire type 7", data: "\x17", err: ErrMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree, err := cutOf(Logs, test.data, true)
			require.ErrorIs(t, err, test.err)
			if err == nil {
				assert.Equal(t, test.items, contents(tree, 3))
			}
		})
	}
}

func TestCutJSON(t *testing.T) {
	scope := func(records string) string {
		return `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":` + records + `}]}]}`
	}
	tests := []struct {
		name, data string
		items      []string
		err        error
	}{
		{name: "empty", data: `{}`},
		{name: "no items", data: scope(`[]`)},
		{name: "two items", data: scope(`[{},{"a":1}]`), items: []string{`{}`, `{"a":1}`}},
		{name: "white space around", data: " \n" + scope(`[ {} ]`) + "\t", items: []string{`{}`}},
		{name: "brackets in strings", data: scope(`[{"a":"]}\""},{"b":["\\"]}]`), items: []string{`{"a":"]}\""}`, `{"b":["\\"]}`}},
		{name: "the key elsewhere", data: scope(`[{"logRecords":[{}]}]`), items: []string{`{"logRecords":[{}]}`}},
		{
			name: "deeper than the stack has room", data: scope(`[` + strings.Repeat(`{"a":`, 99) + `1` + strings.Repeat(`}`, 99) + `]`),
			items: []string{strings.Repeat(`{"a":`, 99) + `1` + strings.Repeat(`}`, 99)},
		},
		{name: "skipped values", data: `{"a":-1.5e+3,"b":true,"c":null,"d":"x","e":[1,{}],"resourceLogs":[]}`},
		{name: "key twice", data: `{"resourceLogs":[{}],"resourceLogs":[{}]}`, err: errScattered},
		{name: "white space between items", data: scope(`[{}, {}]`), err: errScattered},
		{name: "nothing", data: ``, err: ErrMalformed},
		{name: "no object", data: `[]`, err: ErrMalformed},
		{name: "more behind it", data: `{}{}`, err: ErrMalformed},
		{name: "not closed", data: `{"resourceLogs":[`, err: ErrMalformed},
		{name: "closed wrongly", data: scope(`[{]}`), err: ErrMalformed},
		{name: "string not closed", data: `{"a`, err: ErrMalformed},
		{name: "only an escaped quote", data: `{"a\"`, err: ErrMalformed},
		{name: "no colon", data: `{"a" 1}`, err: ErrMalformed},
		{name: "no value", data: `{"a":}`, err: ErrMalformed},
		{name: "no value at the end", data: `{"a":`, err: ErrMalformed},
		{name: "no comma", data: `{"a":1 "b":2}`, err: ErrMalformed},
		{name: "comma at the end", data: `{"a":1,}`, err: ErrMalformed},
		{name: "key is no string", data: `{1:2}`, err: ErrMalformed},
		{name: "no array", data: `{"resourceLogs":{}}`, err: ErrMalformed},
		{name: "array of numbers", data: `{"resourceLogs":[1]}`, err: ErrMalformed},
		{name: "item is no object", data: scope(`["x"]`), err: ErrMalformed},
		{name: "item not closed", data: scope(`[{"a":"`), err: ErrMalformed},
		{name: "comma after the last item", data: scope(`[{},]`), err: ErrMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree, err := cutOf(Logs, test.data, false)
			require.ErrorIs(t, err, test.err)
			if err == nil {
				assert.Equal(t, test.items, contents(tree, 3))
			}
		})
	}
}

func TestSplitFailsForBytesThatPdataDidNotWrite(t *testing.T) {
	m := mustNew(t, Config{Encoding: OTLPProto, TargetSize: 20, MaxSize: 20})
	split := func(data string, items int) error {
		_, err := splitWhole(m, push{signal: Traces, items: items, resources: 1, groups: []group{{}}}, []byte(data))
		return err
	}
	require.EqualError(t, split("\x0a\x7f...", 1), "marshaler: cut traces of 5 bytes: malformed OTLP")
	require.EqualError(t, split("\x0a\x04\x12\x02\x12\x00", 2),
		"marshaler: cut traces: found 1 items of 1 resources, expected 2 of 1")
}
