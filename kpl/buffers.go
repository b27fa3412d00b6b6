// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"slices"
	"sync"
)

const (
	// maxFreeBuffers is how many bytes of buffers wait for use at most: those of a few requests of the default size.
	maxFreeBuffers = 32 << 20
	// freePeriod is how many requests a period has. At its end the buffers that no request took are let go.
	freePeriod = 256
)

// freeBuffers holds the buffers for aggregated records that no request uses now. A request takes the buffer that came
// back last, so there are never more buffers than requests at a time. After a burst the first buffers of the list stay
// where they are. A buffer that no request took for a whole period is not kept.
type freeBuffers struct {
	mu    sync.Mutex
	free  [][]byte // guarded by mu
	size  int      // in bytes; guarded by mu
	taken int      // requests in this period; guarded by mu
	idle  int      // the fewest that were free in it: the first of the list, which nobody took; guarded by mu
}

// take returns an empty buffer, nil if there is none.
func (f *freeBuffers) take() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.taken == freePeriod {
		f.drop(f.idle)
		f.taken, f.idle = 0, len(f.free)
	}
	f.taken++
	last := len(f.free) - 1
	if last < 0 {
		return nil
	}
	b := f.free[last]
	f.free[last] = nil
	f.free = f.free[:last]
	f.size -= cap(b)
	f.idle = min(f.idle, last)
	return b[:0]
}

// drop leaves the first buffers to the garbage collector.
func (f *freeBuffers) drop(buffers int) {
	for _, b := range f.free[:buffers] {
		f.size -= cap(b)
	}
	f.free = slices.Delete(f.free, 0, buffers)
}

// give keeps the memory of a buffer that nobody uses any more.
func (f *freeBuffers) give(b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if size := cap(b); size > 0 && f.size+size <= maxFreeBuffers {
		f.free = append(f.free, b)
		f.size += size
	}
}
