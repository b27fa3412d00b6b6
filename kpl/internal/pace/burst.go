package pace

import "time"

// burst remembers the share from before many refusals came together: that others had much to write for a while, or
// that a shard was being split, tells little of the time after.
type burst struct {
	peak   float64   // the share before refusals became many
	until  time.Time // when it is forgotten
	wasted float64   // the part of the latest attempts that was refused
	quiet  int       // attempts since the last refusal
}

const (
	// burstWeight is that of the latest attempt in wasted, and burstWasted what has to be wasted for a burst.
	burstWeight, burstWasted = 1.0 / 32, 0.2
	// burstFall is what a burst leaves at most of the share; otherwise, there is no hurry.
	burstFall = 0.5
	// burstQuiet is how many attempts without a refusal end it. Where one of many producers has his share, refusals are about
	// twice as far apart.
	burstQuiet = 48
	// burstMemory is how long the peak is remembered.
	burstMemory = 3 * time.Minute
	// burstGain is what a stored record adds afterwards, as part of the share, where the share may be that of one of many:
	// they try with care, for they all try.
	burstGain = 0.002
)

func (b *burst) stored() {
	b.quiet++
	b.wasted -= b.wasted * burstWeight
}

// refused notes a refusal that the share is to be cut for.
func (b *burst) refused(share float64, now time.Time) {
	if b.quiet > burstQuiet {
		b.peak, b.until = share, time.Time{}
	}
	b.quiet = 0
	b.wasted += (1 - b.wasted) * burstWeight
	if share < b.peak*burstFall && b.wasted > burstWasted {
		b.until = now.Add(burstMemory)
	}
}

// gain is what a stored record adds, as part of the share, on the way back to the peak; 0 if it is not.
func (b *burst) gain(share float64, now time.Time) float64 {
	if b.quiet <= burstQuiet || !now.Before(b.until) {
		return 0
	}
	most := calmGain
	if share < fewShare {
		most = burstGain
	}
	return max(0, min(most, b.peak/share-1))
}
