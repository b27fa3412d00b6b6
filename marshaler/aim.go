// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

// smallParts is how many messages fill a record if they are small enough to fill it well. The messages of many keys come to one
// shard. Two messages of half a record do not fit together, and what does not fit goes into the next record. Smaller messages
// waste less of records, but repeat resources more often.
//
// A message is not cut to less than smallestPart. Smaller ones waste less of a record, but more for the resources.
const (
	smallParts   = 8
	smallestPart = 4 << 10
)

// goal returns the size that the next message should have with its key. A group fills messages up to the target. What is left
// then, or all of a small group, shares records with other groups, so it is cut smaller.
func (f *filler) goal() int {
	if f.several && f.left < f.target {
		return min(f.target, max(f.target/smallParts, f.smallestPart))
	}
	return f.target
}

// aimFor sets the size of the current message. The parameter around is how many bytes its first item has around it.
//
// These bytes are repeated in every message. If they take more than half of the target, the message gets several targets,
// until they take less than half or the limit is reached. Otherwise a large resource with many small items would come to
// many times its size.
func (f *filler) aimFor(around int) {
	goal := f.goal()
	full := f.compressor.roomFor(goal)
	goals := (2*around + full - 1) / full
	f.aim = max(goal, min(goals*goal, f.limit)) - f.keySize
	f.room = min(f.compressor.roomFor(f.aim), f.ceiling)
}
