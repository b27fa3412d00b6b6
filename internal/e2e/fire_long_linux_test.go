// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// until waits until moment.
func until(ctx context.Context, t *testing.T, moment time.Time) {
	t.Helper()
	timer := time.NewTimer(time.Until(moment))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		require.NoError(t, ctx.Err())
	}
}

// TestEndpointDownForAMinute is an outage with the default configuration. All requests of clients are accepted, and all
// items are stored when the longest pause is over.
func TestEndpointDownForAMinute(t *testing.T) {
	t.Parallel()
	const outage = time.Minute
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{}, 3)
	s.up(t)
	c := startCollector(t, settings{kinesis: s.url()})
	l := startLoad(ctx, loadConfig{name: "minute", records: 5, every: 50 * time.Millisecond}, bothClients(t, c, 2)...)
	l.waitAccepted(ctx, t, 100)
	s.down()
	until(ctx, t, time.Now().Add(outage))
	stored := len(s.Records(stream))
	s.up(t)
	up := time.Now()
	require.NoError(t, s.WaitRecords(ctx, stream, stored+1))
	first := time.Since(up)
	l.stop()
	o := s.allDelivered(ctx, t, c, l)
	all := time.Since(up)
	assert.Less(t, all, 45*time.Second+c.slowed(5*time.Second), "the longest pause of retry_on_failure is 45 s")
	t.Logf("%d items accepted, %d duplicates; first record after %v, all after %v", o.items, duplicates(o.found), first, all)
}

// TestMemoryInAnOutageOfTwoMinutes lets clients send as fast as they can for two minutes while the endpoint does not
// answer. The configuration is the default with a smaller queue. The memory of the process stays within the bounds of the
// configuration, and all accepted items are delivered after the outage.
func TestMemoryInAnOutageOfTwoMinutes(t *testing.T) {
	t.Parallel()
	const (
		outage  = 2 * time.Minute
		queue   = 32 << 20  // bytes
		ceiling = 256 << 20 // bytes of the process
		growth  = 32 << 20  // bytes at most between the first half of the outage and its end
		size    = 50_000    // of a record
	)
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{}, 3)
	s.up(t)
	answer := s.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Break(kpltest.ConnectionHangs)))
	c := startCollector(t, settings{kinesis: s.url(), overrides: []string{
		fmt.Sprintf("exporters::kinesis_kpl::sending_queue::queue_size: %d", queue),
	}})
	idle := c.memory(t, "VmHWM")
	began := time.Now()
	l := startLoad(ctx, loadConfig{name: "two minutes", records: 2, textLength: size, every: 4 * time.Millisecond},
		bothClients(t, c, 2)...)
	until(ctx, t, began.Add(outage/2))
	half := c.memory(t, "VmHWM")
	until(ctx, t, began.Add(outage))
	end := c.memory(t, "VmHWM")
	l.stop()
	answer()
	up := time.Now()
	items, failed := l.counts()
	assert.Greater(t, failed, items/2, "requests not accepted")
	assert.Less(t, end, ceiling)
	assert.Less(t, end-half, growth)

	c.drained(ctx, t)
	found := copies(t, s.Kinesis)
	assert.Empty(t, lost(found, l))
	t.Logf("peak of memory: idle %d MiB, half %d MiB, end %d MiB; %d requests of %d bytes accepted, %d not; all after %v",
		idle>>20, half>>20, end>>20, items/2, 2*size, failed, time.Since(up))
}
