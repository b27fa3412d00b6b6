package kpl

import (
	"sync"
	"sync/atomic"
)

// waiter is a caller that waits for the Results of its records.
type waiter struct {
	canceled atomic.Bool
	missing  atomic.Int64  // Results that are not there yet
	waiting  *atomic.Int64 // callers of the group that wait
	done     chan struct{}

	mu      sync.Mutex
	results []Result // guarded by mu
}

// deliver takes in the Result of the record with the given index. The caller does not count as waiting from the last
// one on, even if it takes a while to notice.
func (b *waiter) deliver(index int, result Result) {
	b.mu.Lock()
	b.results[index] = result
	b.mu.Unlock()
	if b.missing.Add(-1) == 0 {
		b.waiting.Add(-1)
		close(b.done)
	}
}
