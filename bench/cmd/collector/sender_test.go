// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/otlp"
)

// receiver has room for some requests. Each request takes a second.
type receiver struct {
	mutex sync.Mutex
	room  int
	began time.Time
	at    []time.Duration // when requests came, after began
}

// Send gives the receiver a request.
func (r *receiver) Send(ctx context.Context, _ []byte) error {
	r.mutex.Lock()
	r.at = append(r.at, time.Since(r.began))
	full := r.room == 0
	r.room = max(0, r.room-1)
	r.mutex.Unlock()
	if full {
		return otlp.ErrFull
	}
	return pause(ctx, time.Second)
}

// give makes room for more requests.
func (r *receiver) give(room int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.room += room
}

// Close does nothing.
func (*receiver) Close() error { return nil }

// sending returns a sender of requests of 10 items and 100 bytes, with a number of connections to the same receiver.
func sending(connections, room int) (*sender, *receiver) {
	r := &receiver{room: room, began: time.Now()}
	s := &sender{bodies: [][]byte{make([]byte, 100)}, perRequest: 10}
	for range connections {
		s.connections = append(s.connections, r)
	}
	return s, r
}

// Requests are sent when they are due, and whole.
func TestAtRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := sending(4, 100)
		require.NoError(t, s.atRate(t.Context(), 45, 20)) // one request in half a second
		const half = time.Second / 2
		assert.Equal(t, []time.Duration{0, half, 2 * half, 3 * half, 4 * half}, r.at)
		assert.EqualValues(t, 5, s.accepted.Load())
		assert.EqualValues(t, 500, s.bytes.Load())

		s, r = sending(1, 0)
		require.ErrorIs(t, s.atRate(t.Context(), 10, 20), otlp.ErrFull)
		assert.Equal(t, roomWithin, r.at[len(r.at)-1], "it tries for so long")

		s, r = sending(1, 0)
		time.AfterFunc(250*time.Millisecond, func() { r.give(1) })
		require.NoError(t, s.atRate(t.Context(), 10, 20))
		const again = 100 * time.Millisecond
		assert.Equal(t, []time.Duration{0, again, 2 * again, 3 * again}, r.at)
	})
}

// A connection sends without a pause until the receiver is full or has enough, and once a second from then on.
func TestUntilFull(t *testing.T) {
	const second = time.Second
	for name, test := range map[string]struct {
		room  int
		most  int64
		at    []time.Duration
		bytes int64
	}{
		"rejected": {2, math.MaxInt64, []time.Duration{0, second, 2 * second, 3 * second, 4 * second}, 200},
		"enough":   {100, 200, []time.Duration{0, second, 3 * second}, 300},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, r := sending(1, test.room)
				ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
				defer cancel()
				var full []time.Duration
				err := s.untilFull(ctx, test.most, func() { full = append(full, time.Since(r.began)) })
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, []time.Duration{2 * second}, full)
				assert.Equal(t, test.at, r.at)
				assert.Equal(t, test.bytes, s.bytes.Load())
			})
		})
	}
}
