package kpl

import (
	"time"
)

// complete takes in the outcome of a request and decides about each of its records.
func (p *pipeline) complete(now time.Time, r *request) {
	p.inFlight--
	if r.partial {
		p.partial--
	}
	if r.err == nil && len(r.entries) != len(r.records) {
		r.err = countMismatchError{len(r.entries), len(r.records)}
	}
	if r.err != nil {
		p.callFailed(now, r, faultOfCall(r.err))
		return
	}
	p.landed(r)
	answered, refused := false, fault{}
	for i, k := range r.records {
		entry := r.entries[i]
		if entry.sequenceNumber != "" {
			answered = true
			p.recordStored(now, r, k, entry)
			continue
		}
		f := faultOfEntry(entry.code, entry.message)
		if f.class == classUnavailable {
			refused = f
		} else if f.class != classTransient {
			answered = true
		}
		p.recordFailed(now, r, k, f, false)
	}
	if answered {
		p.available()
	} else if refused.code != "" {
		p.unavailable(now, refused)
	}
}

// callFailed decides about the records of a request that failed as one.
func (p *pipeline) callFailed(now time.Time, r *request, f fault) {
	if f.class == classRejected && len(r.records) > 1 && !p.aborted {
		for _, k := range r.records {
			addAttempt(k.members, r.attempt("", f.code, f.message))
		}
		half := len(r.records) / 2
		p.split = append(p.split, &request{records: r.records[:half:half]}, &request{records: r.records[half:]})
		p.available()
		return
	}
	for _, k := range r.records {
		p.recordFailed(now, r, k, f, true)
	}
	switch f.class {
	case classUnavailable:
		if f.code == codeNotFound {
			p.gone(now)
			p.effects.wantShards = true
		}
		p.unavailable(now, f)
	case classThrottle, classRejected:
		p.available()
	case classTransient:
		p.probeLater(now)
	}
}

// attempt describes the request from the view of one of its records.
func (r *request) attempt(shard ShardID, code, message string) Attempt {
	return Attempt{Start: r.start, End: r.end, ShardID: shard, Code: code, Message: message}
}

// recordFailed decides about a record that was not stored, as far as we know.
func (p *pipeline) recordFailed(now time.Time, r *request, k *kinesisRecord, f fault, whole bool) {
	addAttempt(k.members, r.attempt("", f.code, f.message))
	if f.class == classThrottle && !whole { // else it is the account's doing, or that of KMS, and tells nothing of the shard
		p.limiter.throttled(k, r.start, now)
	}
	if p.aborted {
		p.finish(now, OutcomeClosed, fault{}, k.members...)
		return
	}
	switch judgeFailed(k, f.class, whole, len(r.records), p.config.FailIfThrottled) {
	case verdictRetry:
		p.retryUnexpired(now, k.members)
	case verdictSplit:
		half := len(k.members) / 2
		p.splitOff(now, k, k.members[:half])
		p.splitOff(now, k, k.members[half:])
	case verdictThrottled:
		p.finish(now, OutcomeThrottled, fault{}, k.members...)
	case verdictRejected:
		p.finish(now, OutcomeRejected, fault{}, k.members...)
	case verdictUnavailable:
		p.finish(now, OutcomeUnavailable, fault{}, k.members...)
	case verdictDelivered, verdictUnknown, verdictMisplaced: // of stored records only
	}
}

// recordStored decides about a record that the service stored.
func (p *pipeline) recordStored(now time.Time, r *request, k *kinesisRecord, entry entryResult) {
	p.limiter.stored(k, now)
	p.judge(now, storedRecord{k, r.attempt(entry.shard, "", ""), entry.sequenceNumber})
}

// splitOff sends some members of a refused record in a request of their own.
func (p *pipeline) splitOff(now time.Time, from *kinesisRecord, members []userRecord) {
	members = p.unexpired(now, members)
	if len(members) == 0 {
		return
	}
	s := slot{}
	p.aggregator.open(&s, &members[0])
	for i := range members {
		p.aggregator.append(&s, &members[i], s.growth(&members[i]))
	}
	k := p.aggregator.close(&s, FlushSize).kinesisRecord
	k.lane = from.lane
	if k.keyless {
		k.setKey(from.partitionKey, from.hash)
	}
	p.split = append(p.split, &request{records: []*kinesisRecord{k}})
}

// retryUnexpired sends members again after a pause, but for those that are out of time.
func (p *pipeline) retryUnexpired(now time.Time, members []userRecord) {
	if members = p.unexpired(now, members); len(members) > 0 {
		p.retry(now, members)
	}
}

// unexpired ends the members that nobody waits for any more, and returns the others.
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
