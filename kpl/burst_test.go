// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// liveHeap is how many bytes are in use. Pools are empty after two collections.
func liveHeap() int {
	for range 3 {
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// Many records that end at the same time need long lists of endings. Afterwards that memory is free.
func TestMemoryOfABurstIsGivenBack(t *testing.T) {
	const records = 30_000
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(4)
		p := startProducer(t, k, func(c *Config) { c.MaxOutstandingRecords = 200_000 })
		holdBack(p)
		warmUp(t, p, k)
		stop := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeThrottled, 1)))
		before := liveHeap()
		var expired atomic.Int64
		for i := range records {
			r := UserRecord{Stream: testStream, PartitionKey: fmt.Sprint("key", i), Data: []byte("data")}
			require.NoError(t, p.Put(t.Context(), r, func(result Result) {
				if failure, ok := errors.AsType[*RecordError](result.Err); ok && failure.Outcome == OutcomeExpired {
					expired.Add(1)
				}
			}))
		}
		full := liveHeap() - before
		advance(31 * time.Second) // the default TTL, and a second
		assert.Equal(t, int64(records), expired.Load())
		stop()
		// Buffers that the burst needed are kept for a number of requests.
		for range 2 * freePeriod {
			_, err := p.PutWait(t.Context(), UserRecord{Stream: testStream, Data: []byte("data")})
			require.NoError(t, err)
		}
		left := liveHeap() - before
		assert.Less(t, left, 4<<20, "of %d bytes: what the workers of a few requests need", full)
	})
}
