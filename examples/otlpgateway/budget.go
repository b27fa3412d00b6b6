// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// budget is the memory that requests may take together, from the first byte that is read of them until they are answered and
// delivered. A request takes its part as a lease. Who finds no room waits for a while, in the order of arrival.
type budget struct {
	patience time.Duration // for room

	mu     sync.Mutex
	free   int // bytes; negative while messages take more than the requests that they are made of
	queued []*waiter
}

// waiter waits for room.
type waiter struct {
	bytes   int
	granted chan struct{} // closed when the room is the waiter's
}

// maxWaiters is how many requests may wait for room. Up to 64 KiB of each are in the buffers of its connection.
const maxWaiters = 256

// roomTime is how long a request waits for room. It is short, so that a client has its answer before it gives up.
const roomTime = time.Second

// errNoRoom is for clients: they should try again.
var errNoRoom = errors.New("the gateway has no room for more requests")

func newBudget(size int) *budget { return &budget{patience: roomTime, free: size} }

// unused returns how many bytes are free.
func (b *budget) unused() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.free
}

// acquire takes bytes, at most the size of the budget. It returns errNoRoom if there is no room for too long, or if ctx ends.
func (b *budget) acquire(ctx context.Context, bytes int) error {
	b.mu.Lock()
	if len(b.queued) == 0 && bytes <= b.free {
		b.free -= bytes
		b.mu.Unlock()
		return nil
	}
	if len(b.queued) >= maxWaiters {
		b.mu.Unlock()
		return errNoRoom
	}
	w := &waiter{bytes, make(chan struct{})}
	b.queued = append(b.queued, w)
	b.mu.Unlock()
	timer := time.NewTimer(b.patience)
	defer timer.Stop()
	select {
	case <-w.granted:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return b.abandon(w)
}

// abandon ends a wait. It returns nil if the waiter has got its room meanwhile.
func (b *budget) abandon(w *waiter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.queued, w)
	if i < 0 {
		return nil
	}
	b.queued = slices.Delete(b.queued, i, i+1)
	b.grant() // the next ones may need less
	return errNoRoom
}

// give gives bytes back, or takes them if there are less than none.
func (b *budget) give(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += bytes
	b.grant()
}

// grant gives room to those that have waited longest. b.mu must be held.
func (b *budget) grant() {
	n := 0
	for ; n < len(b.queued) && b.queued[n].bytes <= b.free; n++ {
		b.free -= b.queued[n].bytes
		close(b.queued[n].granted)
	}
	b.queued = slices.Delete(b.queued, 0, n)
}

// lease is the part of the budget that one request has. Nobody uses a lease at the same time as others.
type lease struct {
	budget *budget
	bytes  int
}

// grow makes the lease at least so many bytes. It waits and fails as budget.acquire does.
func (l *lease) grow(ctx context.Context, bytes int) error {
	if bytes <= l.bytes {
		return nil
	}
	if err := l.budget.acquire(ctx, bytes-l.bytes); err != nil {
		return err
	}
	l.bytes = bytes
	return nil
}

// resize makes the lease exactly so many bytes, without waiting. It may make the budget less than empty.
func (l *lease) resize(bytes int) {
	l.budget.give(l.bytes - bytes)
	l.bytes = bytes
}

// release gives all of it back.
func (l *lease) release() { l.resize(0) }
