package kpl

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFreeBuffers(t *testing.T) {
	var f freeBuffers
	assert.Nil(t, f.take())

	f.give(make([]byte, 2, 3))
	f.give(make([]byte, 5))
	b := f.take()
	assert.Empty(t, b)
	assert.Equal(t, 5, cap(b), "what came last goes out first")
	assert.Equal(t, 3, cap(f.take()))
	assert.Nil(t, f.take())
	assert.Zero(t, f.size)
}

func TestFreeBuffersAreBounded(t *testing.T) {
	var f freeBuffers
	for range 10 {
		f.give(make([]byte, maxFreeBuffers/4))
	}
	assert.Len(t, f.free, 4)
	assert.Equal(t, maxFreeBuffers, f.size)

	f.take()
	f.give(nil) // that of a worker that had no aggregates
	assert.Len(t, f.free, 3)
	f.give(make([]byte, maxFreeBuffers/4+1))
	assert.Equal(t, maxFreeBuffers/4*3, f.size)
}
