// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"log/slog"
	"sync"
	"time"
)

// losses logs what was accepted and not delivered, in at most one line a second.
type losses struct {
	logger *slog.Logger

	mu    sync.Mutex
	last  time.Time // when a line was logged
	items int       // not logged yet
	cause error     // of the last of these
}

// lossInterval is the shortest time between two lines.
const lossInterval = time.Second

// add takes in items that were not delivered.
func (l *losses) add(items int, cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items += items
	l.cause = cause
	if time.Since(l.last) >= lossInterval {
		l.log()
	}
}

// report logs what is not logged yet.
func (l *losses) report() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.items > 0 {
		l.log()
	}
}

// log writes a line. l.mu must be held.
func (l *losses) log() {
	l.logger.Error("items not delivered", "items", l.items, "error", l.cause.Error())
	l.items, l.last = 0, time.Now()
}
