// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSizeClasses(t *testing.T) {
	for _, tt := range []struct{ size, capacity int }{
		{0, 256}, {1, 256}, {256, 256}, {257, 288}, {288, 288}, {289, 320}, {512, 512}, {51_184, 53_248}, {maxKept, maxKept},
	} {
		_, capacity := sizeClass(tt.size)
		assert.Equal(t, tt.capacity, capacity, tt.size)
	}
	var p buffers
	last, lastPlace := 0, -1
	for size := 1; size <= maxKept; size += 1 + size/1000 {
		place, capacity := sizeClass(size)
		require.GreaterOrEqual(t, capacity, size)
		if size > minKept {
			require.LessOrEqual(t, 9*(capacity-size), capacity, size)
		}
		if capacity != last {
			require.Greater(t, place, lastPlace, size)
			last, lastPlace = capacity, place
		}
		require.Equal(t, lastPlace, place, "one size, one place")
		require.Less(t, place, len(p.kept))
	}
}

// A buffer is lent to one user at a time. Very large buffers are not kept.
func TestBuffersAreLentOnce(t *testing.T) {
	var p buffers
	first, second := p.get(1000), p.get(1000)
	assert.Len(t, first.data, 1000)
	assert.NotSame(t, &first.data[0], &second.data[0])
	first.release()
	second.release()
	huge := p.get(maxKept + 1)
	assert.Len(t, huge.data, maxKept+1)
	assert.Nil(t, huge.home)
	huge.release()
	(*buffer)(nil).release()
}
