// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Who waits gets room in the order of arrival, and waits no longer than the patience.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100)
		began := time.Now()
		first := &lease{budget: b}
		require.NoError(t, first.grow(t.Context(), 60))
		require.NoError(t, first.grow(t.Context(), 50), "it has more")
		assert.Equal(t, 60, first.bytes)

		var waiting sync.WaitGroup
		wait := func(bytes int, want error, after time.Duration) {
			waiting.Go(func() {
				l := &lease{budget: b}
				assert.ErrorIs(t, l.grow(t.Context(), bytes), want)
				assert.Equal(t, after, time.Since(began))
			})
			synctest.Wait() // so that they come in this order
		}
		wait(100, errNoRoom, time.Second)
		b.patience = 2 * time.Second
		wait(40, nil, time.Second) // there is room, but the other one came first
		waiting.Wait()
		assert.Equal(t, 0, b.unused())

		wait(30, nil, time.Second)
		first.resize(30)
		waiting.Wait()
		first.resize(130)
		assert.Equal(t, -100, b.unused())
		first.release()
		assert.Equal(t, 30, b.unused())
	})
}

func TestBudgetOfACallerThatLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100)
		require.NoError(t, b.acquire(t.Context(), 100))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, b.acquire(ctx, 1), errNoRoom)
		b.give(100)
		assert.Equal(t, 100, b.unused())
	})
}

// No more than maxWaiters wait at a time.
func TestBudgetLimitsWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(1)
		require.NoError(t, b.acquire(t.Context(), 1))
		var waiting sync.WaitGroup
		for range maxWaiters {
			waiting.Go(func() { assert.ErrorIs(t, b.acquire(t.Context(), 1), errNoRoom) })
		}
		synctest.Wait()
		began := time.Now()
		require.ErrorIs(t, b.acquire(t.Context(), 1), errNoRoom)
		assert.Zero(t, time.Since(began))
		waiting.Wait()
	})
}
