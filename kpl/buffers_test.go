// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

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
	f.give(nil) // a worker without aggregates has no buffer
	assert.Len(t, f.free, 3)
	f.give(make([]byte, maxFreeBuffers/4+1))
	assert.Equal(t, maxFreeBuffers/4*3, f.size)
}

// Buffers that only a burst needed are let go after a period in which the other buffers were enough.
func TestFreeBuffersForgetBursts(t *testing.T) {
	var f freeBuffers
	for range 5 {
		f.give(make([]byte, 10))
	}
	use := func(requests, atATime int) {
		for range requests / atATime {
			var taken [][]byte
			for range atATime {
				taken = append(taken, f.take())
			}
			for _, b := range taken {
				f.give(b)
			}
		}
	}
	use(freePeriod, 4) // at its beginning nobody knows how many buffers it needs
	use(freePeriod, 4)
	assert.Len(t, f.free, 5, "a period is not over before the next begins")
	use(freePeriod, 2)
	assert.Len(t, f.free, 4, "one was never taken")
	assert.Equal(t, 40, f.size)
	use(freePeriod, 2)
	assert.Len(t, f.free, 2)
	use(5*freePeriod, 2)
	assert.Len(t, f.free, 2, "what is in use stays")
	assert.Equal(t, 20, f.size)
}
