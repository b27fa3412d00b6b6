// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Bodies lie in memory that is used again. The race detector allocates too, and empties pools at random.
func TestBodyAllocatesNothingOfItsSize(t *testing.T) {
	g := &gateway{memory: newBudget(1 << 30), bodies: new(bodyPool), maxBody: 8 << 20}
	body := make([]byte, 5<<20)
	for encoding, expected := range map[string]int{"": len(body), "gzip": 0, "zstd": 1000} {
		var d decompressors
		data := compressed(t, encoding, body)
		read := func() {
			plain, closePlain, err := d.open(encoding, bytes.NewReader(data))
			require.NoError(t, err)
			l := &lease{budget: g.memory}
			b, err := g.read(t.Context(), plain, expected, l)
			require.NoError(t, err)
			require.Len(t, b.ReadOnlyData(), len(body))
			b.Free()
			l.release()
			closePlain()
		}
		read()
		const runs = 100
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			read()
		}
		runtime.ReadMemStats(&after)
		assert.Less(t, (after.TotalAlloc-before.TotalAlloc)/runs, uint64(len(body)/10), encoding)
	}
	assert.Equal(t, 1<<30, g.memory.unused())
}
