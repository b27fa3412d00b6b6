package kpl

import (
	"cmp"
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

// add takes in members for a pause that depends on how often they were sent. The pause ends early if a member expires.
func (t *retrier) add(now time.Time, members []userRecord) {
	if len(members) == 0 {
		return
	}
	attempts, oldest := 0, now
	for i := range members {
		r := &members[i]
		attempts = max(attempts, len(r.trips()))
		if r.received.Before(oldest) {
			oldest = r.received
		}
	}
	at := now.Add(backoff(attempts, t.random.Float64()))
	if expiry := oldest.Add(t.ttl); expiry.Before(at) {
		at = expiry
	}
	t.keep(at, members)
}

// addLater takes in members for a longer pause than add does, because each further attempt may store another copy, or is in
// vain as long as the endpoint is what it is. The first pause is a second. Each further pause is three times as long as the
// members have met with the same error.
func (t *retrier) addLater(now time.Time, members []userRecord) {
	if len(members) == 0 {
		return
	}
	pause, oldest := laterBackoff, now
	for i := range members {
		r := &members[i]
		pause = max(pause, 3*now.Sub(r.sameErrorSince()))
		if r.received.Before(oldest) {
			oldest = r.received
		}
	}
	pause += time.Duration(t.random.Float64() * float64(pause/4))
	at := now.Add(pause)
	if expiry := oldest.Add(t.ttl); expiry.Before(at) {
		at = expiry
	}
	t.keep(at, members)
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

// The pause before a retry doubles with each attempt and is drawn from its upper half, so that records that failed
// together do not all come back together.
const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 3200 * time.Millisecond
	// laterBackoff is the shortest pause of addLater.
	laterBackoff = time.Second
)

// backoff is the pause after the given number of attempts; random is from [0, 1).
func backoff(attempts int, random float64) time.Duration {
	pause := min(firstBackoff<<min(attempts-1, 16), maxBackoff)
	return pause/2 + time.Duration(random*float64(pause/2))
}
