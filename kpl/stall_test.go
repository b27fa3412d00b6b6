// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// While nothing can be sent, a bucket fills up to the amount of one second and no further. So after the stall no more is sent
// than the shard accepts.
func TestNoBurstAfterAStall(t *testing.T) {
	stalls := map[string]struct {
		fault kpltest.Fault
		code  string
	}{
		"none":          {func(*kpltest.Call) kpltest.Action { return kpltest.Action{} }, ""},
		"access denied": {kpltest.FailCall(kpltest.CodeAccessDenied), kpltest.CodeAccessDenied},
		"calls hanging": {kpltest.Break(kpltest.ConnectionHangs), CodeTimeout},
	}
	for name, stall := range stalls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kpltest.New(kpltest.Config{Seed: 1, ShardLimits: true}, kpltest.Stream{Name: testStream, Shards: 1})
				k.Inject(kpltest.Latency(roundTrip))
				p := startProducer(t, k, func(c *Config) { c.MaxConnections = 4 })
				var got results
				put := func(length time.Duration) { // 900 kB/s
					for began := time.Now(); time.Since(began) < length; advance(100 * time.Millisecond) {
						for range 2 {
							require.NoError(t, p.Put(t.Context(), sized("key", 45_000), got.add))
						}
					}
				}
				put(2 * time.Second)
				endStall := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, stall.fault))
				put(23 * time.Second)
				endStall()
				put(8 * time.Second)
				require.NoError(t, p.FlushWait(t.Context()))

				codes := map[string]int{}
				for _, result := range got.all() {
					for _, attempt := range result.Attempts {
						codes[attempt.Code]++
					}
				}
				assert.Len(t, got.all(), 660)
				assert.Zero(t, codes[kpltest.CodeThrottled])
				assert.Positive(t, codes[stall.code])
			})
		})
	}
}
