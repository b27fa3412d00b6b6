// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"
)

// Names of places to start at.
const (
	fromHorizon = "horizon"
	fromLatest  = "latest"
)

// start is where to start reading. The zero value is the oldest record.
type start struct {
	latest bool      // after the newest record
	at     time.Time // at the first record that arrived then or later, if it is not zero
}

// parseStart reads the value of -from: horizon, latest, a time, or how long before now.
func parseStart(value string, now time.Time) (start, error) {
	switch value {
	case fromHorizon:
		return start{}, nil
	case fromLatest:
		return start{latest: true}, nil
	}
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		var back time.Duration
		if back, err = time.ParseDuration(value); err != nil {
			return start{}, fmt.Errorf("-from must be %s, %s, a time such as 2026-01-31T09:30:00Z, or how long ago, such as 10m; "+
				"found %q", fromHorizon, fromLatest, value)
		}
		at = now.Add(-back)
	}
	if at.After(now) {
		return start{}, fmt.Errorf("-from %s is in the future: give a time that has passed, or -from latest -follow", value)
	}
	return start{at: at}, nil
}
