// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// retrier holds the user records that pause after an attempt, and passes them on when the pause is over.
type retrier struct {
	ttl    time.Duration
	random *rand.Rand
	groups []retryGroup // by the time at which they go again
}

// retryGroup is user records that go again at the same time.
type retryGroup struct {
	at      time.Time
	members []userRecord
}

// addThrottled takes in members that their shard had no room for.
func (t *retrier) addThrottled(now time.Time, members []userRecord) {
	t.pause(now, firstBackoff, members)
}

// addFailed takes in members that failed for another reason. Their pause doubles with each such failure.
func (t *retrier) addFailed(now time.Time, members []userRecord) {
	failures := uint8(0)
	for i := range members {
		r := &members[i]
		r.failures = min(r.failures, math.MaxUint8-1) + 1
		failures = max(failures, r.failures)
	}
	t.pause(now, backoff(failures), members)
}

// pause takes in members for a random time of half the given pause to all of it, so that records that failed together do
// not all come back together. It ends early if a member expires.
func (t *retrier) pause(now time.Time, pause time.Duration, members []userRecord) {
	oldest := now
	for i := range members {
		if received := members[i].received; received.Before(oldest) {
			oldest = received
		}
	}
	at := now.Add(pause/2 + time.Duration(t.random.Float64()*float64(pause/2)))
	if expiry := oldest.Add(t.ttl); expiry.Before(at) {
		at = expiry
	}
	t.keep(at, members)
}

// addLater takes in members whose next attempt may store another copy, or is in vain as long as the endpoint is what it is.
// Their first pause is 1 to 2 s. Each further pause is three to six times as long as the members have met with the same error.
// So there are four attempts at most in half a minute.
func (t *retrier) addLater(now time.Time, members []userRecord) {
	pause := laterBackoff
	for i := range members {
		pause = max(pause, 3*now.Sub(members[i].sameErrorSince()))
	}
	t.pause(now, 2*pause, members)
}

// keep takes in members that go again at the given time.
func (t *retrier) keep(at time.Time, members []userRecord) {
	if len(members) == 0 {
		return
	}
	group := retryGroup{at, members}
	i, _ := slices.BinarySearchFunc(t.groups, group, func(a, b retryGroup) int {
		return cmp.Or(a.at.Compare(b.at), -1) // behind those of the same time
	})
	t.groups = slices.Insert(t.groups, i, group)
}

// take returns the first members whose pause is over; false if there are none.
func (t *retrier) take(now time.Time) ([]userRecord, bool) {
	if len(t.groups) == 0 || t.groups[0].at.After(now) {
		return nil, false
	}
	members := t.groups[0].members
	t.groups = slices.Delete(t.groups, 0, 1)
	return members, true
}

// takeAll empties the stage.
func (t *retrier) takeAll() []retryGroup {
	groups := t.groups
	t.groups = nil
	return groups
}

// next is when the next pause is over; false if nothing pauses.
func (t *retrier) next() (time.Time, bool) {
	if t.empty() {
		return time.Time{}, false
	}
	return t.groups[0].at, true
}

// empty reports whether nothing pauses.
func (t *retrier) empty() bool { return len(t.groups) == 0 }

// skipLinger makes all records go without waiting for others, once their pause is over.
func (t *retrier) skipLinger() {
	for _, group := range t.groups {
		skipLinger(group.members)
	}
}

// A throttled record pauses for firstBackoff only: its lane paces the attempts. With a longer pause the record would lose its
// place in the lane to younger records, and expire. Nothing paces the attempts at an endpoint that fails, so there the pause
// doubles, up to maxBackoff.
const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 3200 * time.Millisecond
	// laterBackoff is the shortest pause of addLater.
	laterBackoff = time.Second
)

// backoff is the longest pause after the given number of failures, at least 1.
func backoff(failures uint8) time.Duration {
	return min(firstBackoff<<min(failures-1, 16), maxBackoff)
}
