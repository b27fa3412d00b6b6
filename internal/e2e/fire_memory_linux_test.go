// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// TestMemoryIsBoundedDuringAnOutage lets clients send as fast as they can while the endpoint does not answer. The bounds of
// the queue and the producer are reached after a small part of the requests. From then on memory does not grow. All
// accepted items are delivered after the outage.
func TestMemoryIsBoundedDuringAnOutage(t *testing.T) {
	t.Parallel()
	const (
		queue    = 8 << 20   // bytes
		producer = 1 << 20   // bytes; less than the consumers of the queue put
		ceiling  = 160 << 20 // bytes of the process
		growth   = 16 << 20  // bytes at most between the first third of the load and its end
		size     = 50_000    // of a record
		offered  = 4_000     // requests in all; there is room for one in 45
	)
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{}, 3)
	s.up(t)
	answer := s.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Break(kpltest.ConnectionHangs)))
	c := startCollector(t, settings{kinesis: s.url(), overrides: append(impatient(),
		"exporters::kinesis_kpl::max_outstanding_bytes: "+strconv.Itoa(producer),
		fmt.Sprintf("exporters::kinesis_kpl::sending_queue: {queue_size: %d, num_consumers: 30}", queue),
	)})
	idle := c.memory(t, "VmHWM")
	l := startLoad(ctx, loadConfig{name: "memory", records: 2, textLength: size, every: time.Microsecond},
		bothClients(t, c, 4)...)
	send := func(requests int) {
		peers.Until(ctx, t, func() error {
			if items, failed := l.counts(); items/2+failed < requests {
				return fmt.Errorf("%d requests were accepted and %d not", items/2, failed)
			}
			return nil
		})
	}
	send(offered / 3)
	early := c.memory(t, "VmHWM")
	send(offered)
	late := c.memory(t, "VmHWM")
	l.stop()
	items, failed := l.counts()
	assert.Greater(t, failed, offered/2, "requests not accepted")
	assert.Less(t, late, ceiling)
	assert.Less(t, late-early, growth)

	answer()
	c.drained(ctx, t)
	found := copies(t, s.Kinesis)
	assert.Empty(t, lost(found, l))
	t.Logf("peak of memory: idle %d MiB, early %d MiB, late %d MiB; %d requests of %d bytes accepted, %d not",
		idle>>20, early>>20, late>>20, items/2, 2*size, failed)
}

// memory returns an entry of /proc/<pid>/status of the collector, in bytes.
func (c *collector) memory(t *testing.T, entry string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.PID()))
	require.NoError(t, err)
	match := regexp.MustCompile(`(?m)^` + entry + `:\s+(\d+) kB$`).FindSubmatch(status)
	require.NotNil(t, match, "%s", status)
	kilobytes, err := strconv.Atoi(string(match[1]))
	require.NoError(t, err)
	return kilobytes << 10
}
