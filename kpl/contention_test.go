// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"container/heap"
	"math/rand/v2"
	"strconv"
	"time"
)

// contention is a model of producers that share the shards of a stream and know nothing of each other. The limiters are
// real; the service and the clock are not. Each producer gets records to send to each shard at random times.
type contention struct {
	producers, shards int
	recordSize        int
	policy            policy
	demand            float64       // what all producers together get to send, as part of what a shard takes
	bursts            bool          // the demand of a producer comes in turns of 5 to 15 s, and is nothing as long
	outstanding       time.Duration // of its fair share of a shard that a producer takes in at a time; 0 is no bound
	backlog           time.Duration // of its fair share, that each producer has to send at the start
	foreign           float64       // part of a shard's bytes that others write to half of the shards, and never lose
	greedy            float64       // the same as attempts that others make on all shards, whatever is throttled
	random            float64       // part of the attempts that are throttled whatever the rate
	stormAt           time.Duration // when stormTime begins in which all is throttled; 0 is never
	splitAt           time.Duration // when every shard splits in two; 0 is never
	alone             time.Duration // when all producers but the first get nothing any more; 0 is never
	cutTo             float64       // the share at the start; 0 is all
	length, settled   time.Duration // of the run, and before it counts
	seed              uint64

	now     time.Time
	dice    *rand.Rand
	events  eventQueue
	answers []answer // in order: all are under way for the same time
	service []contendedShard
	members []*contender
	tally   tally
}

// policy is what paces a producer.
type policy int

const (
	policyKPL   policy = iota // 150 % of the limits
	policyFixed               // Config.FixedRate
	policyPaced               // the default
)

// contender is a producer.
type contender struct {
	number  int
	config  Config
	limiter *limiter
	wake    time.Time // when it looks at its limiter next
	has     []int     // records by shard
	on      bool      // in bursts
}

// answer is an answer about a record that is on its way to a producer.
type answer struct {
	at, sent time.Time
	member   *contender
	record   *kinesisRecord
	stored   bool
}

const (
	contentionTrip = 20 * time.Millisecond
	foreignRecord  = 10_000 // bytes
	stormTime      = 30 * time.Second
)

// run lets the model run.
func (c *contention) run() contentionResult {
	c.now = at(0)
	c.dice = rand.New(rand.NewPCG(c.seed, uint64(c.producers*1000+c.shards)))
	c.tally.seconds, c.tally.each = make([]second, c.length/time.Second+1), make([]int, c.producers)
	for range c.shards {
		c.addShard()
	}
	for number := range c.producers {
		c.addProducer(number)
	}
	if c.splitAt > 0 {
		c.schedule(at(c.splitAt), c.split)
	}
	over := false
	c.schedule(at(c.length), func() { over = true })
	for !over {
		if len(c.answers) > 0 && c.answers[0].at.Before(c.events[0].at) {
			next := c.answers[0]
			c.answers = c.answers[1:]
			c.now = next.at
			c.take(next)
			continue
		}
		next := heap.Pop(&c.events).(event)
		c.now = next.at
		next.do()
	}
	return c.measure()
}

func (c *contention) addProducer(number int) {
	m := &contender{number: number, config: Config{}.WithDefaults(), has: make([]int, 3*c.shards)}
	m.config.FixedRate = c.policy != policyPaced
	if c.policy == policyKPL {
		m.config.RateLimit = 150
	}
	m.limiter = newLimiter(&m.config, c.dice)
	c.members = append(c.members, m)
	for shard := range c.shards {
		if lane := m.limiter.lane(c.service[shard].id); c.cutTo > 0 {
			lane.pace = cutPace(c.cutTo, c.now)
		}
		for range int(c.backlog.Seconds() * c.perSecond() / float64(c.producers)) {
			c.offer()
			c.push(m, shard)
		}
		c.schedule(c.now, func() { c.arrive(m, shard) })
	}
	if c.bursts {
		m.on = c.dice.IntN(2) == 0
		c.schedule(c.now.Add(time.Duration(c.dice.Float64()*float64(15*time.Second))), func() { c.turn(m) })
	}
}

// turn begins or ends a burst.
func (c *contention) turn(m *contender) {
	m.on = !m.on
	c.schedule(c.now.Add(time.Duration((5+10*c.dice.Float64())*float64(time.Second))), func() { c.turn(m) })
}

// arrive gives a producer a record for a shard, and comes back for the next.
func (c *contention) arrive(m *contender, shard int) {
	demand := c.demand / float64(c.producers)
	if c.bursts {
		demand *= 2
	}
	quiet := c.bursts && !m.on || c.alone > 0 && m.number > 0 && c.now.After(at(c.alone))
	fair := c.perSecond() / float64(c.producers) // records a second
	if c.alone > 0 && m.number == 0 {
		fair, demand = c.perSecond(), c.demand
	}
	if to := c.successor(shard); !quiet && demand > 0 {
		c.offer()
		if c.outstanding == 0 || m.has[to] < max(1, int(c.outstanding.Seconds()*fair)) {
			c.push(m, to)
		}
	}
	if demand > 0 {
		pause := c.dice.ExpFloat64() / demand / c.perSecond() * float64(time.Second)
		c.schedule(c.now.Add(time.Duration(pause)), func() { c.arrive(m, shard) })
	}
}

// offer counts a record that a producer gets to send.
func (c *contention) offer() {
	if c.counts(c.now) {
		c.tally.offered++
	}
}

// push puts a new record into its lane.
func (c *contention) push(m *contender, shard int) {
	m.has[shard]++
	if c.counts(c.now) {
		c.tally.accepted++
	}
	lane := m.limiter.lane(c.service[shard].id)
	c.wait(m, waitingRecord(lane, c.recordSize, c.now.Sub(at(0))))
}

// wait makes a record wait in its lane.
func (c *contention) wait(m *contender, k *kinesisRecord) {
	m.limiter.push(k)
	if k.lane.waiting[0] == k {
		c.wakeAt(m, c.now)
	}
}

// wakeAt lets a producer look at its limiter at the given time, unless it does so earlier.
func (c *contention) wakeAt(m *contender, then time.Time) {
	if m.wake.After(c.now) && !then.Before(m.wake) {
		return
	}
	if !then.After(c.now) {
		then = c.now.Add(time.Nanosecond)
	}
	m.wake = then
	c.schedule(then, func() {
		if m.wake.Equal(c.now) {
			c.send(m)
		}
	})
}

// send lets a producer send what its limiter releases, and schedules the next time at which it releases more.
func (c *contention) send(m *contender) {
	ready, expired := m.limiter.release(c.now)
	for _, k := range ready {
		k.lane.unrelease(k)
		k.lane.send(k, c.now)
		c.answers = append(c.answers, answer{
			at: c.now.Add(contentionTrip), sent: c.now, member: m, record: k, stored: c.serve(k),
		})
	}
	for _, k := range expired {
		c.end(m, k, false)
	}
	if next, ok := m.limiter.nextWake(); ok {
		c.wakeAt(m, next)
	}
}

func shardOf(k *kinesisRecord) int {
	shard, err := strconv.Atoi(string(k.lane.id))
	if err != nil {
		panic(err)
	}
	return shard
}

// take tells a producer what became of its record.
func (c *contention) take(a answer) {
	m, k := a.member, a.record
	if a.stored {
		m.limiter.stored(k, c.now)
		c.end(m, k, true)
		return
	}
	m.limiter.throttled(k, a.sent, c.now)
	pause := 50 * time.Millisecond // the KPL sends it again when it is due in the aggregator
	if c.policy != policyKPL {
		pause = firstBackoff/2 + time.Duration(c.dice.Float64()*float64(firstBackoff/2))
	}
	c.schedule(c.now.Add(pause), func() {
		shard := shardOf(k)
		to := c.successor(shard)
		m.has[shard]--
		m.has[to]++
		k.lane = m.limiter.lane(c.service[to].id)
		c.wait(m, k)
	})
}

// end notes what came of a record.
func (c *contention) end(m *contender, k *kinesisRecord, stored bool) {
	m.has[shardOf(k)]--
	if c.counts(c.now) {
		c.tally.ended(m.number, c.now.Sub(k.received), stored)
	}
}

// counts reports whether the run is settled.
func (c *contention) counts(then time.Time) bool { return !then.Before(at(c.settled)) }
