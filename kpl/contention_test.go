package kpl

import (
	"container/heap"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/pace"
)

// contention is a model of producers that share the shards of a stream and know nothing of each other. The limiters are
// real; the service and the clock are not. All producers always have something to send to every shard.
type contention struct {
	producers, shards int
	recordSize        int
	learns            bool          // false is the KPL: 150 % of the limits for each producer, and no back-off
	foreign           float64       // part of a shard's bytes that others write to half of the shards, and never lose
	greedy            float64       // the same as attempts that others make on all shards, even when they are throttled
	random            float64       // part of the attempts that are throttled whatever the rate
	randomFor         time.Duration // how long that lasts; 0 is for ever
	startShare        float64       // of all lanes; 0 is the limiter's own choice
	length            time.Duration // virtual
	settled           time.Duration // when fairness begins to count
	splitAt           time.Duration // when every shard splits in two; 0 for never
	seed              uint64

	now     time.Time
	dice    *rand.Rand
	events  eventQueue
	answers []answer // in order, because all of them take the same time
	service []contendedShard
	members []*contender
}

// contendedShard is a shard as the service sees it.
type contendedShard struct {
	id             ShardID
	records, bytes meter
	seconds        []tally // by second
	each           []int   // what was stored of each producer after it settled
}

// tally counts attempts.
type tally struct{ attempts, stored int }

// contender is a producer.
type contender struct {
	number  int
	config  Config
	limiter *limiter
	wake    time.Time // when it looks at its limiter next
}

// answer is an answer about a record that is on its way to a producer.
type answer struct {
	at, sent time.Time
	member   *contender
	record   *kinesisRecord
	shard    int
	stored   bool
}

const (
	contentionTrip = 20 * time.Millisecond
	foreignRecord  = 10_000                 // bytes
	backlog        = 200 * time.Millisecond // of a shard's time, that a producer has waiting for it
)

// run lets the model run.
func (c *contention) run() {
	c.now = at(0)
	c.dice = rand.New(rand.NewPCG(c.seed, uint64(c.producers*1000+c.shards)))
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
}

func (c *contention) addProducer(number int) {
	m := &contender{number: number, config: Config{}.WithDefaults()}
	m.config.RecordTTL = time.Hour
	if !c.learns {
		m.config.RateLimit = 150
	}
	m.limiter = newLimiter(&m.config, c.dice)
	c.members = append(c.members, m)
	for shard := range c.shards {
		if lane := m.limiter.lane(c.service[shard].id); c.startShare > 0 {
			lane.pace = pace.New(c.startShare)
			lane.setRate()
		}
		c.fill(m, shard, c.backlog())
	}
	c.wakeAt(m, c.now.Add(time.Duration(c.dice.Int64N(int64(time.Second)))))
}

func (c *contention) addShard() {
	number := len(c.service)
	c.service = append(c.service, contendedShard{
		id:      ShardID(strconv.Itoa(number)),
		records: meter{perSecond: shardRecordsPerSecond},
		bytes:   meter{perSecond: shardBytesPerSecond},
		seconds: make([]tally, c.length/time.Second+1),
		each:    make([]int, c.producers),
	})
	if c.hasForeign(number) {
		c.schedule(c.now, func() { c.writeForeign(number, c.foreign, false) })
	}
	if c.greedy > 0 {
		c.schedule(c.now, func() { c.writeForeign(number, c.greedy, true) })
	}
}

func (c *contention) hasForeign(shard int) bool {
	parent := shard
	if shard >= c.shards {
		parent = (shard - c.shards) / 2
	}
	return c.foreign > 0 && (parent%2 == 0)
}

// writeForeign lets another writer put a record, and schedules the next one.
func (c *contention) writeForeign(shard int, part float64, refusable bool) {
	size := foreignRecord
	if refusable {
		size = c.recordSize
	}
	if s := &c.service[shard]; !refusable || s.has(size, c.now) {
		s.records.take(1, c.now)
		s.bytes.take(size, c.now)
	}
	pause := float64(time.Second) / part * max(float64(size)/shardBytesPerSecond, 1.0/shardRecordsPerSecond)
	c.schedule(c.now.Add(time.Duration(pause*(0.5+c.dice.Float64()))), func() { c.writeForeign(shard, part, refusable) })
}

// perSecond is how many records a shard takes.
func (c *contention) perSecond() float64 {
	return min(shardRecordsPerSecond, shardBytesPerSecond/float64(c.recordSize))
}

// backlog is how many records a producer has waiting for a shard.
func (c *contention) backlog() int { return int(c.perSecond() * backlog.Seconds()) }

// fill gives a producer work for a shard.
func (c *contention) fill(m *contender, shard, n int) {
	lane := m.limiter.lane(c.service[shard].id)
	for range n {
		m.limiter.push(waitingRecord(lane, c.recordSize, c.now.Sub(at(0))))
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
	ready, _ := m.limiter.release(c.now)
	for _, k := range ready {
		k.lane.unrelease(k)
		k.lane.send(k, c.now)
		shard, err := strconv.Atoi(string(k.lane.id))
		if err != nil {
			panic(err)
		}
		c.answers = append(c.answers, answer{
			at: c.now.Add(contentionTrip), sent: c.now, member: m, record: k, shard: shard, stored: c.arrive(m, shard, k),
		})
	}
	if next, ok := m.limiter.nextWake(); ok {
		c.wakeAt(m, next)
	}
}

// arrive decides whether a shard stores a record, as the service does. The record counts from when it is sent, because all
// records take the same time to arrive.
func (c *contention) arrive(m *contender, shard int, k *kinesisRecord) bool {
	s := &c.service[shard]
	second := &s.seconds[c.now.Sub(at(0))/time.Second]
	second.attempts++
	if c.atRandom() || !s.has(k.size(), c.now) {
		return false
	}
	s.records.take(1, c.now)
	s.bytes.take(k.size(), c.now)
	second.stored++
	if !c.now.Before(at(c.settled)) {
		s.each[m.number]++
	}
	return true
}

func (s *contendedShard) has(size int, now time.Time) bool {
	return !s.records.readyAt(1).After(now) && !s.bytes.readyAt(size).After(now)
}

// take tells a producer what became of its record.
func (c *contention) take(a answer) {
	m, shard := a.member, c.successor(a.shard)
	again := func() {
		a.record.lane = m.limiter.lane(c.service[shard].id)
		m.limiter.push(a.record)
		if ready, ok := a.record.lane.readyAt(a.record.lane.waiting[0]); ok {
			c.wakeAt(m, ready)
		}
	}
	if a.stored {
		if c.learns {
			m.limiter.stored(a.record, c.now)
		}
		a.record.received = c.now // it stands for the next record now
		again()
		return
	}
	pause := 50 * time.Millisecond // the KPL sends it again when it is due in the aggregator
	if c.learns {
		m.limiter.throttled(a.record, a.sent, c.now)
		pause = backoff(1, c.dice.Float64())
	}
	c.schedule(c.now.Add(pause), func() { shard = c.successor(shard); again() })
}

// atRandom reports whether an attempt is throttled whatever the rate.
func (c *contention) atRandom() bool {
	over := c.randomFor > 0 && c.now.Sub(at(0)) >= c.randomFor
	return c.random > 0 && !over && c.dice.Float64() < c.random
}

// successor is the shard itself, or one of its children.
func (c *contention) successor(shard int) int {
	if shard >= c.shards || len(c.service) == c.shards {
		return shard
	}
	return c.shards + 2*shard + c.dice.IntN(2)
}

// split gives each shard two children. What waits goes to them, and each has as much work as its parent had.
func (c *contention) split() {
	for range 2 * c.shards {
		c.addShard()
	}
	for _, m := range c.members {
		for shard := range c.shards {
			for child := range 2 {
				m.limiter.childLane(c.service[c.shards+2*shard+child].id, m.limiter.lane(c.service[shard].id))
			}
		}
		for _, k := range m.limiter.takeAll() {
			shard, err := strconv.Atoi(string(k.lane.id))
			if err != nil {
				panic(err)
			}
			k.lane = m.limiter.lane(c.service[c.successor(shard)].id)
			m.limiter.push(k)
		}
		for shard := range 2 * c.shards {
			c.fill(m, c.shards+shard, c.backlog()/2)
		}
		c.wakeAt(m, c.now)
	}
}
