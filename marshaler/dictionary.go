// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

// dictionaryField is the field of a request of profiles that holds the dictionary.
const dictionaryField = 2

// dictionary says where the entries of the tables lie in an encoded request of profiles.
//
// A sample refers to its stack, a stack to its locations, and so on, down to strings, by their places in these tables. So a part
// of a request means nothing without them.
type dictionary struct {
	// data is the encoded request.
	data []byte
	// entries are the fields of the entries, by table.
	entries [tables][]extent
	// size is how many bytes the dictionary has.
	size int
}

// read finds the entries. If the request has several dictionaries, their tables are joined, as every reader of protobuf does it.
// It returns false for malformed data.
func (d *dictionary) read(data []byte) bool {
	d.data, d.size = data, 0
	for i := range d.entries {
		d.entries[i] = d.entries[i][:0]
	}
	return eachField(data, func(f field) bool {
		if f.number != dictionaryField || !f.isBytes() {
			return true
		}
		d.size += f.end - f.start
		return d.readTables(extent{f.start, f.end})
	})
}

// readTables finds the entries in the content of a dictionary.
func (d *dictionary) readTables(content extent) bool {
	for pos := content.start; pos < content.end; {
		f, ok := readField(d.data[:content.end], pos)
		if !ok {
			return false
		}
		if f.number < int(tables) && f.isBytes() {
			d.entries[f.number] = append(d.entries[f.number], extent{pos, f.end})
		}
		pos = f.end
	}
	return true
}

// hasPlace reports whether a table has the place.
func (d *dictionary) hasPlace(t table, place uint64) bool { return place < unsigned(len(d.entries[t])) }

// resolves reports whether the attributes around all items can be read: those that refer to the table of strings name a string
// that is there, and none has two keys. pdata reads no request otherwise.
func (d *dictionary) resolves(t *tree) bool {
	for depth := 1; depth <= 2; depth++ {
		for place := range t.containers[depth] {
			c := t.container(depth, place)
			for _, e := range []extent{c.head, c.tail} {
				if !d.resolvesIn(t.data[e.start:e.end], profileKinds[depth]) {
					return false
				}
			}
		}
	}
	return true
}

// resolvesIn looks into a message of the kind, see resolves.
func (d *dictionary) resolvesIn(data []byte, k kind) bool {
	named, referred := false, false
	ok := eachField(data, func(f field) bool {
		if k == keyValue {
			named = named || f.number == 1 && f.end > f.start
			referred = referred || f.number == 3 && data[f.start] != 0
		}
		if t := k.reference(f); t != noTable {
			place, _ := readUvarint(data, f.start)
			return d.hasPlace(t, place) || place == 0 && k == keyValue
		}
		inner := k.innerReferring(f)
		return inner == opaque || d.resolvesIn(data[f.start:f.end], inner)
	})
	return ok && (!named || !referred)
}
