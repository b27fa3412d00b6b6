package kpl

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/pace"
)

// Whatever a lane learns, it never sends more than a shard's own buckets let through.
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

// A call that is throttled as a whole says nothing about the shard: the account or KMS has reached a limit.
func TestOnlyTheShardTeachesItsLane(t *testing.T) {
	cut := pace.New(1)
	require.True(t, cut.Throttled(at(1), at(1)))
	for whole, share := range map[bool]float64{true: 1, false: cut.Share()} {
		p := newPipeline(new(Config{}.WithDefaults()), testRandom(), new(memberPool))
		lane := p.limiter.lane("a")
		k := waitingRecord(lane, 100, 0)
		k.members[0].epoch = p.epochs.first
		p.recordFailed(at(1), &request{records: []*kinesisRecord{k}}, k, fault{class: classThrottle}, whole)
		assert.InDelta(t, share, lane.pace.Share(), 1e-12)
	}
}

func TestFixedRateLearnsNothing(t *testing.T) {
	config := Config{}.WithDefaults()
	config.FixedRate = true
	l := newLimiter(&config, testRandom())
	lane := l.lane("a")
	for i := range 100 {
		l.throttled(waitingRecord(lane, 100, 0), at(time.Duration(i)*time.Second), at(time.Duration(i)*time.Second))
		l.stored(waitingRecord(lane, 100, 0), at(time.Duration(i)*time.Second))
	}
	assert.Equal(t, shardRecordsPerSecond, lane.records.perSecond)
	assert.Equal(t, pace.New(1), lane.pace)
}

// The lane of a new shard starts with the share that the lane of the parent shard has learned.
func TestNewLanesInherit(t *testing.T) {
	l := newLimiter(new(Config{}.WithDefaults()), testRandom())
	parent := l.childLane("a", nil)
	assert.InDelta(t, 1, parent.pace.Share(), 0)
	parent.pace = pace.New(0.2)
	assert.InDelta(t, 0.2, l.childLane("b", parent).pace.Share(), 1e-12)
	assert.Equal(t, 200, l.lane("b").records.perSecond)
	l.lane("b").pace = pace.New(0.5)
	assert.InDelta(t, 0.5, l.childLane("b", parent).pace.Share(), 1e-12, "once")
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
	l.lane("a").pace, l.lane("b").pace = pace.New(0.1), pace.New(0.9)
	r.setShards(named("c", "d", "e", "f"), l)
	for id, share := range map[ShardID]float64{"c": 0.1, "d": 0.1, "e": 0.9, "f": 0.9} {
		assert.InDelta(t, share, l.lane(id).pace.Share(), 1e-12, id)
	}
}
