// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// outcome is the result of a load.
type outcome struct {
	items   int            // how many items clients were told to be accepted
	found   map[string]int // how often readers find each item
	metrics scrape         // the metrics of the collector
}

// allDelivered is called after the load has stopped. It waits until the collector has sent all that it has. It checks that
// every request was accepted, that readers find exactly its items, and that the metrics of the exporter count them.
func (s *service) allDelivered(ctx context.Context, t *testing.T, c *collector, l *load) outcome {
	t.Helper()
	items, found := s.allDeliveredBy(ctx, t, []*collector{c}, []*load{l})
	return outcome{items, found, c.scrape(ctx, t)}
}

// allDeliveredBy does what allDelivered does, for several collectors with a load each.
func (s *service) allDeliveredBy(
	ctx context.Context, t *testing.T, collectors []*collector, loads []*load,
) (total int, found map[string]int) {
	t.Helper()
	for i, c := range collectors {
		c.drained(ctx, t)
		items, failed := loads[i].counts()
		assert.Zero(t, failed, "requests that were not accepted")
		assert.Equal(t, items, c.scrape(ctx, t).success(), "by the metrics of collector %d", i)
		total += items
	}
	found = copies(t, s.Kinesis)
	assert.Empty(t, lost(found, loads...))
	assert.Len(t, found, total)
	return total, found
}

// copies returns, by id, how often a reader of the stream gets each log record of [logRequest].
func copies(t *testing.T, k *kpltest.Kinesis) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, r := range k.UserRecords(stream) {
		logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(r.Data)
		require.NoError(t, err)
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					found[record.Body().Str()]++
				}
			}
		}
	}
	return found
}

// lost returns the accepted items of the loads that no reader gets.
func lost(found map[string]int, loads ...*load) (missing []string) {
	for _, l := range loads {
		for _, item := range l.accepted {
			if found[item] == 0 {
				missing = append(missing, item)
			}
		}
	}
	return missing
}

// duplicates returns how many copies there are beyond the first of each item.
func duplicates(found map[string]int) (n int) {
	for _, copies := range found {
		n += copies - 1
	}
	return n
}

// drained waits until the queue of the collector is empty and no user record is pending.
func (c *collector) drained(ctx context.Context, t *testing.T) {
	t.Helper()
	peers.Until(ctx, t, func() error {
		s := c.scrape(ctx, t)
		if queued, pending := s.sum("exporter_queue_size"), s.sum("kinesis_kpl_user_records_pending"); queued+pending > 0 {
			return fmt.Errorf("%d bytes are queued and %d user records pending", queued, pending)
		}
		return nil
	})
}

// success returns the number of items that the collector counts as delivered.
func (s scrape) success() int { return s.sum("kinesis_kpl_items_put", `outcome="success"`) }
