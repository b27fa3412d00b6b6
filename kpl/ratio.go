// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// ratio predicts how many times smaller compression makes the data of a record, from the records before. The zero value predicts
// that it makes nothing smaller.
type ratio struct {
	mean   float64 // of the size before to the size after compression; 0 while nothing is known
	spread float64 // mean deviation from the mean, as a part of it
}

const (
	// minRatio is below 1, because data that cannot be compressed gets a little larger.
	minRatio = .9
	// maxRatio and maxJoinedPlain limit how much a reader gets at a time, and how much is compressed again if a record has to be
	// taken apart. A server of gRPC takes messages of 4 MiB, so a reader may pass the data on as one.
	maxRatio       = 64
	maxJoinedPlain = 4 << 20

	// ratioWeight is the weight of the latest record.
	ratioWeight = .25
	// The margin of a prediction is the mean deviation, but at least minMargin and at most maxMargin of the ratio. A record that
	// is a little too large costs one PUT unit more.
	minMargin = .01
	maxMargin = .2
)

// plain is how many bytes make size bytes after compression, or just under it.
func (r *ratio) plain(size int) int {
	if r.mean == 0 {
		return size
	}
	plain := int(float64(size) * r.mean * (1 - min(max(r.spread, minMargin), maxMargin)))
	return min(plain, max(maxJoinedPlain, size))
}

// compressed is how many bytes so many bytes are after compression, if nothing changes.
func (r *ratio) compressed(plain int) int {
	if r.mean == 0 {
		return plain
	}
	return int(float64(plain) / r.mean)
}

// learn takes in the sizes of a record before and after compression. A record was to have full bytes after it. If it is much
// smaller than that, because it did not wait longer, its data compresses worse. So it counts only if it shows that the mean is
// too low.
func (r *ratio) learn(plain, compressed, full int) {
	if plain == 0 || compressed == 0 {
		return
	}
	found := min(max(float64(plain)/float64(compressed), minRatio), maxRatio)
	if plain < r.plain(full)/2 && found <= max(r.mean, 1) {
		return
	}
	if r.mean == 0 {
		r.mean = found
		return
	}
	off := found/r.mean - 1
	r.mean += ratioWeight * (found - r.mean)
	r.spread += ratioWeight * (max(off, -off) - r.spread)
}
