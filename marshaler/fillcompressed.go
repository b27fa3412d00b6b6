// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "slices"

// endCompressed compresses the current message. If the message has come out in the right size, it ends.
//
// If it is too large, it ends with fewer items, and the other items are in the current message afterwards. If it is too
// small, it stays open and gets more room, provided that the next item fits into that room.
func (f *filler) endCompressed(next int) {
	size := f.draft.size
	f.compressor.compress(&f.draft)
	compressed := len(f.compressor.compressed)
	if f.growths == 0 && 2*size > f.room {
		f.compressor.ratio.learn(size, compressed)
	}
	room := compressedRoom(size, compressed, f.aim)
	switch {
	case compressed > f.aim && f.draft.items > 1:
		f.refill(min(room, size-1))
		return
	case next > 0 && compressed < f.aim*wellFilled/8 && size+next <= room && f.growths < maxGrowths:
		f.growths++
		f.room = room
		return
	case compressed+f.keySize <= f.limit:
		f.addCompressed(f.compressor.compressed, len(f.compressor.plain), f.draft.items)
	case size+f.keySize <= f.limit:
		f.addCopy(f.compressor.plain, f.draft.items) // a single item that compression makes larger
	default:
		f.oversize(f.draft.rows[0], compressed)
	}
	f.start()
}

// refill puts the rows of the draft into messages again. The first of these messages gets the room that is given.
func (f *filler) refill(room int) {
	rows, aim := slices.Clone(f.draft.rows), f.aim
	f.start()
	f.aim, f.room, f.ceiling = aim, room, room
	f.growths = maxGrowths // the right room is known, so the message need not grow
	for _, r := range rows {
		f.fill(r)
	}
}

// addCompressed adds a finished message with so many items, whose data is a copy of what plain bytes were compressed to.
func (f *filler) addCompressed(compressed []byte, plain, items int) {
	f.addCopy(compressed, items)
	f.encoded.Messages[len(f.encoded.Messages)-1].buffer.plain = plain
}
