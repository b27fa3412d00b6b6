package pace

import "time"

// descent tells whether cuts make refusals rarer. In an overload that the producers of a shard make themselves they do:
// all of them see it, all cut, and it is over. Refusals at random, and those by writers who never step back, stay as
// frequent as they were, and a smaller share only slows the producer down. It compares periods of the clock, the
// same ones for all producers.
type descent struct {
	period period
	ends   time.Time // of the period, if it has refusals enough
	before period    // to compare with; none if its share is 0
}

// period is what came of the attempts of some time.
type period struct {
	share           float64 // at its beginning; 0 in the first one, whose outcomes are those of full buckets, and mislead
	stored, refused float64
}

const (
	// descentPeriod is how long outcomes are counted at least.
	descentPeriod = 10 * time.Second
	// descentRefusals is how many refusals a period has; it goes on until it does.
	descentRefusals = 24
	// descentDepth is what is left at most of a share when periods are compared, and descentSame what is left then of the
	// odds of refusal if the cuts were in vain. Where they help, it is a fifth at most, whatever the overload.
	descentDepth, descentSame = 0.5, 0.65
	// descentCrowd is the smallest share that is taken for that of one among many.
	descentCrowd = 1.0 / 50
	// descentFloor is a share that cannot fall by much.
	descentFloor = 1.5 * minShare
	// descentLeast and descentMost are what has to be wasted for a descent to be questioned: less costs little, and too
	// much is nothing to go back to. descentUsual is how many times as much as is usual.
	descentLeast, descentMost, descentUsual = 0.005, 0.35, 3
)

// odds is how many attempts were refused for each one that was stored.
func (p *period) odds() float64 { return p.refused / max(p.stored, 1) }

// wasted is the part of the attempts that was refused.
func (p *period) wasted() float64 { return p.refused / max(p.stored+p.refused, 1) }

// doubtful reports whether so much was refused that cuts should have helped.
func (p *period) doubtful() bool {
	wasted := p.wasted()
	return p.share > 0 && wasted < descentMost && wasted > max(descentLeast, descentUsual*usualRefusals(max(p.share, descentCrowd)))
}

// count notes an outcome. When a period ends and the cuts since an earlier one were in vain, it returns what came of both,
// with the share of that one.
func (d *descent) count(refused bool, share float64, now time.Time) (both period, inVain bool) {
	if d.ends.IsZero() {
		d.ends = now.Truncate(descentPeriod).Add(descentPeriod)
	}
	if refused {
		d.period.refused++
	} else {
		d.period.stored++
	}
	if now.Before(d.ends) {
		return period{}, false
	}
	d.ends = now.Truncate(descentPeriod).Add(descentPeriod)
	if d.period.refused < descentRefusals && d.period.share > 0 {
		return period{}, false
	}
	ended := d.period
	d.period = period{share: share}
	return d.compare(ended)
}

// compare takes in a period that has ended.
func (d *descent) compare(ended period) (both period, inVain bool) {
	switch {
	case !ended.doubtful():
		d.before = period{}
	case d.before.share == 0 || ended.share > d.before.share:
		d.before = ended
	case ended.share > max(descentDepth*d.before.share, descentFloor): // not far enough down
	case ended.odds() < descentSame*d.before.odds():
		d.before = ended
	default:
		both = period{d.before.share, d.before.stored + ended.stored, d.before.refused + ended.refused}
		d.before, d.period.share = period{}, both.share
		return both, true
	}
	return period{}, false
}

// pardon forgives as many refusals as a descent in vain has shown to be inescapable. It ends at a multiple of pardonTime,
// for all producers at the same time: if they were wrong together, and the refusals are their own doing after all, they
// find out together. One alone could not.
type pardon struct {
	rate   float64 // refusals to forgive for each attempt
	until  time.Time
	credit float64 // refusals that may be forgiven now
}

const (
	pardonTime = 10 * time.Minute
	// pardonMargin is how many times the refusals that were seen are forgiven, because they come in random numbers;
	// pardonCredit, how many in a row.
	pardonMargin, pardonCredit = 1.4, 16
)

// newPardon forgives the given part of the attempts, for one to two times pardonTime.
func newPardon(wasted float64, now time.Time) pardon {
	return pardon{rate: wasted * pardonMargin, until: now.Truncate(pardonTime).Add(2 * pardonTime), credit: pardonCredit}
}

// granted reports whether it has not ended.
func (p *pardon) granted(now time.Time) bool { return now.Before(p.until) }

// count notes an attempt and reports whether it is forgiven that it was refused.
func (p *pardon) count(refused bool, now time.Time) bool {
	if !p.granted(now) {
		return false
	}
	p.credit = min(pardonCredit, p.credit+p.rate)
	if !refused || p.credit < 1 {
		return false
	}
	p.credit--
	return true
}
