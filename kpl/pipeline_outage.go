// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"time"
)

// A stream that is unavailable gets one request at a time, a probe. The pause between probes doubles from firstProbe to
// lastProbe.
const (
	firstProbe = time.Second
	lastProbe  = 8 * time.Second
)

// outage is a time in which a stream accepts no records. The zero value is none.
type outage struct {
	pause     time.Duration // from the last probe to the next; zero if there is no outage
	nextProbe time.Time
}

// startDown begins with an outage: the stream accepted no records when it was last used. The first request is a probe.
func (p *pipeline) startDown() { p.outage = outage{pause: firstProbe} }

// unavailable notes that a request failed for a reason that concerns all records. The first time, what waits stays until a
// probe has been sent. When the probe fails too, everything goes back to its owners.
func (p *pipeline) unavailable(now time.Time, f fault, requestID string) {
	if !p.down() {
		p.outage = outage{pause: firstProbe, nextProbe: now.Add(firstProbe)}
		p.effects.changeAvailability(fmt.Errorf("%w: %s: %s", ErrUnavailable, f.code, withRequestID(f.message, requestID)))
		return
	}
	p.probeLater(now)
	p.failBuffered(now, OutcomeUnavailable, f)
}

// probeLater sets the time of the next probe, if there is an outage.
func (p *pipeline) probeLater(now time.Time) {
	if p.down() {
		p.outage.pause = min(2*p.outage.pause, lastProbe)
		p.outage.nextProbe = now.Add(p.outage.pause)
	}
}

// available notes that the service works.
func (p *pipeline) available() {
	if p.down() {
		p.outage = outage{}
		p.effects.changeAvailability(nil)
	}
}

// down reports whether there is an outage.
func (p *pipeline) down() bool { return p.outage.pause > 0 }

// maySend reports whether a request may be sent now.
func (p *pipeline) maySend(now time.Time) bool {
	switch {
	case p.inFlight.requests > 0:
		return !p.down() && !p.sizeLimit.cautious
	default:
		return !p.down() || !now.Before(p.outage.nextProbe)
	}
}

// failBuffered ends every record that is not in a request and was not stored.
func (p *pipeline) failBuffered(now time.Time, outcome Outcome, f fault) {
	if members := p.takeBuffered(); len(members) > 0 {
		p.finish(now, outcome, f, members...)
	}
}

// takeBuffered takes out of all stages what is not in a request and was not stored.
func (p *pipeline) takeBuffered() []userRecord {
	members := p.aggregator.takeAll()
	for _, k := range p.limiter.takeAll() {
		members = append(members, k.members...)
	}
	for _, k := range p.collector.takeAll() {
		members = append(members, k.members...)
	}
	for _, group := range p.retrier.takeAll() {
		members = append(members, group.members...)
	}
	for r := p.collector.takeReady(); r != nil; r = p.collector.takeReady() {
		for _, k := range r.records {
			members = append(members, k.members...)
		}
	}
	return members
}

// cancel ends the buffered records whose callers do not wait for them any more.
func (p *pipeline) cancel(now time.Time) {
	p.reconsider(now, func(k *kinesisRecord) bool { return !k.canceled() })
	p.addAll(now, p.aggregator.takeAll())
	for _, group := range p.retrier.takeAll() {
		p.retrier.keep(group.at, p.unexpired(now, group.members))
	}
}

// abort ends everything that is not in a request. The records of a request end with it.
func (p *pipeline) abort(now time.Time) {
	p.aborted = true
	p.failBuffered(now, OutcomeClosed, fault{})
	for _, stored := range p.topology.takeWaiting() {
		p.placed(now, judgedRecord{stored, placeBad}, unknownRange)
	}
}
