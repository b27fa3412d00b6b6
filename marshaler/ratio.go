// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "sync"

// ratio predicts how many times smaller compression makes a message, from the messages before. Any number of goroutines may
// use a ratio at the same time.
type ratio struct {
	mu sync.Mutex
	// found is the average ratio of size before to size after compression. It is guarded by mu.
	found average
}

const (
	firstRatio = 2  // while nothing is known; rather low, because a message can still grow
	minRatio   = .9 // data that cannot be compressed gets a little larger
	maxRatio   = 64 // limits how much memory a message takes before compression

	// The margin of a prediction is the mean deviation, but at least minSpread and at most maxSpread of the ratio.
	minSpread = .01
	maxSpread = .05
)

// plain returns how many bytes to compress so that the result has, in most cases, just under size bytes.
func (r *ratio) plain(size int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	mean := r.found.mean
	if mean == 0 {
		mean = firstRatio
	}
	spread := min(max(r.found.spread, minSpread), maxSpread)
	return min(int(float64(size)*mean*(1-spread)), MaxPlainSize)
}

// learn takes in the sizes of a message before and after compression. The message should be about as large as plain said,
// because small messages compress worse.
func (r *ratio) learn(plain, compressed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found.learn(min(max(float64(plain)/float64(compressed), minRatio), maxRatio))
}
