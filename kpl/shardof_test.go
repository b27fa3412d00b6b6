// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// ShardOf says where records with a key are stored, and follows reshards.
func TestShardOfSaysWhereRecordsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(3)
		p := startProducer(t, k, nil)
		agrees := func(shards int) {
			t.Helper()
			for i := range 20 {
				record := sized(fmt.Sprint("key", i), 10)
				if i%2 == 0 {
					record.ExplicitHashKey = hashOf(fmt.Sprint("other", i)).String()
				}
				shard, open, ok := p.ShardOf(testStream, record.PartitionKey, record.ExplicitHashKey)
				result, err := p.PutWait(t.Context(), record)
				require.NoError(t, err)
				assert.True(t, ok)
				assert.Equal(t, shards, open)
				assert.Equal(t, result.ShardID, shard)
			}
		}
		_, open, ok := p.ShardOf(testStream, "key", "")
		assert.False(t, ok, "the producer has never heard of the stream")
		assert.Zero(t, open)
		assert.Empty(t, k.Calls(""), "and does not ask")
		_, err := p.PutWait(t.Context(), sized("key", 1))
		require.NoError(t, err)
		agrees(3)
		_, _, err = k.SplitShard(testStream, "shardId-000000000001", "")
		require.NoError(t, err)
		for i := range 20 { // somebody has to notice
			_, err = p.PutWait(t.Context(), sized(fmt.Sprint("key", i), 1))
			require.NoError(t, err)
		}
		advance(2 * time.Second)
		agrees(4)

		for keys, why := range map[[2]string]string{
			{"", ""}: "no key", {"key", "-1"}: "no hash key", {"", "1"}: "a hash key without a key",
		} {
			_, open, ok = p.ShardOf(testStream, keys[0], keys[1])
			assert.False(t, ok, why)
			assert.Equal(t, 4, open, why)
		}
		advance(StreamIdleTime + time.Second)
		_, _, ok = p.ShardOf(testStream, "key", "")
		assert.False(t, ok, "the stream is forgotten")
	})
}

// Where the shards may not be listed, or the service chooses them, keys say nothing.
func TestShardOfKnowsNothing(t *testing.T) {
	for name, prepare := range map[string]func(*kpltest.Kinesis){
		"not listed": func(k *kpltest.Kinesis) {
			k.Inject(kpltest.ForOperation(kpltest.OpListShards, kpltest.FailCall(kpltest.CodeAccessDenied)))
		},
		"automatic": func(k *kpltest.Kinesis) { require.NoError(t, k.SetDistribution(testStream, automatic)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(3)
				prepare(k)
				p := startProducer(t, k, nil)
				_, err := p.PutWait(t.Context(), sized("key", 1))
				require.NoError(t, err)
				synctest.Wait()
				_, open, ok := p.ShardOf(testStream, "key", "")
				assert.False(t, ok)
				assert.Zero(t, open)
			})
		})
	}
}

func BenchmarkShardOf(b *testing.B) {
	for _, shards := range []int{1, 1024} {
		b.Run(fmt.Sprintf("shards=%d", shards), func(b *testing.B) {
			p, err := New(newSink(shards), benchmarkConfig())
			require.NoError(b, err)
			ctx := context.Background()
			_, err = p.PutWait(ctx, sized("warm up", 1))
			require.NoError(b, err)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, _, ok := p.ShardOf(testStream, "partition-key-7", ""); !ok {
						b.Error("not known")
					}
				}
			})
			require.NoError(b, p.Close(ctx))
		})
	}
}
