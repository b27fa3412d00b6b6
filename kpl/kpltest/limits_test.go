// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestShardLimitRecords(t *testing.T) {
	start := time.Unix(0, 0)
	limit := newShardLimit(start)
	admitted := 0
	for limit.admit(start, 1) {
		admitted++
	}
	assert.Equal(t, 1000, admitted, "full at first, with one second's worth")
	assert.False(t, limit.admit(start.Add(time.Millisecond-1), 1))
	assert.True(t, limit.admit(start.Add(time.Millisecond), 1), "1,000 records/s are one each millisecond")
	assert.False(t, limit.admit(start.Add(time.Millisecond), 1))

	later := start.Add(time.Hour)
	admitted = 0
	for limit.admit(later, 1) {
		admitted++
	}
	assert.Equal(t, 1000, admitted, "no more than one second's worth gathers")
}

func TestShardLimitBytes(t *testing.T) {
	start := time.Unix(0, 0)
	limit := newShardLimit(start)
	assert.True(t, limit.admit(start, 1<<20))
	assert.False(t, limit.admit(start, 1))
	assert.False(t, limit.admit(start.Add(500*time.Millisecond-1), 1<<19))
	assert.True(t, limit.admit(start.Add(500*time.Millisecond), 1<<19), "1 MiB/s is half of it in half a second")
}

func TestShardLimitThrottledRecordsTakeNothing(t *testing.T) {
	start := time.Unix(0, 0)
	limit := newShardLimit(start)
	assert.True(t, limit.admit(start, 1<<20-10))
	for range 2000 {
		assert.False(t, limit.admit(start, 11))
	}
	assert.True(t, limit.admit(start, 10), "2,000 throttled records took neither bytes nor records")
}

func TestShardLimitLargeRecord(t *testing.T) {
	start := time.Unix(0, 0)
	limit := newShardLimit(start)
	assert.True(t, limit.admit(start, 3<<20), "a full bucket lets a record through that is larger than it")
	assert.False(t, limit.admit(start.Add(2*time.Second), 1), "which has to be earned back")
	assert.True(t, limit.admit(start.Add(2*time.Second+time.Microsecond), 1))
}
