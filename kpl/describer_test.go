// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// A stream that chooses shards itself ignores keys. Readers that know hash key ranges drop aggregates there. So an aggregate
// must not count as delivered if they drop it. A lone record on another shard than that of its key is not sent again.
func TestStreamThatChoosesShardsItself(t *testing.T) {
	for name, key := range map[string]func(int) string{
		"different keys": func(i int) string { return fmt.Sprint("key", i) },
		"one key":        func(int) string { return "key" },
		"keyless":        func(int) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{
					Name: testStream, Shards: 4, Distribution: types.RecordDistributionStrategyAuto,
				})
				k.Inject(kpltest.Latency(roundTrip))
				p := startProducer(t, k, nil)
				var got results
				for i := range 200 { // the first hundred before the producer knows what stream it is
					require.NoError(t, p.Put(t.Context(), numbered(key(i), i), got.add))
					if i == 99 {
						require.NoError(t, p.FlushWait(t.Context()))
						advance(time.Second)
					}
				}
				before := len(k.Records(testStream))
				require.NoError(t, p.FlushWait(t.Context()))
				assert.Equal(t, map[Outcome]int{OutcomeSuccess: 200}, outcomes(got.all()))
				assert.Len(t, readable(t, k), 200)
				assert.Len(t, k.Records(testStream)[before:], 100, "each by itself, and once")
				advance(time.Minute)
				assert.LessOrEqual(t, len(k.Calls(kpltest.OpListShards)), 2, "once it is known, the places of records do not matter")
			})
		})
	}
}

func TestDescribingIsNotNeeded(t *testing.T) {
	for code, calls := range map[string]int{
		kpltest.CodeAccessDenied:  1,
		kpltest.CodeLimitExceeded: describeTries, kpltest.CodeInternalFailure: describeTries,
	} {
		synctest.Test(t, func(t *testing.T) {
			k := newTestKinesis(2)
			k.Inject(kpltest.ForOperation(kpltest.OpDescribeStreamSummary, kpltest.FailCall(code)))
			p := startProducer(t, k, nil)
			var got results
			putNumbered(t, p, 0, 100, &got)
			require.NoError(t, p.FlushWait(t.Context()))
			assert.Equal(t, map[Outcome]int{OutcomeSuccess: 100}, outcomes(got.all()))
			advance(time.Hour)
			assert.Len(t, k.Calls(kpltest.OpDescribeStreamSummary), calls, "the service takes few of these calls")
		})
	}
}

// If the stream allows only smaller records than the configuration, a larger record fails alone, without a call.
func TestStreamThatTakesSmallerRecordsThanConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, func(c *Config) { c.MaxRecordSize, c.CollectionMaxSize = 5<<20, 10<<20 })
		holdBack(p)
		warmUp(t, p, k)
		calls := len(k.Calls(kpltest.OpPutRecords))
		var got, large results
		putNumbered(t, p, 0, 10, &got)
		require.NoError(t, p.Put(t.Context(), sized("key", 2<<20), large.add))
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 10}, outcomes(got.all()))
		require.Equal(t, map[Outcome]int{OutcomeRejected: 1}, outcomes(large.all()))
		require.ErrorContains(t, large.all()[0].Err, "RecordTooLarge: 2097155 bytes with its partition key, "+
			"the stream's limit is 1048576")
		assert.Len(t, k.Calls(kpltest.OpPutRecords), calls+1)
	})
}

func TestStreamThatTakesLargeRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: testStream, Shards: 1, MaxRecordSize: 10 << 20})
		p := startProducer(t, k, func(c *Config) { c.MaxRecordSize, c.CollectionMaxSize = 10<<20, 10<<20 })
		_, err := p.PutWait(t.Context(), sized("key", 10<<20-3))
		require.NoError(t, err)
	})
}
