// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

// judgeSize takes in what a failed call says about the size of requests, and returns the class of its error.
func (p *pipeline) judgeSize(now time.Time, r *request, class errorClass) errorClass {
	switch class {
	case classTooLarge:
		size := r.size()
		p.sizeLimit.tooLarge(now, size)
		if size <= smallestRequest {
			return classLater
		}
	case classUnreadable:
		p.sizeLimit.notUnderstood()
	case classTransient, classLater, classThrottle, classRejected, classUnavailable:
		p.sizeLimit.answered()
	}
	return class
}

// fit makes r no larger than what the endpoint lets through. What is too much goes next. It returns nil if nothing of r is left:
// its only record cannot be cut, and its owner wants such a record back, or its parts have to be compressed first.
func (p *pipeline) fit(now time.Time, r *request) *request {
	limit := p.sizeLimit.at(now, p.config.CollectionMaxSize)
	for limit > 0 && r.size() > limit {
		k := r.records[0]
		switch half := len(r.records) / 2; {
		case half > 0:
			p.collector.addNext(&request{records: r.records[half:]})
			r.records = r.records[:half:half]
		case k.joined() && p.compresses(): // how large its parts are is not known before they are compressed
			p.compressPart(p.part(k, k.members[:len(k.members)/2]))
			p.compressPart(p.part(k, k.members[len(k.members)/2:]))
			return nil
		case k.joined():
			half = len(k.members) / 2
			p.collector.addNext(alone(p.part(k, k.members[half:])))
			r.records[0] = p.part(k, k.members[:half])
		case p.config.FailIfTooLarge:
			p.finish(now, OutcomeUnavailable, fault{
				code: CodeRequestTooLarge, message: "the endpoint did not let smaller requests through",
			}, k.members...)
			return nil
		default:
			return r
		}
	}
	return r
}

// part returns a record of some members of another, for the same shard.
func (p *pipeline) part(of *kinesisRecord, members []userRecord) *kinesisRecord {
	k := p.aggregator.pack(members)
	k.setLane(of.lane)
	if k.keyless {
		k.setKey(of.partitionKey, of.hash)
	}
	return k
}

// alone returns a request with one record.
func alone(k *kinesisRecord) *request { return &request{records: []*kinesisRecord{k}} }
