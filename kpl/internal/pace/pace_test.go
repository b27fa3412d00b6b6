// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// at is a moment of the tests.
func at(d time.Duration) time.Time { return time.Unix(1_000_000, 0).Add(d) }

// cutAt is a Pace whose share was just cut, and was the given one before.
func cutAt(share float64, now time.Time) Pace { return Pace{peak: share, cut: now} }

// small is the cost of a record of which 1,000 fit into a second.
const small = time.Millisecond

func TestShareIsAFunctionOfTheTimeSinceTheCut(t *testing.T) {
	p := New()
	assert.InDelta(t, 1, p.Share(0, at(0)), 0, "all, without a cut")
	for _, test := range []struct {
		before float64
		after  time.Duration
		share  float64
	}{
		{1, 0, 0.7},
		{1, surge / 2, 1 - 0.3/8},
		{1, surge, 1},
		{1, time.Hour, 1},
		{0.1, 0, 0.07},
		{0.1, surge, 0.1},
		{0.1, surge + surge/4, 0.1 * (1 + growth/64.0)},
		{0.1, 2 * surge, 0.1 * (1 + growth)},
		{0.1, surge + 13*time.Second, 1},
		{0.1, time.Hour, 1},
		{minShare, 0, minShare},
	} {
		p := cutAt(test.before, at(0))
		assert.InDelta(t, test.share, p.Share(0, at(test.after)), 0.05*test.share, "%g, %v after the cut", test.before, test.after)
	}
}

func TestFewThrottlesDoNotCut(t *testing.T) {
	p := New()
	now := at(0)
	for i := range 10_000 {
		now = now.Add(small)
		if i%100 > 0 {
			p.Stored(small)
			continue
		}
		require.False(t, p.Throttled(small, 0, now, now), "one in a hundred")
	}
	attempts, cut := 0, false
	for ; !cut; attempts++ {
		now = now.Add(small)
		cut = p.Throttled(small, 0, now, now)
	}
	assert.LessOrEqual(t, attempts, 6, "several in a row")
	assert.InDelta(t, 1-cutBy, p.Share(0, now), 1e-9)
}

func TestCutsTakeTurnsWithAnswers(t *testing.T) {
	p := New()
	cuts := 0
	for i := range 1_000 {
		now := at(time.Duration(i) * small)
		if p.Throttled(small, 0, now, now) {
			cuts++
		}
	}
	assert.Equal(t, 4, cuts, "one in a quarter of a second")
	assert.False(t, p.Throttled(small, 0, p.cut.Add(-1), at(time.Minute)), "sent before the last cut")
	assert.True(t, p.Throttled(small, 0, p.cut.Add(1), at(time.Minute)))
}

func TestShareHasAFloor(t *testing.T) {
	p := New()
	for i := range 1_000 {
		p.Throttled(small, 0, at(time.Duration(i)*time.Second), at(time.Duration(i)*time.Second))
	}
	assert.InDelta(t, minShare, p.Share(0, p.cut), 0)
	assert.Greater(t, p.Share(0, p.cut.Add(2*surge)), minShare)
}

func TestLateRecordsAreUrgent(t *testing.T) {
	for age, want := range map[float64]float64{-1: 0, 0: 0, 1.0 / 30: 0.01, 1.0 / 6: 0.25, 1.0 / 3: 1, 0.9: 1, 2: 1} {
		assert.InDelta(t, want, urgency(age), 1e-9, "age %g", age)
	}
	p := cutAt(0.1, at(0))
	assert.InDelta(t, 0.07+0.93*0.25, p.Share(1.0/6, at(0)), 1e-9)
	assert.InDelta(t, 1, p.Share(1.0/3, at(0)), 1e-9)

	for i := range 10_000 {
		now := at(time.Duration(i) * small)
		if i%10 == 0 {
			require.False(t, p.Throttled(small, 1.0/6, now, now), "one in ten is tolerated if records are late")
		} else {
			p.Stored(small)
		}
	}
	p = cutAt(0.1, at(0))
	now := at(surge)
	for cut := false; !cut; {
		cut = p.Throttled(small, 1.0/6, now, now)
	}
	assert.InDelta(t, 0.07, p.Share(0, now), 1e-9, "the peak is the share without urgency")
}

// room lets a shard throttle the part of the attempts that exceeds its room, and returns the mean share in the last half of n
// attempts.
func room(p *Pace, n int, room float64) float64 {
	random, mean, now := rand.New(rand.NewPCG(1, 2)), 0.0, at(0)
	for i := range n {
		share := p.Share(0, now)
		now = now.Add(time.Duration(float64(small) / share))
		if random.Float64() < 1-room/share {
			p.Throttled(time.Duration(float64(small)/share), 0, now, now)
		} else {
			p.Stored(time.Duration(float64(small) / share))
		}
		if i >= n/2 {
			mean += share / float64(n-n/2)
		}
	}
	return mean
}

func TestShareFindsTheRoom(t *testing.T) {
	for _, part := range []float64{0.05, 0.2, 0.5} {
		p := New()
		assert.InEpsilon(t, part, room(&p, 100_000, part), 0.1, "room for %g", part)
	}
}
