// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"slices"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/pace"
)

// tally is what is counted in a run. All but the seconds begin when the run is settled.
type tally struct {
	seconds                    []second
	offered, accepted, expired int
	ages                       []time.Duration // of stored records, from Put to Result
	each                       []int           // stored records of each producer
}

// second is the attempts in a second of a run.
type second struct{ attempts, stored int }

func (t *tally) attempt(now time.Time, stored bool) {
	s := &t.seconds[now.Sub(at(0))/time.Second]
	s.attempts++
	if stored {
		s.stored++
	}
}

func (t *tally) ended(producer int, age time.Duration, stored bool) {
	if !stored {
		t.expired++
		return
	}
	t.ages = append(t.ages, age)
	t.each[producer]++
}

// contentionResult is what came of a run after it settled.
type contentionResult struct {
	goodput      float64       // stored, as part of what was offered or of what the shards had for us, whichever is less
	wasted       float64       // throttled attempts, as part of all
	firstMinute  float64       // the same, for the first minute of the run
	p50, p99     time.Duration // from Put to the Result of stored records
	over1, over5 float64       // stored records that took longer than 1 s and 5 s, as part of all that were stored
	expired      float64       // as part of all that ended
	away         float64       // offered, and not accepted
	jain         float64       // fairness among the producers, 1/n to 1
}

// measure looks at the time from settled to the end.
func (c *contention) measure() contentionResult {
	t := &c.tally
	slices.Sort(t.ages)
	length := (c.length - c.settled).Seconds()
	capacity := float64(c.shards) * c.perSecond() * length
	if c.splitAt > 0 {
		capacity += float64(c.shards) * c.perSecond() * (c.length - max(c.splitAt, c.settled)).Seconds()
	}
	if c.foreign > 0 {
		capacity *= 1 - c.foreign/2
	}
	stored, ended := float64(len(t.ages)), float64(max(1, len(t.ages)+t.expired))
	r := contentionResult{
		goodput:     stored / max(1, min(capacity, float64(t.offered))),
		wasted:      c.wasted(c.settled, c.length),
		firstMinute: c.wasted(0, min(time.Minute, c.length)),
		expired:     float64(t.expired) / ended,
		away:        1 - float64(t.accepted)/float64(max(1, t.offered, t.accepted)),
		jain:        jain(t.each),
		over1:       t.older(time.Second),
		over5:       t.older(5 * time.Second),
	}
	if n := len(t.ages); n > 0 {
		r.p50, r.p99 = t.ages[n/2], t.ages[n*99/100]
	}
	return r
}

// wasted is the part of the attempts that was throttled in some seconds.
func (c *contention) wasted(start, end time.Duration) float64 {
	sum := c.tally.between(start, end)
	return float64(sum.attempts-sum.stored) / float64(max(sum.attempts, 1))
}

func (t *tally) between(start, end time.Duration) second {
	var sum second
	for _, s := range t.seconds[start/time.Second : end/time.Second] {
		sum.attempts += s.attempts
		sum.stored += s.stored
	}
	return sum
}

// older is the part of the stored records that took longer.
func (t *tally) older(than time.Duration) float64 {
	first, _ := slices.BinarySearch(t.ages, than+1)
	return float64(len(t.ages)-first) / float64(max(1, len(t.ages)))
}

// until is how long after start five seconds in a row have the given goodput; false if they never have.
func (c *contention) until(start time.Duration, goodput float64) (time.Duration, bool) {
	const window = 5 * time.Second
	for from := start; from+window <= c.length; from += time.Second {
		if float64(c.tally.between(from, from+window).stored) >= goodput*float64(c.shards)*c.perSecond()*window.Seconds() {
			return from - start, true
		}
	}
	return 0, false
}

// jain is Jain's index of fairness: 1 if all have the same, 1/n if one has all.
func jain(each []int) float64 {
	sum, squares := 0.0, 0.0
	for _, n := range each {
		sum, squares = sum+float64(n), squares+float64(n)*float64(n)
	}
	return sum * sum / max(float64(len(each))*squares, 1)
}

// cutPace is a Pace that was just cut to a share.
func cutPace(share float64, now time.Time) pace.Pace {
	const pause = 250 * time.Millisecond
	for cuts := 1; ; cuts++ {
		p := pace.New()
		for cut := range cuts {
			then := now.Add(-pause * time.Duration(cuts-cut))
			p.Throttled(time.Hour, 0, then, then)
		}
		if p.Share(0, now) <= share {
			return p
		}
	}
}
