package kpl

import (
	"math"
	"time"
)

// pace learns how much of a shard's limits a producer should use. Others may write to the shard, and nobody tells how
// many do: what the shard refuses is all there is to learn from. Each refusal cuts the share, each stored record adds
// to it, and refusals that cuts do not make rarer are forgiven. The numbers are argued in
// docs/adr/0008-learning-limiter.md.
type pace struct {
	share float64 // of the limits, from minShare to 1
	calm  float64 // how many refusals would have been usual since the last one

	// A burst is refused as a whole, and that is one thing learned, not as many as it had records.
	step     time.Time // records sent before have had their say
	stepFrom float64   // the share at that time

	descent descent
	pardon  pardon
}

const (
	minShare = 1.0 / 256

	// paceGain, times the fourth root of the share, is what a stored record adds to the share.
	paceGain = 1.75e-5
	// paceCut is the part of the share that a refused record takes.
	paceCut = 0.025
	// paceStep is what a burst of refused records leaves of the share at least.
	paceStep = 0.9

	// calmUsual is how many usual refusals have to be missing before the share grows faster. By chance that happens between
	// one in fifty of them and the next.
	calmUsual = 4
	// calmGrowth is by how much faster then, as a power of e for each further refusal that is missing.
	calmGrowth = 4
	// calmGain is what a stored record adds at most, as part of the share.
	calmGain = 0.02
)

// newPace begins with the given share.
func newPace(share float64) pace {
	return pace{share: share, stepFrom: share}
}

// usualRefusals is the part of the attempts that is refused where a share is neither too large nor too small: gains and
// cuts balance.
func usualRefusals(share float64) float64 {
	return paceGain / paceCut * math.Sqrt(math.Sqrt(share)) / share
}

// stored notes that the shard took a record. The share grows if the lane was full: sending all that it may.
func (p *pace) stored(full bool, now time.Time) {
	p.forgiven(false, now)
	if !full {
		return
	}
	usual := usualRefusals(p.share)
	p.calm += usual
	gain := usual * paceCut
	if p.calm > calmUsual {
		gain = max(gain, min(calmGain, gain*math.Exp(calmGrowth*(p.calm-calmUsual))))
	}
	p.share = min(1, p.share*(1+gain))
}

// refused notes that the shard refused a record that was sent at the given time, and reports whether that has cut the
// share.
func (p *pace) refused(sent, now time.Time) bool {
	if p.forgiven(true, now) {
		return false
	}
	p.calm = 0
	if sent.Before(p.step) {
		return false
	}
	p.share = max(minShare, p.share*(1-paceCut))
	if p.share < p.stepFrom*paceStep || p.share == minShare {
		p.step, p.stepFrom = now, p.share
	}
	return true
}

// forgiven notes an outcome and reports whether it is a refusal that cuts do not help against. The share that was cut in
// vain grows at once as fast as it does when refusals are missing.
func (p *pace) forgiven(refused bool, now time.Time) bool {
	if both, inVain := p.descent.count(refused, p.share, now); inVain && !p.pardon.granted(now) {
		p.pardon = newPardon(both.wasted(), now)
		p.share, p.calm = both.share, calmUsual+1
		p.step, p.stepFrom = now, p.share
	}
	return p.pardon.count(refused, now)
}
