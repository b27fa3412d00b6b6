package kpl

import "sync"

// maxFreeBuffers is how many bytes of buffers wait for use at most: those of a few requests of the default size.
const maxFreeBuffers = 32 << 20

// freeBuffers are the buffers for the aggregated records of a request that no request uses. What came last goes out
// first, so that there are no more of them than requests are sent at a time; and what a burst leaves beyond a size is
// not kept.
type freeBuffers struct {
	mu   sync.Mutex
	free [][]byte // guarded by mu
	size int      // in bytes; guarded by mu
}

// take returns an empty buffer, nil if there is none.
func (f *freeBuffers) take() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := len(f.free) - 1
	if last < 0 {
		return nil
	}
	b := f.free[last]
	f.free[last] = nil
	f.free = f.free[:last]
	f.size -= cap(b)
	return b[:0]
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
