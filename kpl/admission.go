// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"sync"
	"sync/atomic"
)

// admission bounds what the producer holds, in records and in bytes. Callers that wait for room get it in the order in
// which they came.
type admission struct {
	maxRecords, maxBytes int
	onBlock              func()       // called when somebody begins to wait; must not block
	blocked              atomic.Int64 // how many wait

	mu      sync.Mutex
	records int
	bytes   int
	waiting []*admissionWaiter
	closed  bool
}

// admissionWaiter is a caller that waits for room.
type admissionWaiter struct {
	bytes    int
	admitted bool
	done     chan struct{} // closed when admitted or when the producer closes
}

// enter takes room for one record. If there is none it waits until ctx ends. It fails if ctx has ended before.
func (a *admission) enter(ctx context.Context, bytes int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return ErrClosed
	}
	if len(a.waiting) == 0 && a.fits(bytes) {
		a.take(bytes)
		a.mu.Unlock()
		return nil
	}
	return a.wait(ctx, bytes)
}

// wait waits for room. It is called with mu locked and unlocks it.
func (a *admission) wait(ctx context.Context, bytes int) error {
	w := &admissionWaiter{bytes: bytes, done: make(chan struct{})}
	a.waiting = append(a.waiting, w)
	a.blocked.Add(1)
	a.mu.Unlock()
	defer a.blocked.Add(-1)
	a.onBlock()
	select {
	case <-w.done:
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case w.admitted: // even if ctx ended at the same time: the room is taken
		return nil
	case a.closed:
		return ErrClosed
	default:
		a.forget(w)
		return ctx.Err()
	}
}

// leave gives the room of a number of records back.
func (a *admission) leave(records, bytes int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.records -= records
	a.bytes -= bytes
	a.admit()
}

// close makes the calls of enter that wait fail, and all later ones.
func (a *admission) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for _, w := range a.waiting {
		close(w.done)
	}
	a.waiting = nil
}

// admit gives room to callers that wait, as far as there is some.
func (a *admission) admit() {
	for len(a.waiting) > 0 && a.fits(a.waiting[0].bytes) {
		w := a.waiting[0]
		a.waiting[0] = nil
		a.waiting = a.waiting[1:]
		a.take(w.bytes)
		w.admitted = true
		close(w.done)
	}
}

// forget removes a waiter that has given up. Those behind it may fit now.
func (a *admission) forget(w *admissionWaiter) {
	for i, other := range a.waiting {
		if other == w {
			a.waiting = append(a.waiting[:i], a.waiting[i+1:]...)
			break
		}
	}
	a.admit()
}

func (a *admission) fits(bytes int) bool {
	return a.records < a.maxRecords && bytes <= a.maxBytes-a.bytes
}

func (a *admission) take(bytes int) {
	a.records++
	a.bytes += bytes
}

// outstanding returns how much room is taken.
func (a *admission) outstanding() (records, bytes int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.records, a.bytes
}
