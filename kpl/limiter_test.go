// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/pace"
)

// Whatever share a lane uses, it never sends more than a shard's own buckets let through.
func TestLimiterNeverExceedsTheCeiling(t *testing.T) {
	for _, waste := range []float64{0, 0.01, 0.2, 0.9} {
		config := Config{}.WithDefaults()
		config.RecordTTL = 1000 * time.Hour
		random := testRandom()
		l := newLimiter(&config, random)
		lane, now := l.lane("a"), at(0)
		records, bytes := meter{perSecond: shardRecordsPerSecond}, meter{perSecond: shardBytesPerSecond}
		for range 5_000 {
			l.push(waitingRecord(lane, 1+random.IntN(5_000), now.Sub(at(0))))
		}
		for sent := 0; sent < 5_000; now, _ = l.nextWake() {
			for _, k := range releaseAndSend(l, now) {
				require.False(t, records.readyAt(1).After(now), "%d records", sent)
				require.False(t, bytes.readyAt(k.size()).After(now), "%d records", sent)
				records.take(1, now)
				bytes.take(k.size(), now)
				if random.Float64() < waste {
					l.throttled(k, now, now)
				} else {
					l.stored(k, now)
				}
				sent++
			}
		}
	}
}

// A call that is throttled as a whole says nothing about the shard: the account or KMS has reached a limit. Only the pause
// limits how often it is made.
func TestOnlyTheShardTeachesItsLane(t *testing.T) {
	for _, whole := range []bool{true, false} {
		p := newPipeline(new(Config{}.WithDefaults()), testRandom(), new(memberPool))
		lane := p.limiter.lane("a")
		for range 10 {
			k := waitingRecord(lane, 50_000, 0)
			k.members[0].epoch = p.epochs.first
			p.recordFailed(at(1), &request{records: []*kinesisRecord{k}}, k, fault{class: classThrottle}, whole)
			assert.Equal(t, whole, p.retrier.groups[0].members[0].failures == 1)
		}
		assert.Equal(t, whole, lane.share == 1)
	}
}

// throttleAll throttles records of a lane, one a millisecond.
func throttleAll(l *limiter, lane *lane, n int) {
	for i := range n {
		now := at(time.Duration(i) * time.Millisecond)
		l.throttled(waitingRecord(lane, 50_000, 0), now, now)
	}
}

func TestFixedRateIsFixed(t *testing.T) {
	config := Config{}.WithDefaults()
	config.FixedRate = true
	l := newLimiter(&config, testRandom())
	lane := l.lane("a")
	throttleAll(l, lane, 100)
	assert.EqualValues(t, shardRecordsPerSecond, lane.records.perSecond)
	assert.EqualValues(t, shardBytesPerSecond, lane.bytes.perSecond)
	assert.Equal(t, pace.New(), lane.pace)
	lane.bytes.take(1<<30, at(0))
	l.push(waitingRecord(lane, 10, 0))
	next, _ := l.nextWake()
	assert.Equal(t, at(config.RecordTTL), next, "its rate does not change with time")
}

// The share changes with time and with the age of what waits, so the buckets of a lane in which records wait follow it.
func TestBucketsFollowTheShare(t *testing.T) {
	config := Config{}.WithDefaults()
	l := newLimiter(&config, testRandom())
	lane := l.lane("a")
	lane.pace = cutPace(0.1, at(0))
	lane.bytes.take(100<<20, at(0))
	l.push(waitingRecord(lane, 10, 0))
	before := int64(0)
	for now := at(0); now.Before(at(config.RecordTTL / 2)); now, _ = l.nextWake() {
		ready, expired := l.release(now)
		require.Empty(t, ready)
		require.Empty(t, expired)
		require.InDelta(t, shardRecordsPerSecond*lane.pace.Share(lane.age(now), now), lane.records.perSecond, 1)
		require.Greater(t, lane.records.perSecond, before)
		before = lane.records.perSecond
		next, ok := l.nextWake()
		require.True(t, ok)
		if lane.share < 1 {
			require.Equal(t, now.Add(time.Second), next)
		}
	}
	assert.EqualValues(t, shardRecordsPerSecond, lane.records.perSecond, "the record is late")
}

// A record that was throttled before comes back as the oldest. Its age counts at once.
func TestOldestRecordIsUrgentAtOnce(t *testing.T) {
	config := Config{}.WithDefaults()
	l := newLimiter(&config, testRandom())
	lane, now := l.lane("a"), at(20*time.Second)
	lane.pace = cutPace(0.1, now)
	l.push(waitingRecord(lane, 10, 20*time.Second))
	l.release(now)
	require.Less(t, lane.share, 0.2)
	l.push(waitingRecord(lane, 10, 0))
	l.release(now)
	assert.InDelta(t, 1, lane.share, 0)
}

// A debt that was made at a low rate is paid at a high one.
func TestMeterKeepsItsDebtInUnits(t *testing.T) {
	m := meter{perSecond: 100}
	m.take(1_100, at(0)) // 1,000 more than it holds
	assert.Equal(t, at(11*time.Second), m.fullAt)
	m.setRate(1000, at(0))
	assert.Equal(t, at(2*time.Second), m.fullAt)
	m.setRate(100, at(time.Second/2))
	assert.Equal(t, at(time.Second/2+time.Second+5*time.Second), m.fullAt)
	m = meter{perSecond: 100}
	m.take(50, at(0))
	m.setRate(10, at(0))
	assert.Equal(t, at(time.Second/2), m.fullAt, "what is in the bucket stays the same part of it")
}

// A shard that is new starts with the share of its parent.
func TestNewLanesInherit(t *testing.T) {
	l := newLimiter(new(Config{}.WithDefaults()), testRandom())
	parent := l.childLane("a", nil)
	assert.Equal(t, pace.New(), parent.pace)
	parent.pace = cutPace(0.2, at(0))
	child := l.childLane("b", parent)
	assert.Equal(t, parent.pace, child.pace)
	child.pace = cutPace(0.5, at(0))
	assert.NotEqual(t, parent.pace, l.childLane("b", parent).pace, "once")
}

// If others write to a shard, they write to its children too. So the lanes of the children start with its share.
func TestChildrenInheritTheShareOfTheirShard(t *testing.T) {
	r, l := router{random: testRandom()}, newLimiter(new(Config{}.WithDefaults()), testRandom())
	named := func(ids ...ShardID) *shardMap {
		shards := evenShards(len(ids))
		for i, id := range ids {
			shards[i].id = id
		}
		return newShardMap(shards, nil, at(0))
	}
	r.setShards(named("a", "b"), l)
	low, high := cutPace(0.1, at(0)), cutPace(0.9, at(0))
	l.lane("a").pace, l.lane("b").pace = low, high
	r.setShards(named("c", "d", "e", "f"), l)
	for id, want := range map[ShardID]pace.Pace{"c": low, "d": low, "e": high, "f": high} {
		assert.Equal(t, want, l.lane(id).pace, id)
	}
}
