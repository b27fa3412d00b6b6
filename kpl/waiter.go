// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"sync"
	"sync/atomic"
)

// waiter is a caller that waits for the Results of its records.
type waiter struct {
	canceled atomic.Bool
	missing  atomic.Int64 // Results that are not there yet
	done     chan struct{}
	each     func(index int, result Result) // called for each accepted record; may be nil

	mu      sync.Mutex
	results []Result // guarded by mu
}

// reserve returns the index of one more Result.
func (w *waiter) reserve() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.results = append(w.results, Result{})
	return len(w.results) - 1
}

// set takes in the Result with an index.
func (w *waiter) set(index int, result Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.results[index] = result
}

// deliver takes in the Result of an accepted record.
func (w *waiter) deliver(index int, result Result) {
	w.set(index, result)
	if w.each != nil {
		w.each(index, result)
	}
	if w.missing.Add(-1) == 0 {
		close(w.done)
	}
}
