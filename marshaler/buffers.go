// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"math/bits"
	"sync"
)

// The sizes of the buffers that are kept. There are eight sizes for each power of two, so at most a ninth of a buffer is not
// used. Larger buffers are left to the garbage collector.
const (
	minKept   = 256
	maxKept   = 32 << 20
	steps     = 8 // for each power of two
	minFactor = 9 // sizes are (9 to 16) << exponent
)

// buffers lends memory, so that a steady flow of pushes makes no garbage. To clear fresh memory would cost as much time as to
// write the messages into it.
type buffers struct {
	// kept has the idle buffers, a pool of *buffer for each size.
	kept [144]sync.Pool
}

// buffer is memory that is lent from get to release.
type buffer struct {
	// data is the part of the memory that is used.
	data []byte
	// plain is how many bytes the data has before compression; 0 if it is not compressed.
	plain int
	// all is the whole memory, which is lent again.
	all []byte
	// home is the pool that release puts the buffer into. Nil means that the buffer is not kept.
	home *sync.Pool
}

// get lends a buffer whose data has size bytes. The data still holds what was written before.
func (p *buffers) get(size int) *buffer {
	if size > maxKept {
		all := make([]byte, size)
		return &buffer{data: all, all: all}
	}
	place, capacity := sizeClass(size)
	home := &p.kept[place]
	b, _ := home.Get().(*buffer)
	if b == nil {
		b = &buffer{all: make([]byte, capacity), home: home}
	}
	b.data, b.plain = b.all[:size], 0
	return b
}

// fit returns a buffer with the same data and no more memory than get lends for it. That is the buffer itself if its memory is
// not larger. Otherwise it is a copy, and the buffer is released.
func (p *buffers) fit(b *buffer) *buffer {
	if _, capacity := sizeClass(len(b.data)); b.memory() <= capacity {
		return b
	}
	fitting := p.get(len(b.data))
	copy(fitting.data, b.data)
	b.release()
	return fitting
}

// memory returns how many bytes the buffer holds.
func (b *buffer) memory() int { return max(len(b.all), cap(b.data)) }

// skip takes the first n bytes out of the data.
func (b *buffer) skip(n int) { b.data = b.data[n:] }

// release gives the buffer back. Nobody may read or write the data afterwards. A nil buffer is allowed.
func (b *buffer) release() {
	if b == nil || b.home == nil {
		return
	}
	poison(b)
	b.data = nil
	b.home.Put(b)
}

// sizeClass returns the smallest of the sizes that are kept with room for size bytes, and the place of its pool.
func sizeClass(size int) (place, capacity int) {
	last := max(size, minKept) - 1
	exponent := bits.Len(uint(last)) - 4
	factor := last>>exponent + 1
	smallest := bits.Len(minKept-1) - 4
	return (exponent-smallest)*steps + factor - minFactor, factor << exponent
}
