// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

// table is a table of the dictionary of profiles. Its number is its field in the dictionary.
type table uint8

// The tables.
const (
	noTable table = iota
	mappingTable
	locationTable
	functionTable
	linkTable
	stringTable
	attributeTable
	stackTable
	tables
)

// references says which fields are places in a table: for each kind of message, the table of each field. A test compares it
// with the names in the .proto files of OTLP.
var references = [wireKinds][16]table{
	profile:         {11: attributeTable},
	valueType:       {1: stringTable, 2: stringTable},
	sample:          {1: stackTable, 2: attributeTable, 3: linkTable},
	mapping:         {4: stringTable, 5: attributeTable},
	location:        {1: mappingTable, 4: attributeTable},
	line:            {1: functionTable},
	function:        {1: stringTable, 2: stringTable, 3: stringTable},
	stack:           {1: locationTable},
	keyValueAndUnit: {1: stringTable, 3: stringTable},
	keyValue:        {3: stringTable},
	anyValue:        {8: stringTable},
}

// refers has the kinds of messages that refer to tables, in themselves or in the messages inside.
var refers = func() (found [wireKinds]bool) {
	for changed := true; changed; {
		changed = false
		for k := range found {
			for number := range references[k] {
				inner := wireLayouts[k].inner[number]
				if !found[k] && (references[k][number] != noTable || found[inner]) {
					found[k], changed = true, true
				}
			}
		}
	}
	return found
}()

// entryKind returns the kind of the entries of the table, or opaque for strings.
func (t table) entryKind() kind { return wireLayouts[profilesDictionary].inner[t] }

// reference returns the table that the field of a message of the kind refers to, or noTable.
func (k kind) reference(f field) table {
	if f.number >= len(references[k]) {
		return noTable
	}
	return references[k][f.number]
}

// innerReferring returns the kind of the message in the field if it refers to tables, or opaque.
func (k kind) innerReferring(f field) kind {
	if f.number >= len(references[k]) || !f.isBytes() {
		return opaque
	}
	if inner := wireLayouts[k].inner[f.number]; refers[inner] {
		return inner
	}
	return opaque
}
