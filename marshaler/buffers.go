package marshaler

import (
	"math/bits"
	"sync"
)

// The sizes that buffers keeps: an eighth of a power of two apart, so that at most a ninth of a buffer lies idle. What is
// smaller takes one of the smallest, and what is larger is left to the garbage collector.
const (
	minKept   = 256
	maxKept   = 32 << 20
	steps     = 8 // sizes for each power of two
	minFactor = 9 // sizes are (9 to 16) << exponent
)

// buffers lends buffers, so that a steady flow of requests makes no garbage. Fresh memory costs as much time as all that
// is written into it.
type buffers struct {
	kept [144]sync.Pool // of *buffer, by size class
}

// buffer is lent from get to release.
type buffer struct {
	data []byte     // the part of memory that is used
	all  []byte     // memory
	home *sync.Pool // nil if it is not kept
}

// get lends a buffer whose data has the size; what is in it is left from before.
func (p *buffers) get(size int) *buffer {
	if size > maxKept {
		return &buffer{data: make([]byte, size)}
	}
	place, capacity := sizeClass(size)
	home := &p.kept[place]
	b, _ := home.Get().(*buffer)
	if b == nil {
		b = &buffer{all: make([]byte, capacity), home: home}
	}
	b.data = b.all[:size]
	return b
}

// release ends the lending. Nobody may touch the data from then on.
func (b *buffer) release() {
	if b == nil || b.home == nil {
		return
	}
	b.data = nil
	poison(b.all)
	b.home.Put(b)
}

// sizeClass returns the place of the smallest size that is kept and no less than the given one, and that size.
func sizeClass(size int) (place, capacity int) {
	last := max(size, minKept) - 1
	exponent := bits.Len(uint(last)) - 4
	factor := last>>exponent + 1
	smallest := bits.Len(minKept-1) - 4
	return (exponent-smallest)*steps + factor - minFactor, factor << exponent
}
