// Package pace learns how much of a shard's limits a producer should use.
//
// In go the outcomes of records: the shard took one ([Pace.Stored]), or it had no room for one ([Pace.Throttled]). Out comes
// the share ([Pace.Share]): the part of the shard's limits that the producer may use now. A throttled record lowers the share,
// a stored one raises it. The package has no clock: the caller says what time it is. The numbers are argued in
// docs/adr/0008-learning-limiter.md.
package pace

import (
	"math"
	"time"
)

// Pace is what a producer has learned about one shard. Others may write to the shard, and nobody tells how many do: what the
// shard refuses is all there is to learn from. Each refusal cuts the share, each stored record adds to it. What was lost to a
// burst of refusals comes back soon when it is over, and refusals that cuts do not make rarer are forgiven.
//
// It is a value: a copy learns by itself. It is not for several goroutines at a time.
type Pace struct {
	share float64 // of the limits, from minShare to 1
	calm  float64 // how many refusals would have been usual since the last one

	step    step
	burst   burst
	descent descent
	pardon  pardon
}

const (
	minShare = 1.0 / 128

	// paceGain, times the fourth root of the share, is what a stored record adds to the share.
	paceGain = 1.7e-5
	// paceCut is the part of the share that a refused record takes.
	paceCut = 0.026

	// calmUsual is how many usual refusals have to be missing before the share grows faster. By chance that happens between
	// one in fifty of them and the next.
	calmUsual = 4
	// calmGrowth is by how much faster then, as a power of e for each further refusal that is missing.
	calmGrowth = 4
	// calmGain is what a stored record adds at most, as part of the share.
	calmGain = 0.02

	// fewShare is a share that only one among few producers has. They can afford to take fewRefusals, a part of the attempts,
	// for usual: what they waste is little, and what they win by trying is much.
	fewShare, fewRefusals = 1.0 / 5, 1.0 / 500
)

// New returns a Pace that begins with the given share, from 1/128 to 1.
func New(share float64) Pace {
	return Pace{share: share, step: step{from: share}, burst: burst{peak: share}}
}

// Share is the part of the shard's limits that may be used now, from 1/128 to 1.
func (p *Pace) Share() float64 { return p.share }

// usualRefusals is the part of the attempts that is refused where a share is neither too large nor too small: gains and
// cuts balance.
func usualRefusals(share float64) float64 {
	return paceGain / paceCut * math.Sqrt(math.Sqrt(share)) / share
}

// Stored notes that the shard took a record. The share grows if the producer was sending all that it may, which full says.
func (p *Pace) Stored(full bool, now time.Time) {
	p.forgiven(false, now)
	p.burst.stored()
	if !full {
		return
	}
	usual := usualRefusals(p.share)
	gain := usual * paceCut
	if p.share > fewShare {
		usual = max(usual, fewRefusals)
	}
	p.calm += usual
	if p.calm > calmUsual {
		gain = max(gain, min(calmGain, gain*math.Exp(calmGrowth*(p.calm-calmUsual))))
	}
	p.share = min(1, p.share*(1+max(gain, p.burst.gain(p.share, now))))
}

// Throttled notes that the shard had no room for a record that was sent at the given time. It reports whether that has cut
// the share.
func (p *Pace) Throttled(sent, now time.Time) bool {
	if p.forgiven(true, now) {
		return false
	}
	p.calm = 0
	p.burst.refused(p.share, now)
	if p.step.done(sent, now, p.burst.wasted) {
		return false
	}
	p.share = max(minShare, p.share*(1-paceCut))
	p.step.cut(p.share, now)
	return true
}

// forgiven notes an outcome and reports whether it is a refusal that cuts do not help against. The share that was cut in
// vain grows at once as fast as it does when refusals are missing.
func (p *Pace) forgiven(refused bool, now time.Time) bool {
	if both, inVain := p.descent.count(refused, p.share, now); inVain && !p.pardon.granted(now) {
		p.pardon = newPardon(both.wasted(), now)
		p.share, p.calm = both.share, calmUsual+1
		p.step = step{from: p.share, ended: now}
	}
	return p.pardon.count(refused, now)
}

// step bounds how fast the share falls. What is refused together is one thing learned, not as many as it had records.
type step struct {
	from  float64   // the share when it began
	ended time.Time // the last one: records sent before have had their say
	next  time.Time // when the next may end, unless nearly all is refused
}

const (
	// stepLeaves is what a step leaves of the share, and stepTime how long the next one takes at least: a minute of refusals
	// leaves a twentieth.
	stepLeaves, stepTime = 0.9, 2 * time.Second
	// flood is the part of the attempts that is refused where there is no doubt that the share is far too large.
	flood = 0.75
)

// done reports whether a refusal of a record that was sent then tells nothing more.
func (s *step) done(sent, now time.Time, wasted float64) bool {
	return sent.Before(s.ended) || now.Before(s.next) && wasted < flood
}

// cut notes a cut that has left the share.
func (s *step) cut(share float64, now time.Time) {
	if share < s.from*stepLeaves || share == minShare {
		*s = step{from: share, ended: now, next: now.Add(stepTime)}
	}
}
