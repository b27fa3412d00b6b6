// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// commitModel is a model of producers whose callers wait for their Results. The pipelines are real; the service, the callers
// and the clock are not.
type commitModel struct {
	producers  int
	shards     int
	keyed      bool          // each record has one of many partition keys
	rate       float64       // requests a second that each producer gets at random times
	callers    int           // of each producer, which put requests one after the other; instead of a rate
	perRequest int           // records in a request; 0 is 1
	recordSize int           // bytes; 0 is 2,000
	call       time.Duration // of PutRecords; 0 is commitCall
	limited    bool          // shards throttle what is beyond their limits
	plain      bool          // nothing goes before its deadline
	length     time.Duration

	now     time.Time
	dice    *rand.Rand
	events  eventQueue
	service []contendedShard
	ages    []time.Duration
	result  commitResult
}

// commitResult is what came of a run. All but the times are means of a second, of all producers.
type commitResult struct {
	p50, p99                        time.Duration // from the first Put of a request to its last Result
	requests, units, records, calls float64       // requests that were answered; PUT units, Kinesis records and calls for them
	throttled                       float64
}

func (r commitResult) String() string {
	return fmt.Sprintf("p50 %v, p99 %v; a second: %.1f requests, %.1f PUT units, %.1f Kinesis records (%.2f throttled), %.1f calls",
		r.p50.Round(100*time.Microsecond), r.p99.Round(100*time.Microsecond), r.requests, r.units, r.records, r.throttled, r.calls)
}

const commitCall = 15 * time.Millisecond

// commitProducer is a producer of the model.
type commitProducer struct {
	pipeline *pipeline
	wake     time.Time
}

func (m *commitModel) run() commitResult {
	m.now, m.dice = at(0), rand.New(rand.NewPCG(1, 2))
	m.producers, m.perRequest = max(m.producers, 1), max(m.perRequest, 1)
	if m.recordSize == 0 {
		m.recordSize = 2000
	}
	if m.call == 0 {
		m.call = commitCall
	}
	for range m.shards {
		m.service = append(m.service, contendedShard{
			records: meter{perSecond: shardRecordsPerSecond}, bytes: meter{perSecond: shardBytesPerSecond},
		})
	}
	for range m.producers {
		m.addProducer()
	}
	for end := at(m.length); len(m.events) > 0 && m.events[0].at.Before(end); {
		next := heap.Pop(&m.events).(event)
		m.now = next.at
		next.do()
	}
	slices.Sort(m.ages)
	n := len(m.ages)
	r := m.result
	r.p50, r.p99, r.requests = m.ages[n/2], m.ages[n*99/100], float64(n)
	for _, count := range []*float64{&r.requests, &r.units, &r.records, &r.calls, &r.throttled} {
		*count /= m.length.Seconds()
	}
	return r
}

func (m *commitModel) schedule(at time.Time, do func()) { heap.Push(&m.events, event{at, do}) }

func (m *commitModel) addProducer() {
	config := Config{}.WithDefaults()
	p := &commitProducer{pipeline: newPipeline(&config, rand.New(rand.NewPCG(m.dice.Uint64(), 0)), new(memberPool))}
	if m.plain {
		p.pipeline.early.unused.fullAt, p.pipeline.early.requests.fullAt = at(2*m.length), at(2*m.length)
	}
	p.pipeline.setStream(m.now, description{asked: m.now, outcome: describeDone, kind: streamKind{described: true}})
	m.list(p)
	if m.callers == 0 {
		m.schedule(m.pause(), func() { m.arrive(p) })
	}
	for range m.callers {
		m.schedule(m.soon(), func() { m.repeat(p) })
	}
}

// list gives a producer a listing of the shards, which never change.
func (m *commitModel) list(p *commitProducer) {
	_ = p.pipeline.setShards(m.now, newShardMap(evenShards(m.shards), p.pipeline.topology.shards, m.now))
}

// pause is when the next request of a producer comes.
func (m *commitModel) pause() time.Time {
	return m.now.Add(time.Duration(m.dice.ExpFloat64() / m.rate * float64(time.Second)))
}

// soon is when a goroutine has noticed that it may go on.
func (m *commitModel) soon() time.Time {
	return m.now.Add(time.Duration(m.dice.IntN(200)) * time.Microsecond)
}

// arrive puts a request, and comes back for the next.
func (m *commitModel) arrive(p *commitProducer) {
	m.schedule(m.pause(), func() { m.arrive(p) })
	m.put(p, func() {})
}

// repeat puts a request, and puts the next one when the Results are there.
func (m *commitModel) repeat(p *commitProducer) {
	m.put(p, func() { m.schedule(m.soon(), func() { m.repeat(p) }) })
}

// put puts a request. Done is called when all its Results are there.
func (m *commitModel) put(p *commitProducer, done func()) {
	start, missing := m.now, m.perRequest
	records := make([]userRecord, m.perRequest)
	for i := range records {
		key := ""
		if m.keyed {
			key = fmt.Sprint("key", m.dice.IntN(1_000_000))
		}
		r, err := newUserRecord(new(sized(key, m.recordSize)), 1<<20)
		if err != nil {
			panic(err)
		}
		r.received = m.now
		r.done = func(Result) {
			missing--
			if missing == 0 {
				m.ages = append(m.ages, m.now.Sub(start))
				done()
			}
		}
		records[i] = r
	}
	hashKeys(records)
	p.pipeline.putAll(m.now, records)
	m.turn(p)
}

// turn does what the loop of a stream does.
func (m *commitModel) turn(p *commitProducer) {
	for _, r := range p.pipeline.step(m.now, callers{}) {
		m.send(p, r)
	}
	ended := slices.Clone(p.pipeline.effects.ended)
	p.pipeline.effects.reset()
	for _, e := range ended {
		for i := range e.members {
			e.members[i].done(Result{})
		}
	}
	if listing, _ := p.pipeline.topology.takeRequests(); listing {
		m.list(p)
	}
	if next, ok := p.pipeline.nextWake(m.now); ok {
		if !next.After(m.now) {
			next = m.now.Add(time.Nanosecond)
		}
		p.wake = next
		m.schedule(next, func() {
			if p.wake.Equal(m.now) {
				m.turn(p)
			}
		})
	}
}

// send makes a call. The service decides at once, and its answer takes a while.
func (m *commitModel) send(p *commitProducer, r *request) {
	m.result.calls++
	r.start, r.end = m.now, m.now.Add(m.call)
	r.entries = make([]entryResult, len(r.records))
	for i, k := range r.records {
		m.result.records++
		if m.limited && !m.takes(k) {
			m.result.throttled++
			r.entries[i].code = "ProvisionedThroughputExceededException"
			continue
		}
		m.result.units += float64((k.size() + PutUnit - 1) / PutUnit)
		r.entries[i] = entryResult{shard: k.lane.id, sequenceNumber: "1"}
	}
	m.schedule(r.end, func() {
		p.pipeline.complete(m.now, r)
		m.turn(p)
	})
}

// takes reports whether the shard of a record has room for it.
func (m *commitModel) takes(k *kinesisRecord) bool {
	i, _ := newShardMap(evenShards(m.shards), nil, m.now).predict(k.hash)
	s := &m.service[i]
	if !s.has(k.size(), m.now) {
		return false
	}
	s.records.take(1, m.now)
	s.bytes.take(k.size(), m.now)
	return true
}
