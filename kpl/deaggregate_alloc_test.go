// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package kpl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDeaggregateAllocations(t *testing.T) {
	shared := [][]byte{bytesField(1, "key")}
	for range 1000 {
		shared = append(shared, record(varintField(1, 0), bytesField(3, "some data")))
	}
	claims := framed(bytesField(1, "key"), []byte{3<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0x7f}) // 32 GiB, it says
	plain := []byte(strings.Repeat("x", 1000))

	for name, test := range map[string]struct {
		data      []byte
		wantError error
		want      float64
	}{
		"1,000 members of one key": {framed(shared...), nil, 3},        // the table, its key, the members
		"claims without substance": {claims, ErrMalformedAggregate, 8}, // the table, its key, the error
		"plain record":             {plain, ErrNotAggregated, 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Deaggregate(test.data)
			require.ErrorIs(t, err, test.wantError)
			allocations := testing.AllocsPerRun(20, func() { _, _ = Deaggregate(test.data) })
			assert.LessOrEqual(t, allocations, test.want)
		})
	}
}
