package pace

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// at is a moment of the tests.
func at(d time.Duration) time.Time { return time.Unix(1_000_000, 0).Add(d) }

func TestPaceCutsAtOnceAndGrowsWithWhatIsStored(t *testing.T) {
	p := New(1)
	assert.True(t, p.Throttled(at(1), at(2)))
	assert.InDelta(t, 1-paceCut, p.share, 1e-12)
	before := p.share
	p.Stored(false, at(3))
	assert.InDelta(t, before, p.share, 0, "a lane that does not need its share learns nothing from a success")
	p.Stored(true, at(3))
	assert.InDelta(t, before+paceGain, p.share, 1e-6)
	for range 10_000 {
		p.Stored(true, at(4))
	}
	assert.InDelta(t, 1, p.share, 0, "never above the ceiling")
}

func TestPaceGrowsFasterWhenRefusalsAreMissing(t *testing.T) {
	for share, records := range map[float64]int{0.02: 624, 0.1: 1712, 0.5: 2672} {
		p := New(share)
		n := 0
		for ; p.calm < calmUsual; n++ {
			p.Stored(true, at(0))
		}
		assert.Less(t, p.share, share*1.2, "as slow as ever until then")
		for ; p.share < 0.95; n++ {
			p.Stored(true, at(0))
		}
		assert.Equal(t, records, n, "from a share of %g", share)

		p.Throttled(at(0), at(0))
		before := p.share
		p.Stored(true, at(0))
		assert.InEpsilon(t, usualRefusals(before)*paceCut, p.share/before-1, 1e-6, "and again after a refusal")
	}
}

func TestPaceTakesABurstForOneThing(t *testing.T) {
	p := New(1)
	cuts := 0
	for range 500 {
		if p.Throttled(at(1), at(10)) {
			cuts++
		}
	}
	assert.Equal(t, 4, cuts, "until the share is below 0.9")
	assert.InDelta(t, 0.9, p.share, 0.001)
	assert.True(t, p.Throttled(at(10), at(20)), "what was sent later counts again")
}

func TestPaceFallsByATenthInTwoSeconds(t *testing.T) {
	p := New(1)
	for i := range 600 { // ten attempts a second, half of them refused
		p.Stored(true, at(time.Duration(i)*time.Second/10))
		p.Throttled(at(time.Duration(i)*time.Second/10), at(time.Duration(i)*time.Second/10))
	}
	assert.InDelta(t, 0.035, p.share, 0.01, "after a minute")

	p = New(1)
	for i := range 100 { // nearly all refused
		p.Throttled(at(time.Duration(i)*time.Second/10), at(time.Duration(i)*time.Second/10))
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
		p := New(1)
		now := at(0)
		for range 10 * test.seconds {
			now = now.Add(time.Second / 10)
			p.Stored(true, now)
			p.Throttled(now, now)
		}
		now = now.Add(test.pause)
		n := 0
		for ; p.share < 0.95; n++ {
			now = now.Add(time.Second / 10)
			p.Stored(true, now)
		}
		assert.InEpsilon(t, test.records, n, 0.3, "%d seconds of refusals, %v of silence", test.seconds, test.pause)
	}
}

func TestPaceHasAFloor(t *testing.T) {
	p := New(1)
	for i := range 1000 {
		p.Throttled(at(time.Duration(i)*time.Second), at(time.Duration(i)*time.Second))
	}
	assert.InDelta(t, minShare, p.share, 0)
	p.Stored(true, at(1000*time.Second))
	assert.Greater(t, p.share, minShare)
}

// attempt lets the shard refuse a part of n attempts at random, ten a second, and returns the mean share of the last
// half.
func attempt(p *Pace, n int, part func(share float64) float64) float64 {
	random, late := rand.New(rand.NewPCG(1, 2)), 0.0
	for i := range n {
		now := at(time.Duration(i) * time.Second / 10)
		if random.Float64() < part(p.share) {
			p.Throttled(now, now)
		} else {
			p.Stored(true, now)
		}
		if i >= n/2 {
			late += p.share / float64(n-n/2)
		}
	}
	return late
}

func TestPaceForgivesWhatCutsDoNotHelpAgainst(t *testing.T) {
	for _, part := range []float64{0.02, 0.05, 0.2, 0.4} {
		p := New(1)
		attempt(&p, 100*60*10, func(float64) float64 { return part })
		late := attempt(&p, 60*60*10, func(float64) float64 { return part })
		assert.Greater(t, late, 0.7, "%g refused", part)
	}
}

func TestPaceStaysDownWhereThatHelps(t *testing.T) {
	for _, room := range []float64{0.02, 0.1, 0.5} {
		p := New(1)
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
