// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"time"
)

// Limits of durations. They are far below what anybody needs. What is less comes from a number without a unit.
const (
	leastPause   = time.Millisecond       // of pauses, and of the time in which records gather
	leastTimeout = 100 * time.Millisecond // of what waits for answers of the service
)

// duration is a key with a duration.
type duration struct {
	key   string
	value time.Duration
	least time.Duration
	zero  string // what 0 is for, if it is allowed
}

// durations returns the keys that have durations. Upstream's are among them: it takes 300 ns for the retries of a request, which
// is none.
func (c *Config) durations() []duration {
	found := []duration{
		{"record_max_buffered_time", c.Producer.RecordMaxBufferedTime, leastPause, "to send at once"},
		{"record_ttl", c.Producer.RecordTTL, leastTimeout, ""},
		{"request_timeout", c.Producer.RequestTimeout, leastTimeout, ""},
		{"timeout", c.Timeout.Timeout, leastTimeout, "for no timeout"},
	}
	if c.Retry.Enabled {
		found = append(found,
			duration{"retry_on_failure::initial_interval", c.Retry.InitialInterval, leastPause, "for no pause"},
			duration{"retry_on_failure::max_interval", c.Retry.MaxInterval, leastPause, "for no pause"},
			duration{"retry_on_failure::max_elapsed_time", c.Retry.MaxElapsedTime, leastTimeout, "for no end"},
		)
	}
	if c.Queue.HasValue() && c.Queue.Get().Batch.HasValue() {
		found = append(found, duration{
			"sending_queue::batch::flush_timeout", c.Queue.Get().Batch.Get().FlushTimeout, leastPause, "",
		})
	}
	return found
}

// validateDurations finds durations that are too short to be meant. Zero and less have rules of their own.
func (c *Config) validateDurations(errs *keyErrors) {
	for _, d := range c.durations() {
		if d.value <= 0 || d.value >= d.least {
			continue
		}
		zero := ""
		if d.zero != "" {
			zero = ", or 0s " + d.zero
		}
		errs.add(d.key, nil, "must be at least %v%s, found %s", d.least, zero, withHint(d.value))
	}
}

// withHint returns a duration that is too short as text. If it comes from a number without a unit, the text says so.
func withHint(d time.Duration) string {
	if d <= 0 || d >= time.Millisecond {
		return d.String()
	}
	return fmt.Sprintf("%v: a number without a unit is in nanoseconds, so for milliseconds write %dms", d, d.Nanoseconds())
}
