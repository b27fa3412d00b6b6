// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// collector gathers the data of the records that a reader hands over.
type collector struct {
	data   []string
	shards []string
	each   func(data string) error // nil if nothing happens
}

func (c *collector) handle(b batch) error {
	for _, r := range b.records {
		c.data = append(c.data, string(r.Data))
		c.shards = append(c.shards, aws.ToString(b.shard.ShardId))
		if c.each != nil {
			if err := c.each(string(r.Data)); err != nil {
				return err
			}
		}
	}
	return nil
}

// gap waits for a second, so that the records were stored before the reader starts.
func gap(t *testing.T) {
	t.Helper()
	pause(t, time.Second)
}

// pause waits.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

func TestReadFromHorizonToTip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 2})
		put(t, k, lowestHashKey+" low 1", highestHashKey+" high 1", lowestHashKey+" low 2")
		gap(t)

		var got collector
		start := time.Now()
		require.NoError(t, newReader(k).read(t.Context(), got.handle))

		assert.ElementsMatch(t, []string{"low 1", "low 2", "high 1"}, got.data)
		assert.Less(t, slices.Index(got.data, "low 1"), slices.Index(got.data, "low 2"))
		assert.Equal(t, pollInterval, time.Since(start), "one call with records, one without on each shard")
		assert.Len(t, k.Calls(kpltest.OpGetRecords), 4)
	})
}

func TestReadParentsBeforeChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
		put(t, k, lowestHashKey+" parent low", highestHashKey+" parent high")
		lower, upper, err := k.SplitShard(stream, "shardId-000000000000", "")
		require.NoError(t, err)
		put(t, k, lowestHashKey+" child low", highestHashKey+" child high")
		merged, err := k.MergeShards(stream, lower, upper)
		require.NoError(t, err)
		put(t, k, lowestHashKey+" grandchild low", highestHashKey+" grandchild high")
		gap(t)

		var got collector
		require.NoError(t, newReader(k).read(t.Context(), got.handle))

		require.Len(t, got.data, 6)
		assert.Equal(t, []string{"parent low", "parent high"}, got.data[:2])
		assert.ElementsMatch(t, []string{"child low", "child high"}, got.data[2:4])
		assert.Equal(t, []string{"grandchild low", "grandchild high"}, got.data[4:])
		assert.Equal(t, []string{merged, merged}, got.shards[4:])
	})
}

func TestFollowFromLatestThroughReshard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
		put(t, k, lowestHashKey+" in a closed shard")
		lower, _, err := k.SplitShard(stream, "shardId-000000000000", "")
		require.NoError(t, err)
		put(t, k, lowestHashKey+" before the start")

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		got := collector{each: func(data string) error {
			switch data {
			case "first":
				_, _, err := k.SplitShard(stream, lower, "")
				put(t, k, lowestHashKey+" second")
				return err
			case "second":
				cancel()
			}
			return nil
		}}
		r := newReader(k)
		r.from, r.follow = start{latest: true}, true
		done := make(chan error)
		go func() { done <- r.read(ctx, got.handle) }()
		synctest.Wait()
		put(t, k, lowestHashKey+" first")

		require.ErrorIs(t, <-done, context.Canceled)
		assert.Equal(t, []string{"first", "second"}, got.data)
		assert.NotEqual(t, lower, got.shards[1], "the second record is in a child of the shard")
	})
}

// There are more shards than a page has, and more than may have a batch in memory at the same time.
func TestReadMoreShardsThanAPageHas(t *testing.T) {
	const shards, perPage = maxBatches + 4, 7
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{MaxShardsPerPage: perPage}, kpltest.Stream{Name: stream, Shards: shards})
		k.Inject(kpltest.ForOperation(kpltest.OpGetRecords, kpltest.Latency(time.Millisecond))) // So calls overlap.
		put(t, k, lowestHashKey+" low", highestHashKey+" high")

		var got collector
		require.NoError(t, newReader(k).read(t.Context(), got.handle))
		assert.ElementsMatch(t, []string{"low", "high"}, got.data)
		assert.Len(t, k.Calls(kpltest.OpListShards), (shards+perPage-1)/perPage)
		assert.Len(t, k.Calls(kpltest.OpGetShardIterator), shards)
		assert.Equal(t, maxBatches, k.MaxConcurrentCalls(kpltest.OpGetRecords))
	})
}

func TestReadKeepsToTheRateOfTheService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
		k.Inject(kpltest.ForOperation(kpltest.OpGetRecords, func(c *kpltest.Call) kpltest.Action {
			if c.Number == 2 {
				return kpltest.Action{Delay: 350 * time.Millisecond} // The next call makes up for it, the one after does not.
			}
			return kpltest.Action{}
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := newReader(k)
		r.follow = true
		start := time.Now()
		require.ErrorIs(t, r.read(ctx, new(collector).handle), context.DeadlineExceeded)

		var starts []time.Duration
		for _, c := range k.Calls(kpltest.OpGetRecords) {
			starts = append(starts, c.Start.Sub(start))
		}
		const ms = time.Millisecond
		assert.Equal(t, []time.Duration{0, 200 * ms, 550 * ms, 750 * ms, 950 * ms}, starts)
	})
}

func TestReadEndsOnAShardThatIsNeverEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
		put(t, k, lowestHashKey+" before")
		gap(t)
		i := 0
		got := collector{each: func(string) error {
			i++
			put(t, k, lowestHashKey+" during "+strconv.Itoa(i))
			return nil
		}}
		require.NoError(t, newReader(k).read(t.Context(), got.handle))
		// The first of these arrives at the moment of the start, the second 200 ms later.
		assert.Equal(t, []string{"before", "during 1", "during 2"}, got.data)
	})
}

func TestReadOutlastsFaults(t *testing.T) {
	isSecond := func(f kpltest.Fault) kpltest.Fault {
		return func(c *kpltest.Call) kpltest.Action {
			if c.Number == 2 {
				return f(c)
			}
			return kpltest.Action{}
		}
	}
	for name, fault := range map[string]kpltest.Fault{
		"throttled": kpltest.Times(5, kpltest.ForOperation(kpltest.OpGetRecords, kpltest.FailCall(kpltest.CodeThrottled))),
		"listing throttled": kpltest.Times(5, kpltest.ForOperation(kpltest.OpListShards,
			kpltest.FailCall(kpltest.CodeLimitExceeded))),
		"internal failure": kpltest.Times(5, kpltest.FailCall(kpltest.CodeInternalFailure)),
		"iterator expired before the first batch": kpltest.Times(1, kpltest.ForOperation(kpltest.OpGetRecords,
			kpltest.FailCall(kpltest.CodeExpiredIterator))),
		"iterator expired after the first batch": kpltest.Times(1, kpltest.ForOperation(kpltest.OpGetRecords,
			isSecond(kpltest.FailCall(kpltest.CodeExpiredIterator)))),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
				put(t, k, lowestHashKey+" 1", lowestHashKey+" 2")
				gap(t)
				k.Inject(fault)
				var got collector
				require.NoError(t, newReader(k).read(t.Context(), got.handle))
				assert.Equal(t, []string{"1", "2"}, got.data)
			})
		})
	}
}

func TestFollowFromLatestMissesNothingWhenItsIteratorExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
		put(t, k, lowestHashKey+" before the start")
		gap(t)
		k.Inject(kpltest.ForOperation(kpltest.OpGetRecords, func(c *kpltest.Call) kpltest.Action {
			if c.Number == 2 {
				return kpltest.Action{Code: kpltest.CodeExpiredIterator}
			}
			return kpltest.Action{}
		}))
		r := newReader(k)
		r.from, r.follow = start{latest: true}, true
		stop := errors.New("stop")
		got := collector{each: func(string) error { return stop }}
		done := make(chan error)
		go func() { done <- r.read(t.Context(), got.handle) }()
		synctest.Wait() // The first poll is done. The second one will fail, and the record must be found nevertheless.
		put(t, k, lowestHashKey+" between")

		require.ErrorIs(t, <-done, stop)
		assert.Equal(t, []string{"between"}, got.data)
	})
}

func TestReadFails(t *testing.T) {
	stop := errors.New("stop")
	for name, test := range map[string]struct {
		fault kpltest.Fault
		each  func(string) error
		want  []string
	}{
		"listing denied": {
			kpltest.ForOperation(kpltest.OpListShards, kpltest.FailCall(kpltest.CodeAccessDenied)), nil,
			[]string{"list the shards of telemetry", "AccessDenied"},
		},
		"reading denied": {
			kpltest.ForOperation(kpltest.OpGetRecords, kpltest.FailCall(kpltest.CodeAccessDenied)), nil,
			[]string{"read shardId-00000000000", "AccessDenied"},
		},
		"iterator denied": {
			kpltest.ForOperation(kpltest.OpGetShardIterator, kpltest.FailCall(kpltest.CodeAccessDenied)), nil,
			[]string{"read shardId-00000000000", "AccessDenied"},
		},
		"consumer": {nil, func(string) error { return stop }, []string{"stop"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 4})
				put(t, k, lowestHashKey+" low", highestHashKey+" high")
				if test.fault != nil {
					k.Inject(test.fault)
				}
				got := collector{each: test.each}
				err := newReader(k).read(t.Context(), got.handle)
				for _, want := range test.want {
					require.ErrorContains(t, err, want)
				}
			})
		})
	}
}

func TestLineage(t *testing.T) {
	shard := func(id string, parents ...string) types.Shard {
		s := types.Shard{ShardId: aws.String(id)}
		for i, parent := range parents {
			if i == 0 {
				s.ParentShardId = aws.String(parent)
			} else {
				s.AdjacentParentShardId = aws.String(parent)
			}
		}
		return s
	}
	ids := func(shards []types.Shard) []string {
		var ids []string
		for _, s := range shards {
			ids = append(ids, *s.ShardId)
		}
		return ids
	}
	l := newLineage()
	first := []types.Shard{shard("d", "b", "c"), shard("a", "trimmed"), shard("b"), shard("c", "a")}
	assert.Equal(t, []string{"a", "b"}, ids(l.ready(first)), "a parent that is not listed is not waited for")
	assert.Empty(t, l.ready(first), "each is started once")

	l.finish("b")
	l.finish("a")
	assert.Equal(t, []string{"c"}, ids(l.ready(first)), "d has another parent")
	assert.Empty(t, l.ready(first[:1]), "a parent that is being read is waited for, listed or not")
	l.finish("c")
	assert.Equal(t, []string{"d"}, ids(l.ready(first)))
}
