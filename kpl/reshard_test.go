// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// putNumbered puts n records with different keys.
func putNumbered(t *testing.T, p *Producer, from, n int, got *results) {
	t.Helper()
	for i := from; i < from+n; i++ {
		require.NoError(t, p.Put(t.Context(), numbered(fmt.Sprint("key", i), i), got.add))
	}
}

// warmUp makes p know the shards, and returns how many records that stored.
func warmUp(t *testing.T, p *Producer, k *kpltest.Kinesis) int {
	t.Helper()
	require.NoError(t, p.Put(t.Context(), numbered("warm-up", -1), nil))
	require.NoError(t, p.FlushWait(t.Context()))
	advance(2 * time.Second)
	return len(k.Records(testStream))
}

// A reader drops a whole aggregate if one member does not belong to the shard that stores it. So after a split all members are
// sent again, not only those that are misplaced, and only once the new shards are known.
func TestSplitWhileRecordsAreBuffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		told := &misplacements{}
		p := startProducer(t, k, func(c *Config) { c.Observer = told.observer() })
		holdBack(p)
		var got results
		putNumbered(t, p, 0, 100, &got)
		advance(50 * time.Millisecond) // the shards are known by now
		_, _, err := k.SplitShard(testStream, "shardId-000000000000", "")
		require.NoError(t, err)
		require.NoError(t, p.FlushWait(t.Context()))

		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 100}, outcomes(got.all()))
		assert.Len(t, k.DroppedAggregates(testStream), 1, "the aggregate that spans both children")
		seen := readable(t, k)
		assert.Len(t, seen, 100)
		for number, times := range seen {
			assert.Equal(t, 1, times, number)
		}
		for _, result := range got.all() {
			require.Len(t, result.Attempts, 2)
			assert.Equal(t, CodeWrongShard, result.Attempts[0].Code)
			assert.NotEmpty(t, result.Attempts[0].ShardID)
			assert.Equal(t, result.ShardID, result.Attempts[1].ShardID)
		}
		assert.Len(t, k.Calls(kpltest.OpListShards), 2)
		assert.Equal(t, []int{100}, told.userRecords)
	})
}

// A reader whose list of shards is older than the shards does not check which members belong to a shard. It gets the first copy
// and the second one. A reader whose list is fresh gets the second one only.
func TestReaderWithAnOldListSeesBothCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, nil)
		holdBack(p)
		var got results
		putNumbered(t, p, 0, 100, &got)
		advance(50 * time.Millisecond) // the shards are known by now
		listed := time.Now()
		advance(time.Millisecond)
		_, _, err := k.SplitShard(testStream, "shardId-000000000000", "")
		require.NoError(t, err)
		require.NoError(t, p.FlushWait(t.Context()))
		require.Equal(t, map[Outcome]int{OutcomeSuccess: 100}, outcomes(got.all()))

		copies := func(records []kpltest.UserRecord) (counts []int) {
			byKey := map[string]int{}
			for _, r := range records {
				byKey[r.PartitionKey]++
			}
			for key := range 100 {
				counts = append(counts, byKey[fmt.Sprint("key", key)])
			}
			return counts
		}
		once, twice := slices.Repeat([]int{1}, 100), slices.Repeat([]int{2}, 100)
		assert.Equal(t, once, copies(k.UserRecords(testStream)))
		assert.Equal(t, once, copies(k.UserRecordsOldList(testStream, time.Now())))
		assert.Equal(t, twice, copies(k.UserRecordsOldList(testStream, listed)))
	})
}

// misplacements notes how many user records were in each record that readers skip.
type misplacements struct{ userRecords []int }

func (m *misplacements) observer() Observer {
	return Observer{Misplaced: func(e MisplacedEvent) { m.userRecords = append(m.userRecords, e.Entry.UserRecords) }}
}

// An aggregate on another shard than the predicted one is not sent again if all its members belong to that shard.
func TestSplitDoesNotResendWhatCannotBeMisplaced(t *testing.T) {
	for name, key := range map[string]string{"one key": "key", "keyless": ""} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(1)
				p := startProducer(t, k, nil)
				holdBack(p)
				var got results
				for i := range 100 {
					require.NoError(t, p.Put(t.Context(), numbered(key, i), got.add))
				}
				advance(50 * time.Millisecond)
				_, _, err := k.SplitShard(testStream, "shardId-000000000000", "")
				require.NoError(t, err)
				require.NoError(t, p.FlushWait(t.Context()))
				assert.Equal(t, map[Outcome]int{OutcomeSuccess: 100}, outcomes(got.all()))
				assert.Len(t, k.Records(testStream), 1)
				assert.Len(t, readable(t, k), 100)
				advance(2 * time.Second)
				assert.Len(t, k.Calls(kpltest.OpListShards), 2, "it does tell that the map is old")
			})
		})
	}
}

func TestMergeNeedsNoResend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(2)
		p := startProducer(t, k, nil)
		holdBack(p)
		var got results
		putNumbered(t, p, 0, 100, &got)
		advance(50 * time.Millisecond)
		_, err := k.MergeShards(testStream, "shardId-000000000000", "shardId-000000000001")
		require.NoError(t, err)
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 100}, outcomes(got.all()))
		assert.Len(t, k.Records(testStream), 2)
		assert.Empty(t, k.DroppedAggregates(testStream))
	})
}

// When a new map arrives, aggregates that wait in the limiter are taken apart before they are sent.
func TestWaitingAggregatesAreCheckedAgainstANewMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(time.Millisecond)))
		p := startProducer(t, k, nil)
		warmUp(t, p, k)
		var got results
		for i := range 100 { // 5 MB: the limiter lets go about 1 MiB a second
			require.NoError(t, p.Put(t.Context(), sized(fmt.Sprint("key", i%50), 20_000), got.add))
			require.NoError(t, p.Put(t.Context(), sized(fmt.Sprint("key", i%50), 25_000), got.add))
		}
		advance(500 * time.Millisecond)
		_, _, err := k.SplitShard(testStream, "shardId-000000000000", "")
		require.NoError(t, err)
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 200}, outcomes(got.all()))
		assert.LessOrEqual(t, len(k.DroppedAggregates(testStream)), 6, "those sent before the new map was there")
	})
}

func TestListShardsDeniedKeepsAggregating(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(4)
		k.Inject(kpltest.ForOperation(kpltest.OpListShards, kpltest.FailCall(kpltest.CodeAccessDenied)))
		p := startProducer(t, k, nil)
		holdBack(p)
		var got results
		for i := range 1000 {
			require.NoError(t, p.Put(t.Context(), numbered(fmt.Sprint("key", i%10), i), got.add))
			require.NoError(t, p.Put(t.Context(), numbered("", 1000+i), got.add))
		}
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 2000}, outcomes(got.all()))
		assert.Len(t, readable(t, k), 2000)
		assert.Len(t, k.Records(testStream), 11, "one for each key, one for those without")
		advance(10 * time.Minute)
		assert.Less(t, len(k.Calls(kpltest.OpListShards)), 40, "tried again with pauses")
	})
}

// The old map is used until a listing has ended.
func TestOldShardMapServesDuringARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(2)
		p := startProducer(t, k, nil)
		holdBack(p)
		warmUp(t, p, k)
		k.Inject(kpltest.ForOperation(kpltest.OpListShards, kpltest.Latency(3*time.Second)))
		_, _, err := k.SplitShard(testStream, "shardId-000000000000", "")
		require.NoError(t, err)
		var got results
		require.NoError(t, p.Put(t.Context(), numbered("key0", 0), got.add)) // its answer shows that the map is old
		require.NoError(t, p.FlushWait(t.Context()))
		before := len(k.Records(testStream))
		putNumbered(t, p, 1, 200, &got)
		advance(300 * time.Millisecond)
		assert.Len(t, k.Records(testStream)[before:], 2, "still one aggregate for each shard of the old map")
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Len(t, readable(t, k), 202)
	})
}

func TestStreamOfAThousandAndOneShards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1001)
		p := startProducer(t, k, nil)
		holdBack(p)
		var got results
		before := warmUp(t, p, k)
		putNumbered(t, p, 0, 20_000, &got)
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Len(t, readable(t, k), 20_001)
		assert.Len(t, k.Calls(kpltest.OpListShards), 2)
		assert.Len(t, k.Records(testStream)[before:], 1001)
	})
}

// A stream that is deleted and made anew has shards with the same ids and other ranges.
func TestRecreatedStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(2)
		p := startProducer(t, k, nil)
		var got results
		putNumbered(t, p, 0, 100, &got)
		require.NoError(t, p.FlushWait(t.Context()))
		require.NoError(t, k.DeleteStream(testStream))
		var lost results
		putNumbered(t, p, 100, 100, &lost)
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeUnavailable: 100}, outcomes(lost.all()))
		require.NoError(t, k.CreateStream(kpltest.Stream{Name: testStream, Shards: 5}))
		advance(time.Minute)
		var again results
		putNumbered(t, p, 100, 100, &again)
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 100}, outcomes(again.all()))
		assert.Len(t, readable(t, k), 100)
		assert.Empty(t, k.DroppedAggregates(testStream))
	})
}
