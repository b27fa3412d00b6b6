package kpl

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// pipeline is the core of a stream: which record goes when, with which others, and what its outcome means. It does no
// I/O, reads no clock and holds no lock; its loop owns it and tells it what happened. What a call brings about is
// returned, or left in effects for the loop to carry out.
type pipeline struct {
	config *Config
	random *rand.Rand

	info       streamInfo
	asked      bool      // the first description is here, or is not to be had
	listed     *shardMap // as the service told; the router's, unless it would mislead
	sure       time.Time // when the stream that answers was last known to be the one that is listed
	stray      *stray    // what the next listing has to explain; nil if nothing
	wished     bool      // a listing is on its way that makes sure
	unlistable bool      // the last listing failed, though there is a stream
	missing    bool      // the last listing found no stream
	everListed bool
	router     router
	aggregator *aggregator
	limiter    *limiter
	collector  collector

	retries  []retryGroup   // by time
	split    []*request     // halves of refused requests
	unjudged []storedRecord // on shards the map does not know yet
	inFlight int
	partial  int     // of those in flight, the ones that were not full
	down     *outage // nil while the stream accepts records
	draining bool    // nothing waits for others any more
	aborted  bool    // everything that is not stored fails

	outstanding int
	epochs      epochs
	answered    map[ShardID]struct{}

	effects effects
}

// callers is what the loop knows of those who put records.
type callers struct {
	filling bool // somebody is putting a batch and is not done
	blocked bool // somebody waits for room
}

func newPipeline(config *Config, random *rand.Rand, members *memberPool) *pipeline {
	limiter := newLimiter(config, random)
	return &pipeline{
		config:     config,
		random:     random,
		router:     router{unknown: limiter.lane(""), random: random},
		aggregator: newAggregator(config, members),
		limiter:    limiter,
		collector:  collector{config: config},
		epochs:     newEpochs(),
	}
}

// put takes in a new record, of which it keeps a copy.
func (p *pipeline) put(now time.Time, r *userRecord) {
	r.epoch = p.epochs.enter()
	p.outstanding++
	p.add(now, r)
}

// add passes a copy of r on to the aggregator, unless it is too late for that.
func (p *pipeline) add(now time.Time, r *userRecord) {
	switch {
	case p.aborted:
		p.finish(now, OutcomeClosed, fault{}, *r)
	case r.canceled():
		p.finish(now, OutcomeCanceled, fault{}, *r)
	case p.expired(now, r.received):
		p.finish(now, OutcomeExpired, fault{}, *r)
	case p.tooLarge(r):
		p.finish(now, OutcomeRejected, fault{code: CodeTooLarge, message: fmt.Sprintf(
			"%d bytes with its partition key, the stream's limit is %d", r.size(), p.info.maxRecordSize)}, *r)
	default:
		var buffer [2]closedRecord
		p.pass(now, p.aggregator.add(buffer[:0], r))
	}
}

// addAll adds records that have been in the pipeline before, oldest first, so that they keep their order.
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

// pass sends closed records on their way to the limiter.
func (p *pipeline) pass(now time.Time, closed []closedRecord) {
	for _, k := range closed {
		p.effects.flushed = append(p.effects.flushed, flushed{StageAggregator, k.reason})
		p.router.route(k.kinesisRecord, now) // the aggregator goes by the same map: always true
		p.limiter.push(k.kinesisRecord)
	}
}

// step moves on whatever can move at now and returns the requests to send.
func (p *pipeline) step(now time.Time, callers callers) []*request {
	for len(p.retries) > 0 && !p.retries[0].at.After(now) {
		members := p.retries[0].members
		p.retries = slices.Delete(p.retries, 0, 1)
		p.addAll(now, members)
	}
	if p.nobodyElseComes(callers) {
		p.commit(now, FlushCommit)
	}
	if len(p.collector.pending) > 0 && p.expired(now, p.collector.oldest) {
		p.reconsider(now, func(k *kinesisRecord) bool { return !p.expired(now, k.received) })
	}
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
			break
		}
	}
	p.endEpochs()
	return requests
}

// nobodyElseComes reports whether waiting for further records is a waste, as far as this stream can tell.
func (p *pipeline) nobodyElseComes(callers callers) bool {
	switch {
	case p.draining:
		return true
	case callers.blocked:
		// What is sent makes room. If nothing is, only what lingers here can.
		return p.inFlight == 0 && len(p.retries) == 0 && len(p.limiter.busy) == 0
	case !p.config.buffers():
		return p.partial == 0 && !callers.filling // behind full requests there is more to come, but nothing to wait for
	default:
		return false
	}
}

// commit makes everything that is buffered due now.
func (p *pipeline) commit(now time.Time, reason FlushReason) {
	p.pass(now, p.aggregator.closeAll(nil, reason))
	p.collector.commit(now)
}

// dispatch puts together the requests that may be sent now. It reports late if it found expired records on the way.
func (p *pipeline) dispatch(now time.Time) (requests []*request, late bool) {
	for p.inFlight < p.config.MaxConnections && p.maySend(now) {
		r := p.nextRequest(now)
		if r == nil {
			return requests, late
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
				k.lane.take(k, now)
			}
			p.askAhead(now, r)
			p.inFlight++
			if r.partial {
				p.partial++
			}
			requests = append(requests, r)
		}
	}
	return requests, late
}

// nextRequest returns what to send next; nil if nothing is due.
func (p *pipeline) nextRequest(now time.Time) *request {
	if len(p.split) > 0 {
		r := p.split[0]
		p.split = slices.Delete(p.split, 0, 1)
		return r
	}
	reason, due := p.collector.due(now)
	if !due {
		return nil
	}
	p.effects.flushed = append(p.effects.flushed, flushed{StageCollector, reason})
	r := p.collector.take()
	r.partial = reason == FlushDeadline
	return r
}

// nextWake is when step has something to do that no event announces; false if never.
func (p *pipeline) nextWake(now time.Time) (time.Time, bool) {
	var next time.Time
	consider := func(at time.Time, ok bool) {
		if ok && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if len(p.retries) > 0 {
		consider(p.retries[0].at, true)
	}
	consider(p.aggregator.nextDeadline())
	consider(p.limiter.nextWake())
	consider(p.collector.oldest.Add(p.config.RecordTTL), len(p.collector.pending) > 0)
	if p.inFlight < p.config.MaxConnections {
		switch {
		case p.maySend(now):
			consider(p.collector.deadline, len(p.collector.pending) > 0)
		case p.inFlight == 0:
			consider(p.down.nextProbe, len(p.collector.pending)+len(p.split) > 0)
		}
	}
	return next, !next.IsZero()
}

// expired reports whether a record received then has outlived its TTL.
func (p *pipeline) expired(now, received time.Time) bool {
	return now.Sub(received) >= p.config.RecordTTL
}

// dissolve takes a waiting record apart and adds its members anew.
func (p *pipeline) dissolve(now time.Time, k *kinesisRecord) {
	for i := range k.members {
		r := &k.members[i]
		r.due = r.due || !now.Before(p.collector.deadlineOf(k))
	}
	p.addAll(now, k.members)
}

// retry adds members again after a pause.
func (p *pipeline) retry(now time.Time, members []userRecord) {
	attempts, oldest := 0, now
	for i := range members {
		r := &members[i]
		attempts = max(attempts, len(r.trips()))
		if r.received.Before(oldest) {
			oldest = r.received
		}
	}
	at := now.Add(backoff(attempts, p.random.Float64()))
	if expiry := oldest.Add(p.config.RecordTTL); expiry.Before(at) {
		at = expiry
	}
	group := retryGroup{at, members}
	i, _ := slices.BinarySearchFunc(p.retries, group, func(a, b retryGroup) int {
		return cmp.Or(a.at.Compare(b.at), -1) // behind those of the same time
	})
	p.retries = slices.Insert(p.retries, i, group)
}

// finish ends members that were not delivered. The fault explains an outcome that no attempt of theirs does.
func (p *pipeline) finish(now time.Time, outcome Outcome, f fault, members ...userRecord) {
	p.end(ending{members: members, outcome: outcome, fault: f, at: now})
}

// end hands the Results of the members over.
func (p *pipeline) end(e ending) {
	p.outstanding -= len(e.members)
	p.epochs.leave(e.members)
	p.effects.ended = append(p.effects.ended, e)
}
