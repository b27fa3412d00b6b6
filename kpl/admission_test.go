// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// A caller who bounds what it puts needs no bound of the producer. More than the defaults allow is accepted then.
func TestUnboundedNeverBlocks(t *testing.T) {
	config := Config{MaxOutstandingRecords: Unbounded, MaxOutstandingBytes: Unbounded}
	require.NoError(t, config.Validate())
	assert.Equal(t, config.MaxOutstandingBytes, config.WithDefaults().MaxOutstandingBytes)
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailCall(kpltest.CodeInternalFailure)))
		p, err := New(k, config)
		require.NoError(t, err)
		defaults := Config{}.WithDefaults()
		for range 100 {
			require.NoError(t, p.Put(t.Context(), sized("key", 1<<20-3), nil))
		}
		for range defaults.MaxOutstandingRecords {
			require.NoError(t, p.Put(t.Context(), sized("key", 1), nil))
		}
		stats := p.Stats()
		assert.Greater(t, stats.OutstandingBytes, defaults.MaxOutstandingBytes)
		assert.Greater(t, stats.OutstandingRecords, defaults.MaxOutstandingRecords)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, p.Close(ended), context.Canceled)
	})
}

func TestTheLargestBoundDoesNotOverflow(t *testing.T) {
	a := admission{maxRecords: Unbounded, maxBytes: Unbounded, bytes: Unbounded - 10}
	assert.True(t, a.fits(10))
	assert.False(t, a.fits(11))
}
