package kpl

import (
	"fmt"
	"time"
)

// A stream that is unavailable gets one request at a time, a probe, at intervals that double from the first to the
// last.
const (
	firstProbe = time.Second
	lastProbe  = 8 * time.Second
)

// outage is a time in which a stream accepts no records.
type outage struct {
	pause     time.Duration
	nextProbe time.Time
}

// unavailable notes that the service refused a request for a reason that concerns all records. The first time, what
// waits stays: a probe will tell. When the probe is refused too, everything goes back to its owners.
func (p *pipeline) unavailable(now time.Time, f fault) {
	if p.down == nil {
		p.down = &outage{pause: firstProbe, nextProbe: now.Add(firstProbe)}
		err := fmt.Errorf("%w: %s: %s", ErrUnavailable, f.code, f.message)
		p.effects.availability = append(p.effects.availability, err)
		return
	}
	p.probeLater(now)
	p.failBuffered(now, OutcomeUnavailable, f)
}

// probeLater sets the time of the next probe, if there is an outage.
func (p *pipeline) probeLater(now time.Time) {
	if p.down != nil {
		p.down.pause = min(2*p.down.pause, lastProbe)
		p.down.nextProbe = now.Add(p.down.pause)
	}
}

// available notes that the service works.
func (p *pipeline) available() {
	if p.down != nil {
		p.down = nil
		p.effects.availability = append(p.effects.availability, nil)
	}
}

// maySend reports whether a request may be sent now.
func (p *pipeline) maySend(now time.Time) bool {
	return p.down == nil || p.inFlight == 0 && !now.Before(p.down.nextProbe)
}

// failBuffered ends every record that is in no request and was not stored.
func (p *pipeline) failBuffered(now time.Time, outcome Outcome, f fault) {
	if members := p.takeBuffered(); len(members) > 0 {
		p.finish(now, outcome, f, members...)
	}
}

// takeBuffered empties all stages of what is in no request and was not stored.
func (p *pipeline) takeBuffered() []userRecord {
	members := p.aggregator.takeAll()
	for _, k := range p.limiter.takeAll() {
		members = append(members, k.members...)
	}
	for _, k := range p.collector.takeAll() {
		members = append(members, k.members...)
	}
	for _, group := range p.retries {
		members = append(members, group.members...)
	}
	for _, r := range p.split {
		for _, k := range r.records {
			members = append(members, k.members...)
		}
	}
	p.retries, p.split = nil, nil
	return members
}

// cancel ends the buffered records whose callers have given up on them.
func (p *pipeline) cancel(now time.Time) {
	p.reconsider(now, func(k *kinesisRecord) bool { return !k.canceled() })
	p.addAll(now, p.aggregator.takeAll())
	groups := p.retries
	p.retries = nil
	for _, group := range groups {
		if members := p.unexpired(now, group.members); len(members) > 0 {
			p.retries = append(p.retries, retryGroup{group.at, members})
		}
	}
}

// abort ends everything that is in no request; what is in one ends with it.
func (p *pipeline) abort(now time.Time) {
	p.aborted = true
	p.failBuffered(now, OutcomeClosed, fault{})
	unjudged := p.unjudged
	p.unjudged = nil
	for _, stored := range unjudged {
		p.misplaced(now, stored, unknownKeys)
	}
}
