// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHashKeysAreThoseOfTheService(t *testing.T) {
	var records []userRecord
	for n := range 130 {
		r := UserRecord{Stream: testStream, PartitionKey: strings.Repeat("k", n), Data: []byte("data")}
		if n%13 == 1 {
			r.ExplicitHashKey = "7"
		}
		record, err := newUserRecord(&r, 1<<20)
		require.NoError(t, err)
		records = append(records, record)
		for count := range records { // of any number
			some := records[len(records)-1-count:]
			hashKeys(some)
			for i := range some {
				want := hashOf(some[i].partitionKey)
				if some[i].explicit() {
					want = hashKey{low: 7}
				} else if some[i].keyless {
					want = hashKey{}
				}
				require.Equal(t, want, some[i].hash)
			}
		}
	}
}

func BenchmarkHashKeys(b *testing.B) {
	for _, n := range []int{1, 2, 4, 8, 128} {
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			records := make([]userRecord, n)
			for i := range records {
				records[i].partitionKey = fmt.Sprintf("%016x", i)
			}
			b.ReportAllocs()
			for b.Loop() {
				hashKeys(records)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
		})
	}
}
