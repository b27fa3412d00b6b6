// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// selection is the part of a dictionary that one message needs. The entries keep their order, and move together. So no place
// gets larger, and nothing that refers to one takes more bytes than before.
//
// The first entry of each table stays where it is: by convention it means "not set". A reference to a place that the table does
// not have becomes a reference to the first entry.
type selection struct {
	dictionary dictionary
	// places has the new place of each entry, by table. It is absent if the entry is not selected, and any other number before
	// number sets it.
	places [tables][]int32
	// chosen are the entries that are selected, in the order in which they were selected.
	chosen []entry
	// size is how many bytes the selected entries take at most.
	size int
}

// entry is an entry of a table. Entries are in the order of tables, and within a table in that of places.
type entry uint64

func entryOf(t table, place uint64) entry { return entry(t)<<56 | entry(place) }

func (e entry) table() table { return table(e >> 56) }
func (e entry) place() int   { return int(e & (1<<56 - 1)) }

// absent is the new place of an entry that is not selected.
const absent = -1

// read takes in the dictionary of a request, and selects the first entry of each table. It returns false for malformed data.
func (s *selection) read(data []byte) bool {
	if !s.dictionary.read(data) {
		return false
	}
	for t := range s.places {
		entries := len(s.dictionary.entries[t])
		s.places[t] = slices.Grow(s.places[t][:0], entries)[:entries]
		for place := range s.places[t] {
			s.places[t][place] = absent
		}
	}
	s.chosen, s.size = s.chosen[:0], 0
	s.reset()
	return true
}

// forget drops the reference to the request.
func (s *selection) forget() { s.dictionary.data = nil }

// reset selects nothing but the first entry of each table, with what it refers to.
func (s *selection) reset() {
	s.undo(0)
	for t := table(1); t < tables; t++ {
		s.choose(t, 0)
	}
}

// choose selects an entry and all that it refers to.
func (s *selection) choose(t table, place uint64) {
	if !s.dictionary.hasPlace(t, place) || s.places[t][place] != absent {
		return
	}
	e := s.dictionary.entries[t][place]
	s.places[t][place] = 0
	s.chosen = append(s.chosen, entryOf(t, place))
	s.size += e.len()
	if refers[t.entryKind()] {
		s.chooseFor(s.dictionary.data[e.start:e.end], profilesDictionary)
	}
}

// chooseFor selects all that a message of the kind refers to.
func (s *selection) chooseFor(data []byte, k kind) {
	for pos := 0; pos < len(data); {
		f, ok := readField(data, pos)
		if !ok {
			return // never: the data was cut before
		}
		pos = f.end
		t := k.reference(f)
		switch {
		case t != noTable && f.isBytes():
			for at := f.start; at >= 0 && at < f.end; {
				var place uint64
				place, at = readUvarint(data, at)
				s.choose(t, place)
			}
		case t != noTable:
			place, _ := readUvarint(data, f.start)
			s.choose(t, place)
		default:
			if inner := k.innerReferring(f); inner != opaque {
				s.chooseFor(data[f.start:f.end], inner)
			}
		}
	}
}

// undo takes back what was selected after the first n entries.
func (s *selection) undo(n int) {
	for _, e := range s.chosen[n:] {
		s.places[e.table()][e.place()] = absent
		s.size -= s.dictionary.entries[e.table()][e.place()].len()
	}
	s.chosen = s.chosen[:n]
}

// number gives the selected entries their new places, and puts them in order.
func (s *selection) number() {
	slices.Sort(s.chosen)
	var next [tables]int32
	for _, e := range s.chosen {
		s.places[e.table()][e.place()] = next[e.table()]
		next[e.table()]++
	}
}

// placeOf returns the new place of a place in a table.
func (s *selection) placeOf(t table, place uint64) uint64 {
	if !s.dictionary.hasPlace(t, place) {
		return 0
	}
	return uint64(max(s.places[t][place], 0))
}

// appendDictionary appends the selected entries as the dictionary of a request. It must be called after number.
func (s *selection) appendDictionary(dst []byte) []byte {
	dst = protowire.AppendTag(dst, dictionaryField, protowire.BytesType)
	length := len(dst)
	dst = protowire.AppendVarint(dst, unsigned(s.size))
	start := len(dst)
	for _, e := range s.chosen {
		field := s.dictionary.entries[e.table()][e.place()]
		dst = s.append(dst, s.dictionary.data[field.start:field.end], profilesDictionary)
	}
	return withLength(dst, length, start, s.size)
}

// append appends a message of the kind, which refers to the new places.
func (s *selection) append(dst, data []byte, k kind) []byte {
	same := 0 // from here on, data is appended as it is
	for pos := 0; pos < len(data); {
		f, ok := readField(data, pos)
		if !ok {
			break // never: the data was cut before
		}
		whole := pos
		pos = f.end
		t, inner := k.reference(f), k.innerReferring(f)
		if t == noTable && inner == opaque {
			continue
		}
		dst = append(dst, data[same:whole]...)
		same = pos
		dst = protowire.AppendTag(dst, protowire.Number(f.number), f.kind) //nolint:gosec // at most 15
		switch content := data[f.start:f.end]; {
		case t != noTable && !f.isBytes():
			place, _ := readUvarint(content, 0)
			dst = protowire.AppendVarint(dst, s.placeOf(t, place))
		default:
			length := len(dst)
			dst = protowire.AppendVarint(dst, unsigned(len(content)))
			start := len(dst)
			if t != noTable {
				dst = s.appendPlaces(dst, content, t)
			} else {
				dst = s.append(dst, content, inner)
			}
			dst = withLength(dst, length, start, len(content))
		}
	}
	return append(dst, data[same:]...)
}

// appendPlaces appends the new places of a list of places.
func (s *selection) appendPlaces(dst, list []byte, t table) []byte {
	for pos := 0; pos >= 0 && pos < len(list); {
		var place uint64
		place, pos = readUvarint(list, pos)
		dst = protowire.AppendVarint(dst, s.placeOf(t, place))
	}
	return dst
}

// withLength corrects the length in front of a message that was appended. The length stands at length, and says that the message,
// which begins at start, has as many bytes as said.
func withLength(dst []byte, length, start, said int) []byte {
	n := len(dst) - start
	if n == said {
		return dst
	}
	var correct [10]byte
	return slices.Replace(dst, length, start, protowire.AppendVarint(correct[:0], unsigned(n))...)
}
