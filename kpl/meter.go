// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

// meter is a token bucket. It holds the units of one second and starts full. Its whole state is the time at which it is full
// again, so its arithmetic is exact.
type meter struct {
	perSecond int64
	fullAt    time.Time
}

// cost is how long the bucket takes to regain n units.
func (m *meter) cost(n int) time.Duration {
	return time.Duration((int64(n)*int64(time.Second) + m.perSecond - 1) / m.perSecond)
}

// readyAt is when n units may be taken. If n is more than the bucket holds, that is when the bucket is full; taking them leaves
// a debt.
func (m *meter) readyAt(n int) time.Time {
	return m.fullAt.Add(min(m.cost(n)-time.Second, 0))
}

// take takes n units.
func (m *meter) take(n int, now time.Time) {
	if m.fullAt.Before(now) {
		m.fullAt = now
	}
	m.fullAt = m.fullAt.Add(m.cost(n))
}

// drain empties the bucket.
func (m *meter) drain(now time.Time) {
	if empty := now.Add(time.Second); m.fullAt.Before(empty) {
		m.fullAt = empty
	}
}

// setRate changes how many units a second the bucket regains and holds, at least 1. It stays as full as it was. A debt stays as
// many units as it was, so that it is soon paid when the rate rises.
func (m *meter) setRate(perSecond float64, now time.Time) {
	before := m.perSecond
	m.perSecond = max(1, int64(perSecond))
	if empty := now.Add(time.Second); m.fullAt.After(empty) && before > 0 {
		debt := float64(m.fullAt.Sub(empty)) * float64(before) / float64(m.perSecond)
		m.fullAt = empty.Add(time.Duration(debt))
	}
}
