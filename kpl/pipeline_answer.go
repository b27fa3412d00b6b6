// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"time"
)

// complete takes in the outcome of a request and decides about each of its records.
func (p *pipeline) complete(now time.Time, r *request) {
	p.inFlight.answered(r)
	if r.err != nil {
		f := faultOfCall(r.err)
		r.lost = lostAnswer(r.err, f)
		p.callFailed(now, r, f)
		return
	}
	p.sizeLimit.passed(r)
	for i, k := range r.records {
		if entry := r.entries[i]; entry.sequenceNumber != "" {
			attempt := r.attempt(entry.shard, "", "")
			p.topology.stored(k, &attempt)
		}
	}
	p.router.unknown.setShards(p.topology.shardsOfUnknown())
	answered, unavailable := false, fault{}
	for i, k := range r.records {
		entry := r.entries[i]
		if entry.sequenceNumber != "" {
			answered = true
			p.recordStored(now, r, k, entry)
			continue
		}
		f := faultOfEntry(entry.code, entry.message)
		if f.class == classUnavailable {
			unavailable = f
		} else if f.class != classTransient {
			answered = true
		}
		p.recordFailed(now, r, k, f, false)
	}
	if answered {
		p.available()
	} else if unavailable.code != "" {
		p.unavailable(now, unavailable, r.requestID)
	}
}

// callFailed decides about the records of a request that failed as one.
func (p *pipeline) callFailed(now time.Time, r *request, f fault) {
	f.class = p.judgeSize(now, r, f.class)
	if f.class.divides() && len(r.records) > 1 && !p.aborted {
		for _, k := range r.records {
			addAttempt(k.members, r.attempt("", f.code, f.message))
		}
		half := len(r.records) / 2
		p.collector.addReady(&request{records: r.records[:half:half]})
		p.collector.addReady(&request{records: r.records[half:]})
		p.noteOutage(now, f, r.requestID)
		return
	}
	for _, k := range r.records {
		p.recordFailed(now, r, k, f, true)
	}
	p.noteOutage(now, f, r.requestID)
}

// noteOutage takes in what a failed call says about the stream as a whole.
func (p *pipeline) noteOutage(now time.Time, f fault, requestID string) {
	switch f.class {
	case classUnavailable:
		if f.code == codeNotFound {
			p.streamMissing(now)
		}
		p.unavailable(now, f, requestID)
	case classThrottle, classRejected, classUnreadable:
		p.available()
	case classTransient, classLater, classTooLarge:
		p.probeLater(now)
	}
}

// attempt describes the request as an attempt of one of its records.
func (r *request) attempt(shard ShardID, code, message string) Attempt {
	return Attempt{
		Start: r.start, End: r.end, ShardID: shard, Code: code, Message: message, RequestID: r.requestID, AnswerLost: r.lost,
	}
}

// recordFailed decides about a record that was not stored, as far as we know. Whole means that the call failed as one.
func (p *pipeline) recordFailed(now time.Time, r *request, k *kinesisRecord, f fault, whole bool) {
	addAttempt(k.members, r.attempt("", f.code, f.message))
	// A whole call is throttled by the account or by KMS, which says nothing about the shard.
	byShard := f.class == classThrottle && !whole
	if f.class == classThrottle {
		p.early.throttled(now)
	}
	if byShard {
		p.limiter.throttled(k, r.start, now)
	}
	if p.aborted {
		p.finish(now, OutcomeClosed, fault{}, k.members...)
		return
	}
	switch nextStep(k, f.class, whole, len(r.records), p.config) {
	case stepRetry:
		members := p.unexpired(now, k.members)
		if byShard {
			p.retrier.addThrottled(now, members)
		} else {
			p.retrier.addFailed(now, members)
		}
	case stepRetryLater:
		p.retrier.addLater(now, p.unexpired(now, k.members))
	case stepSplit:
		half := len(k.members) / 2
		p.splitOff(now, k, k.members[:half])
		p.splitOff(now, k, k.members[half:])
	case stepThrottled:
		p.finish(now, OutcomeThrottled, fault{}, k.members...)
	case stepRejected:
		p.finish(now, OutcomeRejected, fault{}, k.members...)
	case stepTooLarge, stepUnavailable:
		p.finish(now, OutcomeUnavailable, fault{}, k.members...)
	}
}

// recordStored decides about a record that the service stored.
func (p *pipeline) recordStored(now time.Time, r *request, k *kinesisRecord, entry entryResult) {
	p.limiter.stored(k, now)
	p.judge(now, storedRecord{k, r.attempt(entry.shard, "", ""), entry.sequenceNumber})
}

// splitOff sends some members of a record in a request of their own.
func (p *pipeline) splitOff(now time.Time, from *kinesisRecord, members []userRecord) {
	members = p.unexpired(now, members)
	if len(members) == 0 {
		return
	}
	k := p.part(from, members)
	if p.compresses() {
		p.compressPart(k)
		return
	}
	p.collector.addReady(alone(k))
}

// unexpired ends the members that are canceled or expired, and returns the others.
func (p *pipeline) unexpired(now time.Time, members []userRecord) []userRecord {
	kept := make([]userRecord, 0, len(members))
	for i := range members {
		r := &members[i]
		switch {
		case r.canceled():
			p.finish(now, OutcomeCanceled, fault{}, *r)
		case p.expired(now, r.received):
			p.finish(now, OutcomeExpired, fault{}, *r)
		default:
			kept = append(kept, *r)
		}
	}
	return kept
}
