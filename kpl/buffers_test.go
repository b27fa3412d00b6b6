package kpl

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFreeBuffers(t *testing.T) {
	var f freeBuffers
	assert.Equal(t, buffers{}, f.take())

	cold, hot := buffers{frames: make([]byte, 3)}, buffers{body: make([]byte, 5)}
	f.give(cold)
	f.give(hot)
	assert.Equal(t, hot, f.take(), "what came last goes out first")
	assert.Equal(t, cold, f.take())
	assert.Equal(t, buffers{}, f.take())
	assert.Zero(t, f.size)
}

func TestFreeBuffersAreBounded(t *testing.T) {
	var f freeBuffers
	large := buffers{frames: make([]byte, maxFreeBuffers/8), body: make([]byte, maxFreeBuffers/8)}
	for range 10 {
		f.give(large)
	}
	assert.Len(t, f.free, 4)
	assert.Equal(t, maxFreeBuffers, f.size)

	f.give(buffers{}) // that of a worker that had none to give
	f.take()
	f.take()
	assert.Equal(t, maxFreeBuffers/4*3, f.size)
	f.give(large)
	assert.Equal(t, maxFreeBuffers, f.size)
}
