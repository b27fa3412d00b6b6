// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package pace decides which part of a shard's limits a producer uses.
//
// Others may write to the shard, and nobody says how many do. All there is to go by is what became of the producer's own records:
// stored or throttled. The package has no clock: the caller says what time it is. docs/adr/0016-surge.md argues the numbers.
package pace

import "time"

// Pace is the share of one shard's limits that a producer uses. Three ideas make it:
//
//   - When too many records are throttled, the share is cut. From then on the share is a function of the time since the cut. It
//     comes back to what it was before, stays near that for some seconds, and then grows ever faster, up to all of the limits.
//   - Too many is a part of the latest attempts. A few throttled records do not lead to a cut.
//   - Late records are urgent. The older the oldest record is, the less the share counts and the more throttles are tolerated.
//     When the oldest record has lived for a third of its time, the producer uses all of the limits.
//
// The shares of all producers of a shard grow alike, and who sends more is cut more often. That makes the shares equal.
//
// A Pace is a value: a copy goes on by itself. It is not for several goroutines at a time.
type Pace struct {
	peak      float64   // the share before the last cut
	cut       time.Time // when that was
	throttled float64   // part of the latest attempts that were throttled
}

const (
	// surge is the time from a cut until the share is what it was before. The longer it is, the less is wasted and the longer room
	// stays unused.
	surge = 9 * time.Second
	// growth is by how much the share grows in the surge after that, as a multiple of what it was. A tenth becomes all of the limits
	// in 13 s then.
	growth = 3
	// cutBy is the part of the share that a cut takes: enough for an overload to end after a few cuts, and no more.
	cutBy = 0.3
	// cutPause is the least time between two cuts: the answers to what was sent after a cut arrive before the next.
	cutPause = 250 * time.Millisecond
	// tolerated is the throttled part of the attempts that is no reason for a cut yet. A stream that throttles 1 % now and then
	// stays below it, and one throttled record is above it where a lane sends four records a second or less.
	tolerated = 0.025
	// memory is how many attempts the throttled part looks back on, or as many as are made in a surge if they are fewer: enough to
	// tell 2.5 % from 1 %.
	memory = 256
	// lateAge is the age from which on all of the limits is used, as part of the time to live. The rest is left for retries.
	lateAge = 1.0 / 3
	// minShare is small enough for a hundred producers, and large enough to notice when they have left.
	minShare = 1.0 / 128
)

// New returns a Pace that starts with all of the limits.
func New() Pace { return Pace{peak: 1} }

// Share is the part of the shard's limits to use now, from 1/128 to 1. The age is that of the oldest waiting record, as part of
// its time to live.
func (p *Pace) Share(age float64, now time.Time) float64 {
	share := p.shareBySurge(now)
	return share + (1-share)*urgency(age)
}

// shareBySurge is the share if no record is late.
func (p *Pace) shareBySurge(now time.Time) float64 {
	x := now.Sub(p.cut).Seconds()/surge.Seconds() - 1 // -1 at the cut, 0 after a surge
	steep := cutBy
	if x > 0 {
		steep = growth
	}
	return min(1, max(minShare, p.peak*(1+steep*x*x*x)))
}

// Stored notes that the shard stored a record. The cost is the time in which the share allows one such record.
func (p *Pace) Stored(cost time.Duration) { p.throttled -= weight(cost) * p.throttled }

// Throttled notes that the shard throttled a record that was sent then. It reports whether that cuts the share.
func (p *Pace) Throttled(cost time.Duration, age float64, sent, now time.Time) bool {
	p.throttled += weight(cost) * (1 - p.throttled)
	if p.throttled < tolerated+(1-tolerated)*urgency(age) || sent.Before(p.cut) || now.Before(p.cut.Add(cutPause)) {
		return false
	}
	p.peak, p.cut = p.shareBySurge(now), now
	return true
}

// urgency is from 0, for young records, to 1. The square makes it small for long: records that wait for a second or two are no
// reason to waste attempts.
func urgency(age float64) float64 {
	late := max(0, min(1, age/lateAge))
	return late * late
}

// weight is that of the latest attempt in the throttled part.
func weight(cost time.Duration) float64 {
	return min(1, max(1.0/memory, cost.Seconds()/surge.Seconds()))
}
