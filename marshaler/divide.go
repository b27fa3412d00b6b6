// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "sort"

// Divide divides a message between its items into messages of at most so many items each, in order. It must be a message of the
// signal that this Marshaler has made. A number of items below 1 means 1. A metric whose data points come into several messages
// is in each of them.
//
// The parts have the key, the stream, the encoding and the compression of the message. They have memory of their own: the caller
// releases them, and the message, which stays as it is. It fails only for data that was changed.
func (m *Marshaler) Divide(signal Signal, message *Message, items int) ([]Message, error) {
	if m.foreign != nil {
		return m.foreign.divide(signal, message, max(items, 1))
	}
	if signal == Profiles {
		return m.divideProfiles(message, max(items, 1))
	}
	plain, err := m.decompressor.plain(message.Data)
	if err != nil {
		return nil, err
	}
	f := m.fillers[signal].Get().(*filler)
	defer m.fillers[signal].Put(f)
	defer f.forget()
	if err := f.cut(plain, 1, message.Items); err != nil {
		return nil, err
	}
	items = max(items, 1)
	f.encoded.Messages = make([]Message, 0, (message.Items+items-1)/items)
	f.to = destinationOf(message)
	f.draft.drop()
	compressed := compressionOf(message.Data) != NoCompression
	f.divide(f.tree.resources(), items, compressed)
	f.endPart(compressed)
	return f.encoded.Messages, nil
}

// divide puts the row into messages of at most so many items.
func (f *filler) divide(r row, items int, compressed bool) {
	f.draft.enter(r)
	for r.first < r.last {
		part := r
		part.last = r.first + f.tree.leading(r, items-f.draft.items)
		switch {
		case part.last > r.first:
			f.draft.take(part)
		case r.depth == f.tree.itemDepth():
			f.endPart(compressed)
			f.draft.enter(r)
		default:
			part.last = r.first + 1
			f.divide(f.tree.children(r.depth, r.first), items, compressed)
			f.draft.enter(r)
		}
		r.first = part.last
	}
}

// endPart ends the current message, unless it has no items.
func (f *filler) endPart(compressed bool) {
	switch {
	case f.draft.items == 0:
	case compressed && f.compressor.active():
		f.compressor.compress(&f.draft)
		f.addCompressed(f.compressor.compressed, len(f.compressor.plain), f.draft.items)
	default:
		b := f.buffers.get(f.draft.size)
		f.draft.assemble(b.data)
		f.add(b, f.draft.items)
	}
	f.draft.drop()
}

// leading returns how many siblings of the row, from the first one on, have at most so many items.
func (t *tree) leading(r row, items int) int {
	return sort.Search(r.last-r.first, func(n int) bool {
		return t.items(row{r.depth, r.parent, r.first, r.first + n + 1}) > items
	})
}
