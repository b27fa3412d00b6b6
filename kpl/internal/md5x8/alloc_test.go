// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package md5x8_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/md5x8"
)

func TestHashingAllocatesNothing(t *testing.T) {
	messages, sums := make([][]byte, 20), make([][md5x8.Size]byte, 0, 20)
	for i := range messages {
		messages[i] = make([]byte, 10*i)
	}
	var h md5x8.Hasher
	assert.Zero(t, testing.AllocsPerRun(10, func() { sums = h.Sums(sums[:0], messages) }))
	var s md5x8.Short
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		for range md5x8.Width {
			s.Add("key")
		}
		s.Sums()
	}))
}
