package kpl

import "time"

// smallestRequest is the size in bytes up to which a request is not cut any further. Something that lets not even such a request
// through does not go by the size.
const smallestRequest = 4 << 10

// After a request was too large, the limit doubles after a pause. The pause doubles from firstGrowth to lastGrowth as long as
// larger requests do not go through.
const (
	firstGrowth = time.Second
	lastGrowth  = 5 * time.Minute
)

// sizeLimit is the largest request that the endpoint lets through, as far as the stream has learned from answers with status
// 413. Sizes are bytes of data and partition keys. The zero value is no limit.
type sizeLimit struct {
	limit  int // no larger request is made if it can be cut; zero means no limit
	proven int // the largest request that went through since the endpoint became narrower
	failed int // the last request that did not

	growAt time.Time     // when the limit doubles
	pause  time.Duration // from one doubling to the next

	// cautious is set while no request has gone through since one had to be cut. Then one request is sent at a time. So few
	// calls find the size that goes through, and none if nothing does.
	cautious bool
}

// tooLarge notes that the endpoint did not let a request of that size through.
func (l *sizeLimit) tooLarge(now time.Time, size int) {
	l.cautious = true
	if l.limit > 0 && size > l.limit {
		return // a record that cannot be cut: nothing is new
	}
	if l.limit == 0 || size <= l.proven {
		l.proven, l.pause = 0, firstGrowth
	} else {
		l.pause = min(2*l.pause, lastGrowth)
	}
	l.limit, l.failed = max(size/2, l.proven, smallestRequest), size
	l.growAt = now.Add(l.pause)
}

// passed notes that the endpoint let a request through.
func (l *sizeLimit) passed(r *request) {
	l.cautious = false
	if l.limit == 0 {
		return
	}
	size := r.size()
	l.proven = max(l.proven, size)
	if size >= l.failed {
		l.pause = firstGrowth
	}
}

// at returns the limit at a time; zero means none. Most is the largest request without a limit.
func (l *sizeLimit) at(now time.Time, most int) int {
	if l.limit == 0 || l.proven == 0 || now.Before(l.growAt) {
		return l.limit
	}
	l.limit *= 2
	l.growAt = now.Add(l.pause)
	if l.limit >= most {
		*l = sizeLimit{}
	}
	return l.limit
}

// size is the sum of the sizes of the records.
func (r *request) size() int {
	size := 0
	for _, k := range r.records {
		size += k.size()
	}
	return size
}

// fit makes r no larger than what the endpoint lets through. What is too much goes next. It returns nil if nothing of r is left,
// because its only record cannot be cut, and its owner wants such a record back.
func (p *pipeline) fit(now time.Time, r *request) *request {
	limit := p.sizeLimit.at(now, p.config.CollectionMaxSize)
	for limit > 0 && r.size() > limit {
		k := r.records[0]
		switch half := len(r.records) / 2; {
		case half > 0:
			p.collector.addNext(&request{records: r.records[half:]})
			r.records = r.records[:half:half]
		case k.aggregated():
			half = len(k.members) / 2
			p.collector.addNext(p.part(k, k.members[half:]))
			r.records = p.part(k, k.members[:half]).records
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

// part returns a request with some members of a record.
func (p *pipeline) part(of *kinesisRecord, members []userRecord) *request {
	k := p.aggregator.pack(members)
	k.setLane(of.lane)
	if k.keyless {
		k.setKey(of.partitionKey, of.hash)
	}
	return &request{records: []*kinesisRecord{k}}
}
