// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "google.golang.org/protobuf/encoding/protowire"

// The kinds of messages without text inside, beside those of textlayout.go.
const (
	buckets = kinds + iota
	quantile
	valueType
	sample
	mapping
	location
	line
	function
	link
	stack
	wireKinds
)

// content is what a field holds, as far as readers insist on it.
type content uint8

const (
	invalid       content = iota // nothing that readers of OTLP accept, or that this package looks into
	varint                       // a number of 1 to 10 bytes
	fixed64                      // 8 bytes
	fixed32                      // 4 bytes
	anyBytes                     // bytes of any length
	text                         // a string
	inside                       // a message
	id16                         // 16 bytes or none
	id8                          // 8 bytes or none
	packed64                     // numbers of 8 bytes, side by side
	packedVarints                // numbers of 1 to 10 bytes, side by side
)

// spanFlags is the only field of OTLP, beside deprecatedScopes, with a number above 15.
const spanFlags = 16

// usualContent is what a field of each wire type holds, as far as the wire type says. OTLP has no groups.
var usualContent = [8]content{
	protowire.VarintType: varint, protowire.Fixed64Type: fixed64, protowire.BytesType: anyBytes, protowire.Fixed32Type: fixed32,
}

// wireLayout says what lies in the fields of a kind of message.
type wireLayout struct {
	// fields has the content of each field, by its tag, if the tag takes one byte.
	fields [128]content
	// inner has the kinds of the messages in the fields.
	inner [16]kind
}

// numbersOf has the fields of each kind that are neither text nor a message with text, as in the .proto files of OTLP. A test
// compares it, and textLayouts, with these files.
var numbersOf = [wireKinds]map[int]content{
	logRecord: {1: fixed64, 2: varint, 7: varint, 8: fixed32, 9: id16, 10: id8, 11: fixed64},
	span: {
		1: id16, 2: id8, 4: id8, 6: varint, 7: fixed64, 8: fixed64, 10: varint, 12: varint, 14: varint,
	},
	spanEvent:       {1: fixed64, 4: varint},
	spanLink:        {1: id16, 2: id8, 5: varint, 6: fixed32},
	spanStatus:      {3: varint},
	numberData:      {2: varint, 3: varint},
	numberPoint:     {2: fixed64, 3: fixed64, 4: fixed64, 6: fixed64, 8: varint},
	histogramData:   {2: varint},
	exponentialData: {2: varint},
	histogramPoint: {
		2: fixed64, 3: fixed64, 4: fixed64, 5: fixed64, 6: packed64, 7: packed64, 10: varint, 11: fixed64, 12: fixed64,
	},
	exponentialPoint: {
		2: fixed64, 3: fixed64, 4: fixed64, 5: fixed64, 6: varint, 7: fixed64, 8: inside, 9: inside, 10: varint, 12: fixed64,
		13: fixed64, 14: fixed64,
	},
	summaryPoint: {2: fixed64, 3: fixed64, 4: fixed64, 5: fixed64, 6: inside, 8: varint},
	exemplar:     {2: fixed64, 3: fixed64, 4: id8, 5: id16, 6: fixed64},
	resource:     {2: varint},
	scope:        {4: varint},
	keyValue:     {3: varint},
	anyValue:     {valueBool: varint, valueInt: varint, valueDouble: fixed64, valueBytes: anyBytes, 8: varint},
	buckets:      {1: varint, 2: packedVarints},
	quantile:     {1: fixed64, 2: fixed64},
	profile: {
		1: inside, 2: inside, 3: fixed64, 4: varint, 5: inside, 6: varint, 7: id16, 8: varint, 10: anyBytes, 11: packedVarints,
	},
	profilesDictionary: {1: inside, 2: inside, 3: inside, 4: inside, 7: inside},
	keyValueAndUnit:    {1: varint, 3: varint},
	valueType:          {1: varint, 2: varint},
	sample:             {1: varint, 2: packedVarints, 3: varint, 4: packedVarints, 5: packed64},
	mapping:            {1: varint, 2: varint, 3: varint, 4: varint, 5: packedVarints},
	location:           {1: varint, 2: varint, 3: inside, 4: packedVarints},
	line:               {1: varint, 2: varint, 3: varint},
	function:           {1: varint, 2: varint, 3: varint, 4: varint},
	link:               {1: id16, 2: id8},
	stack:              {1: packedVarints},
}

// withoutText has the messages in the fields of each kind that have no text inside.
var withoutText = map[kind]map[int]kind{
	exponentialPoint:   {8: buckets, 9: buckets},
	summaryPoint:       {6: quantile},
	profile:            {1: valueType, 2: sample, 5: valueType},
	profilesDictionary: {1: mapping, 2: location, 3: function, 4: link, 7: stack},
	location:           {3: line},
}

// wireLayouts has the layout of each kind.
var wireLayouts = func() (layouts [wireKinds]wireLayout) {
	for k := range layouts {
		l := &layouts[k]
		if k < int(kinds) {
			l.inner = textLayouts[k].inner
		}
		for number, inner := range withoutText[kind(k)] {
			l.inner[number] = inner
		}
		for tag := 1 << 3; tag < len(l.fields); tag++ {
			l.fields[tag] = l.contentOf(kind(k), tag>>3, protowire.Type(tag&7))
		}
	}
	return layouts
}()

// contentOf returns what a field of the kind holds if it has this number and wire type.
func (l *wireLayout) contentOf(k kind, number int, wire protowire.Type) content {
	known, ok := numbersOf[k][number]
	switch {
	case k < kinds && textLayouts[k].text&fields(number) != 0:
		known, ok = text, true
	case l.inner[number] != opaque:
		known, ok = inside, true
	}
	usual := usualContent[wire]
	switch {
	case !ok:
		return usual
	case known == packed64 && usual == fixed64, known == packedVarints && usual == varint:
		return usual // one of the numbers by itself
	case known >= anyBytes && usual == anyBytes, known == usual:
		return known
	}
	return invalid
}
