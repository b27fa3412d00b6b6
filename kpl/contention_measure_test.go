package kpl

import "time"

// contentionResult is what a run of the model measured.
type contentionResult struct {
	goodput float64 // stored, as part of what the shards could take from the producers
	wasted  float64 // throttled attempts, as part of all
	jain    float64 // fairness among the producers at the mean shard, 1/n to 1
}

// measure looks at the time from settled to the end.
func (c *contention) measure() contentionResult {
	r := c.window(0, c.shards, c.settled, c.length)
	for shard := range c.shards {
		r.jain += jain(c.service[shard].each) / float64(c.shards)
	}
	return r
}

// window looks at some shards for some time, without fairness.
func (c *contention) window(first, last int, start, end time.Duration) contentionResult {
	var sum tally
	capacity := 0.0
	for shard := first; shard < last; shard++ {
		share := 1.0
		if c.hasForeign(shard) {
			share -= c.foreign
		}
		capacity += share * c.perSecond() * (end - start).Seconds()
		for _, second := range c.service[shard].seconds[start/time.Second : end/time.Second] {
			sum.attempts += second.attempts
			sum.stored += second.stored
		}
	}
	return contentionResult{
		goodput: float64(sum.stored) / capacity,
		wasted:  float64(sum.attempts-sum.stored) / float64(max(sum.attempts, 1)),
	}
}

// jain is Jain's index of fairness: 1 if all have the same, 1/n if one has all.
func jain(each []int) float64 {
	sum, squares := 0.0, 0.0
	for _, n := range each {
		sum, squares = sum+float64(n), squares+float64(n)*float64(n)
	}
	return sum * sum / max(float64(len(each))*squares, 1)
}

// convergence is how long after start it takes until ten seconds have a goodput of 95 % and waste less than 5 %; false if
// they never do.
func (c *contention) convergence(first, last int, start time.Duration) (time.Duration, bool) {
	const window = 10 * time.Second
	for from := start; from+window <= c.length; from += time.Second {
		if r := c.window(first, last, from, from+window); r.goodput >= 0.95 && r.wasted < 0.05 {
			return from - start, true
		}
	}
	return 0, false
}
