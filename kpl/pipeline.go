// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// pipeline is the core of a stream. It decides which record goes when, with which others, and what its outcome means. It
// does no I/O, reads no clock and holds no lock. Its loop owns it and tells it what happened. What follows from that is
// returned, or left in effects for the loop to carry out.
type pipeline struct {
	config *Config

	// topology knows the stream: its shards, its kind, and stored records that are not judged yet.
	topology topology
	// kind is the kind of stream that the stages go by. It differs from the topology's only until follow has run.
	kind streamKind

	// The stages, in the order in which a record meets them. A record is in one of them, in flight, or in topology.
	router     router
	aggregator *aggregator
	limiter    *limiter
	collector  collector
	inFlight   inFlight
	retrier    retrier

	// outage is set while the stream accepts no records. Then one request at a time is sent, to find out when it is over.
	outage outage
	// sizeLimit is the largest request that the endpoint lets through.
	sizeLimit sizeLimit
	// early decides whether records may go before their deadline.
	early earlyCommits
	// draining is set by Close. Nothing waits for other records any more.
	draining bool
	// aborted is set when Close runs out of time. Every record that is not stored fails.
	aborted bool

	// epochs counts the records without a Result, so that Flush knows when those put before it are done.
	epochs epochs

	effects effects
}

func newPipeline(config *Config, random *rand.Rand, members *memberPool) *pipeline {
	limiter := newLimiter(config, random)
	return &pipeline{
		config:     config,
		topology:   newTopology(),
		router:     router{unknown: limiter.lane(""), random: random},
		aggregator: newAggregator(config, members),
		limiter:    limiter,
		collector:  collector{config: config},
		retrier:    retrier{ttl: config.RecordTTL, random: random},
		early:      newEarlyCommits(),
		epochs:     newEpochs(),
	}
}

// put takes in a new record, of which it keeps a copy.
func (p *pipeline) put(now time.Time, r *userRecord) {
	r.epoch = p.epochs.enter()
	p.add(now, r)
}

// putAll takes in new records, of which it keeps copies.
func (p *pipeline) putAll(now time.Time, records []userRecord) {
	for some := range slices.Chunk(records, prefetchRecords) {
		p.aggregator.prefetch(some)
		for i := range some {
			p.put(now, &some[i])
		}
	}
}

// add passes a copy of r on to the aggregator. If r cannot be delivered any more, add ends it instead.
func (p *pipeline) add(now time.Time, r *userRecord) {
	switch {
	case p.aborted:
		p.finish(now, OutcomeClosed, fault{}, *r)
	case r.canceled():
		p.finish(now, OutcomeCanceled, fault{}, *r)
	case p.expired(now, r.received):
		p.finish(now, OutcomeExpired, fault{}, *r)
	case p.kind.maxRecordSize > 0 && r.size() > p.kind.maxRecordSize && !p.compresses() && p.heldForSize(now, r, r.size()):
	default:
		var buffer [2]closedRecord
		p.pass(now, p.aggregator.add(buffer[:0], r))
	}
}

// sizePause is how long a record pauses that is larger than the stream took, until a new description is there.
const sizePause = 100 * time.Millisecond

// heldForSize ends a record that is larger than the stream takes, or lets it pause until that is certain. The size is that with
// which it would be sent. It reports false if the record may be sent.
func (p *pipeline) heldForSize(now time.Time, r *userRecord, size int) bool {
	switch p.topology.checkSize(now, size) {
	case sizeTooLarge:
		p.finish(now, OutcomeRejected, fault{code: CodeTooLarge, message: fmt.Sprintf(
			"%d bytes with its partition key, the stream's limit is %d", size, p.kind.maxRecordSize)}, *r)
		return true
	case sizeUnknown:
		p.retrier.keep(now.Add(sizePause), []userRecord{*r})
		return true
	case sizeFits:
	}
	return false
}

// addAll adds records that were in the pipeline before. The oldest come first, so that they keep their order.
func (p *pipeline) addAll(now time.Time, members []userRecord) {
	order := make([]*userRecord, len(members))
	for i := range members {
		order[i] = &members[i]
	}
	slices.SortStableFunc(order, func(a, b *userRecord) int { return a.received.Compare(b.received) })
	for _, r := range order {
		p.add(now, r)
	}
}

// pass passes closed records on to the limiter, or lets them be compressed before.
func (p *pipeline) pass(now time.Time, closed []closedRecord) {
	for _, k := range closed {
		p.effects.flush(StageAggregator, k.reason)
		if p.compresses() {
			p.compress(k.kinesisRecord)
			continue
		}
		p.router.route(k.kinesisRecord, now) // the aggregator goes by the same shards, or keys choose none
		p.limit(now, k.kinesisRecord)
	}
}

// limit passes k on to the limiter.
func (p *pipeline) limit(now time.Time, k *kinesisRecord) {
	k.limit(now)
	p.limiter.push(k)
}

// step moves on everything that can move now, and returns the requests to send.
func (p *pipeline) step(now time.Time, callers callers) []*request {
	for members, ok := p.retrier.take(now); ok; members, ok = p.retrier.take(now) {
		p.addAll(now, members)
	}
	if oldest, ok := p.collector.oldestPending(); ok && p.expired(now, oldest) {
		p.reconsider(now, func(k *kinesisRecord) bool { return !p.expired(now, k.received) })
	}
	if oldest, ok := p.topology.oldest(); ok && p.expired(now, oldest) {
		p.endWait(now)
	}
	requests := p.advance(now)
	if p.commitEarly(now, callers) {
		requests = append(requests, p.advance(now)...)
	}
	p.endEpochs()
	return requests
}

// advance moves on everything that is due, and returns the requests to send.
func (p *pipeline) advance(now time.Time) []*request {
	var requests []*request
	for {
		p.pass(now, p.aggregator.closeDue(nil, now))
		ready, expired := p.limiter.release(now)
		for _, k := range ready {
			p.collector.add(k)
		}
		for _, k := range expired {
			p.dissolve(now, k)
		}
		more, late := p.dispatch(now)
		requests = append(requests, more...)
		if len(expired) == 0 && !late {
			return requests
		}
	}
}

// dispatch puts together the requests that may be sent now. It reports late if it found expired records.
func (p *pipeline) dispatch(now time.Time) (requests []*request, late bool) {
	for p.inFlight.requests < p.config.MaxConnections && p.maySend(now) {
		r := p.nextRequest(now)
		if r == nil {
			return requests, late
		}
		if r = p.fit(now, r); r == nil {
			continue
		}
		n := len(r.records)
		r.records = slices.DeleteFunc(r.records, func(k *kinesisRecord) bool {
			if !p.expired(now, k.received) {
				return false
			}
			p.dissolve(now, k)
			return true
		})
		late = late || len(r.records) < n
		if len(r.records) > 0 {
			for _, k := range r.records {
				k.lane.send(k, now)
			}
			p.topology.sending(now, slices.ContainsFunc(r.records, (*kinesisRecord).framed))
			p.inFlight.sent(r)
			requests = append(requests, r)
		}
	}
	return requests, late
}

// nextRequest returns what to send next; nil if nothing is due.
func (p *pipeline) nextRequest(now time.Time) *request {
	if r := p.collector.takeReady(); r != nil {
		return r
	}
	reason, due := p.collector.due(now)
	if !due {
		return nil
	}
	p.effects.flush(StageCollector, reason)
	return p.collector.take(reason == FlushDeadline)
}

// nextWake is when step has something to do although nothing happens; false if never.
func (p *pipeline) nextWake(now time.Time) (time.Time, bool) {
	var next time.Time
	consider := func(at time.Time, ok bool) {
		if ok && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	consider(p.retrier.next())
	consider(p.aggregator.nextDeadline())
	consider(p.limiter.nextWake())
	consider(p.nextCommit())
	oldest, pending := p.collector.oldestPending()
	consider(oldest.Add(p.config.RecordTTL), pending)
	oldest, waiting := p.topology.oldest()
	consider(oldest.Add(p.config.RecordTTL), waiting)
	if p.inFlight.requests < p.config.MaxConnections {
		switch {
		case p.maySend(now):
			consider(p.collector.nextDeadline())
		case p.inFlight.requests == 0:
			consider(p.outage.nextProbe, !p.collector.empty())
		}
	}
	return next, !next.IsZero()
}

// expired reports whether a record that was received at the given time has outlived its TTL.
func (p *pipeline) expired(now, received time.Time) bool {
	return now.Sub(received) >= p.config.RecordTTL
}

// idle reports whether no record is in the pipeline.
func (p *pipeline) idle() bool { return p.epochs.outstanding == 0 && p.inFlight.requests == 0 }

// dissolve takes a waiting record apart and adds its members anew.
func (p *pipeline) dissolve(now time.Time, k *kinesisRecord) {
	if !now.Before(p.collector.deadlineOf(k)) {
		skipLinger(k.members)
	}
	p.addAll(now, k.members)
}

// finish ends members that were not delivered. The fault explains the outcome if no attempt of theirs does.
func (p *pipeline) finish(now time.Time, outcome Outcome, f fault, members ...userRecord) {
	p.end(ending{members: members, outcome: outcome, fault: f, at: now})
}

// end hands the Results of the members over.
func (p *pipeline) end(e ending) {
	p.epochs.leave(e.members)
	p.effects.end(e)
}
