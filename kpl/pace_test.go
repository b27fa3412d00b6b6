package kpl

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPaceCutsAtOnceAndGrowsWithWhatIsStored(t *testing.T) {
	p := newPace(1)
	assert.True(t, p.refused(at(1), at(2)))
	assert.InDelta(t, 1-paceCut, p.share, 1e-12)
	before := p.share
	p.stored(false, at(3))
	assert.InDelta(t, before, p.share, 0, "a lane that does not need its share learns nothing from a success")
	p.stored(true, at(3))
	assert.InDelta(t, before+paceGain, p.share, 1e-6)
	for range 10_000 {
		p.stored(true, at(4))
	}
	assert.InDelta(t, 1, p.share, 0, "never above the ceiling")
}

func TestPaceGrowsFasterWhenRefusalsAreMissing(t *testing.T) {
	for share, records := range map[float64]int{0.02: 624, 0.1: 1712, 0.5: 2672} {
		p := newPace(share)
		n := 0
		for ; p.calm < calmUsual; n++ {
			p.stored(true, at(0))
		}
		assert.Less(t, p.share, share*1.2, "as slow as ever until then")
		for ; p.share < 0.95; n++ {
			p.stored(true, at(0))
		}
		assert.Equal(t, records, n, "from a share of %g", share)

		p.refused(at(0), at(0))
		before := p.share
		p.stored(true, at(0))
		assert.InEpsilon(t, usualRefusals(before)*paceCut, p.share/before-1, 1e-6, "and again after a refusal")
	}
}

func TestPaceTakesABurstForOneThing(t *testing.T) {
	p := newPace(1)
	cuts := 0
	for range 500 {
		if p.refused(at(1), at(10)) {
			cuts++
		}
	}
	assert.Equal(t, 4, cuts, "until the share is below 0.9")
	assert.InDelta(t, 0.9, p.share, 0.001)
	assert.True(t, p.refused(at(10), at(20)), "what was sent later counts again")
}

func TestPaceFallsByATenthInTwoSeconds(t *testing.T) {
	p := newPace(1)
	for i := range 600 { // ten attempts a second, half of them refused
		p.stored(true, at(time.Duration(i)*time.Second/10))
		p.refused(at(time.Duration(i)*time.Second/10), at(time.Duration(i)*time.Second/10))
	}
	assert.InDelta(t, 0.035, p.share, 0.01, "after a minute")

	p = newPace(1)
	for i := range 100 { // nearly all refused
		p.refused(at(time.Duration(i)*time.Second/10), at(time.Duration(i)*time.Second/10))
	}
	assert.Less(t, p.share, 0.2, "after ten seconds")
}

// What a burst of refusals has cost comes back when it is over, and before it is forgotten.
func TestPaceComesBackAfterABurst(t *testing.T) {
	for _, test := range []struct {
		seconds int
		pause   time.Duration // without any attempt
		records int           // until the share is nearly what it was
	}{{20, 0, 110}, {60, 0, 800}, {20, burstMemory, 3_000}} {
		p := newPace(1)
		now := at(0)
		for range 10 * test.seconds {
			now = now.Add(time.Second / 10)
			p.stored(true, now)
			p.refused(now, now)
		}
		now = now.Add(test.pause)
		n := 0
		for ; p.share < 0.95; n++ {
			now = now.Add(time.Second / 10)
			p.stored(true, now)
		}
		assert.InEpsilon(t, test.records, n, 0.3, "%d seconds of refusals, %v of silence", test.seconds, test.pause)
	}
}

func TestPaceHasAFloor(t *testing.T) {
	p := newPace(1)
	for i := range 1000 {
		p.refused(at(time.Duration(i)*time.Second), at(time.Duration(i)*time.Second))
	}
	assert.InDelta(t, minShare, p.share, 0)
	p.stored(true, at(1000*time.Second))
	assert.Greater(t, p.share, minShare)
}

// attempt lets the shard refuse a part of n attempts at random, ten a second, and returns the mean share of the last
// half.
func attempt(p *pace, n int, part func(share float64) float64) float64 {
	random, late := testRandom(), 0.0
	for i := range n {
		now := at(time.Duration(i) * time.Second / 10)
		if random.Float64() < part(p.share) {
			p.refused(now, now)
		} else {
			p.stored(true, now)
		}
		if i >= n/2 {
			late += p.share / float64(n-n/2)
		}
	}
	return late
}

func TestPaceForgivesWhatCutsDoNotHelpAgainst(t *testing.T) {
	for _, part := range []float64{0.02, 0.05, 0.2, 0.4} {
		p := newPace(1)
		attempt(&p, 100*60*10, func(float64) float64 { return part })
		late := attempt(&p, 60*60*10, func(float64) float64 { return part })
		assert.Greater(t, late, 0.7, "%g refused", part)
	}
}

func TestPaceStaysDownWhereThatHelps(t *testing.T) {
	for _, room := range []float64{0.02, 0.1, 0.5} {
		p := newPace(1)
		late := attempt(&p, 60*60*10, func(share float64) float64 { return 1 - room/share })
		assert.InEpsilon(t, room, late, 0.1)
		assert.Zero(t, p.pardon)
	}
}

func TestDescentComparesPeriods(t *testing.T) {
	type measured struct{ share, wasted float64 }
	cases := map[string]struct {
		periods []measured
		inVain  bool
	}{
		"as much as before":                 {[]measured{{1, 0.1}, {0.9, 0.1}, {0.7, 0.1}, {0.4, 0.1}, {0.4, 0.1}}, true},
		"a burst at first, then the usual":  {[]measured{{1, 0.9}, {1, 0.5}, {0.9, 0.3}, {0.1, 0.002}, {0.1, 0.002}}, false},
		"half as much at a third":           {[]measured{{1, 0.2}, {1, 0.2}, {0.9, 0.2}, {0.3, 0.1}, {0.3, 0.1}}, false},
		"not far enough down":               {[]measured{{1, 0.1}, {1, 0.1}, {0.9, 0.1}, {0.7, 0.1}, {0.6, 0.1}}, false},
		"too much to go back to":            {[]measured{{1, 0.4}, {1, 0.4}, {0.9, 0.4}, {0.3, 0.4}, {0.1, 0.4}}, false},
		"the beginning is no evidence":      {[]measured{{1, 0.1}, {0.3, 0.1}, {0.3, 0.1}}, false},
		"among fifty, about what is normal": {[]measured{{0.1, 0.02}, {0.1, 0.02}, {0.08, 0.02}, {0.02, 0.02}, {0.02, 0.02}}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var d descent
			now, found := at(0).Truncate(descentPeriod), false
			for _, m := range c.periods {
				for i := range 1000 {
					both, inVain := d.count(i < int(1000*m.wasted), m.share, now.Add(time.Duration(i)*descentPeriod/1000))
					if inVain {
						found = true
						assert.InDelta(t, 0.9, both.share, 0)
						assert.InDelta(t, 0.1, both.wasted(), 0.01)
					}
				}
				now = now.Add(descentPeriod)
			}
			assert.Equal(t, c.inVain, found)
		})
	}
}

func TestPardonForgivesAsManyAsWereSeen(t *testing.T) {
	p := newPardon(0.2, at(0))
	forgiven := 0
	for i := range 10_000 {
		if p.count(i%2 == 0, at(1)) {
			forgiven++
		}
	}
	assert.InDelta(t, pardonCredit+10_000*0.2*pardonMargin, forgiven, 2, "of 5,000")
	assert.Equal(t, at(0).Truncate(pardonTime).Add(2*pardonTime), p.until)
	p.credit = pardonCredit
	assert.True(t, p.count(true, p.until.Add(-1)))
	assert.False(t, p.count(true, p.until))
}

// Whatever a lane learns, a shard's own buckets never refuse what it sends.
func TestLimiterNeverExceedsTheCeiling(t *testing.T) {
	for _, waste := range []float64{0, 0.01, 0.2, 0.9} {
		config := Config{}.WithDefaults()
		config.RecordTTL = 1000 * time.Hour
		random := testRandom()
		l := newLimiter(&config, random)
		way, now := l.lane("a"), at(0)
		records, bytes := meter{perSecond: shardRecordsPerSecond}, meter{perSecond: shardBytesPerSecond}
		for range 5_000 {
			l.push(waitingRecord(way, 1+random.IntN(5_000), now.Sub(at(0))))
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

// What a call as a whole is refused for is the account's doing, or that of KMS.
func TestOnlyTheShardTeachesItsLane(t *testing.T) {
	for whole, share := range map[bool]float64{true: 1, false: 1 - paceCut} {
		p := newPipeline(new(Config{}.WithDefaults()), testRandom(), new(memberPool))
		way := p.limiter.lane("a")
		k := waitingRecord(way, 100, 0)
		k.members[0].epoch = p.epochs.first
		p.recordFailed(at(1), &request{records: []*kinesisRecord{k}}, k, fault{class: classThrottle}, whole)
		assert.InDelta(t, share, way.pace.share, 1e-12)
	}
}

func TestFixedRateLearnsNothing(t *testing.T) {
	config := Config{}.WithDefaults()
	config.FixedRate = true
	l := newLimiter(&config, testRandom())
	way := l.lane("a")
	for i := range 100 {
		l.throttled(waitingRecord(way, 100, 0), at(time.Duration(i)*time.Second), at(time.Duration(i)*time.Second))
		l.stored(waitingRecord(way, 100, 0), at(time.Duration(i)*time.Second))
	}
	assert.Equal(t, shardRecordsPerSecond, way.records.perSecond)
	assert.Equal(t, newPace(1), way.pace)
}

// A shard that is new begins with what its parent has taught.
func TestNewLanesInherit(t *testing.T) {
	l := newLimiter(new(Config{}.WithDefaults()), testRandom())
	parent := l.heir("a", nil)
	assert.InDelta(t, 1, parent.pace.share, 0)
	parent.pace.share = 0.2
	assert.InDelta(t, 0.2, l.heir("b", parent).pace.share, 1e-12)
	assert.Equal(t, 200, l.lane("b").records.perSecond)
	l.lane("b").pace.share = 0.5
	assert.InDelta(t, 0.5, l.heir("b", parent).pace.share, 1e-12, "once")
}

// The children of a shard that others write to as well are not thought to be free.
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
	l.lane("a").pace.share, l.lane("b").pace.share = 0.1, 0.9
	r.setShards(named("c", "d", "e", "f"), l)
	for id, share := range map[ShardID]float64{"c": 0.1, "d": 0.1, "e": 0.9, "f": 0.9} {
		assert.InDelta(t, share, l.lane(id).pace.share, 1e-12, id)
	}
}
