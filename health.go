// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

const (
	// stallAfter is how long nothing may be stored while there is data before the exporter says so.
	stallAfter = 10 * time.Second
	// stallPause is the most time between two calls of one stall. After a longer pause, a new stall begins. It is longer than
	// the pauses of retry_on_failure.
	stallPause = time.Minute
)

// health tells a stream that takes nothing from a stream that is sent nothing. It sees the calls of one stream, and takes
// the time as an argument. The zero value has seen none.
type health struct {
	stored time.Time // when a call last stored something
	since  time.Time // since when nothing was stored although there is data; zero if something was, or there is no data
	failed time.Time // end of the last call that stored nothing
	told   bool      // the stall was told
}

// stall is a time in which nothing was stored.
type stall struct {
	lasted time.Duration
	cause  string
}

// Error says what is wrong, as the status of the component shows it.
func (s stall) Error() string {
	return fmt.Sprintf("nothing was delivered for %v: %s", s.lasted.Round(100*time.Millisecond), s.cause)
}

// finished takes in a call. It returns a stall when there is one to tell, once for each stall. It returns how long a stall
// lasted that was told, once it is over.
func (h *health) finished(r *kpl.RequestEvent) (begun *stall, over time.Duration) {
	if r.Code == kpl.CodeCanceled { // a stop gave up on the call, which says nothing about the stream
		return nil, 0
	}
	if stores(r) {
		if h.told {
			over = r.End.Sub(h.since)
		}
		*h = health{stored: r.End}
		return nil, over
	}
	if h.since.IsZero() || !h.told && r.Start.Sub(h.failed) > stallPause {
		h.since = r.Start
		if h.stored.After(r.Start) {
			h.since = h.stored
		}
	}
	h.failed = r.End
	if h.told || r.End.Sub(h.since) < stallAfter {
		return nil, 0
	}
	h.told = true
	return &stall{r.End.Sub(h.since), causeOf(r)}, 0
}

// restart forgets the stall: the stream became unavailable, which is told by itself, or available again.
func (h *health) restart() { *h = health{stored: h.stored} }

// stalled returns for how long nothing has been stored although there is data.
func (h *health) stalled(now time.Time) time.Duration {
	if h.since.IsZero() || !h.told && now.Sub(h.failed) > stallPause {
		return 0
	}
	return now.Sub(h.since)
}

// stores reports whether a call stored something.
func stores(r *kpl.RequestEvent) bool {
	if r.Code != "" {
		return false
	}
	for i := range r.Entries {
		if r.Entries[i].Code == "" {
			return true
		}
	}
	return false
}

// causeOf says why a call stored nothing. The error of most of its records counts, or else the error of the call.
func causeOf(r *kpl.RequestEvent) string {
	if r.Code != "" {
		return withID(r.Code+": "+r.Message, r.RequestID)
	}
	counts := map[string]int{}
	worst := 0
	for i := range r.Entries {
		code := r.Entries[i].Code
		counts[code]++
		if counts[code] > counts[r.Entries[worst].Code] {
			worst = i
		}
	}
	if len(r.Entries) == 0 {
		return "the call had no records"
	}
	e := &r.Entries[worst]
	text := fmt.Sprintf("%s: %s (%d of %d records of the last call)", e.Code, e.Message, counts[e.Code], len(r.Entries))
	return withID(text, r.RequestID)
}

// withID returns a text with the id of a request, if there is one.
func withID(text, id string) string {
	if id == "" {
		return text
	}
	return text + " (request id " + id + ")"
}
