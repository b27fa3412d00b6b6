// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// tally counts what went wrong and logs that, in at most one line a second.
type tally struct {
	logger *slog.Logger
	level  slog.Level
	text   string // of the line
	unit   string // what is counted

	mu    sync.Mutex
	last  time.Time // when a line was logged
	count int       // not logged yet
	cause error     // of the last of these
}

// tallyInterval is the shortest time between two lines.
const tallyInterval = time.Second

// add counts.
func (t *tally) add(n int, cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count += n
	t.cause = cause
	if time.Since(t.last) >= tallyInterval {
		t.log()
	}
}

// report logs what is not logged yet.
func (t *tally) report() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count > 0 {
		t.log()
	}
}

// log writes a line. t.mu must be held.
func (t *tally) log() {
	t.logger.Log(context.Background(), t.level, t.text, t.unit, t.count, "error", t.cause.Error())
	t.count, t.last = 0, time.Now()
}
