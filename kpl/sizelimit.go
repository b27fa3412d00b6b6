// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

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
	if l.limit > 0 && size > l.limit {
		return // a record that cannot be cut: nothing is new
	}
	l.cautious = true
	if l.limit == 0 || size <= l.proven {
		l.proven, l.pause = 0, firstGrowth
	} else {
		l.pause = min(2*l.pause, lastGrowth)
	}
	l.limit, l.failed = max(size/2, l.proven, smallestRequest), size
	l.growAt = now.Add(l.pause)
}

// notUnderstood notes that the endpoint did not understand a request, which is cut for that. No size is known to be wrong.
func (l *sizeLimit) notUnderstood() { l.cautious = true }

// answered notes a failure for which no request is cut.
func (l *sizeLimit) answered() { l.cautious = false }

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
