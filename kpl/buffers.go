package kpl

import "sync"

// buffers are those of a request that is being sent which are as large as the request.
type buffers struct {
	frames []byte // the aggregated records
	body   []byte
}

func (b *buffers) size() int { return cap(b.frames) + cap(b.body) }

// maxFreeBuffers is how many bytes of buffers wait for use at most: those of a few requests of the default size.
const maxFreeBuffers = 32 << 20

// freeBuffers are the buffers that no request uses. What came last goes out first, so that there are no more of them
// than requests are sent at a time; and what a burst leaves beyond a size is not kept.
type freeBuffers struct {
	mu   sync.Mutex
	free []buffers // guarded by mu
	size int       // in bytes; guarded by mu
}

func (f *freeBuffers) take() buffers {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := len(f.free) - 1
	if last < 0 {
		return buffers{}
	}
	b := f.free[last]
	f.free[last] = buffers{}
	f.free = f.free[:last]
	f.size -= b.size()
	return b
}

func (f *freeBuffers) give(b buffers) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if size := b.size(); f.size+size <= maxFreeBuffers {
		f.free = append(f.free, b)
		f.size += size
	}
}
