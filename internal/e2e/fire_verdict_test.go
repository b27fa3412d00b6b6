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

// outcome is what became of a load.
type outcome struct {
	items   int            // that clients were told to be accepted
	found   map[string]int // by item: how often readers find it
	metrics scrape         // of the collector
}

// allDelivered waits until the collector has sent all that it has, of a load that has stopped, and checks that every item was
// accepted, that readers find all of them and no other, and that the exporter's metrics say so.
func (s *service) allDelivered(ctx context.Context, t *testing.T, c *collector, l *load) outcome {
	t.Helper()
	items, found := s.allDeliveredBy(ctx, t, []*collector{c}, []*load{l})
	return outcome{items, found, c.scrape(ctx, t)}
}

// allDeliveredBy is allDelivered for several collectors with a load each.
func (s *service) allDeliveredBy(
	ctx context.Context, t *testing.T, collectors []*collector, loads []*load,
) (total int, found map[string]int) {
	t.Helper()
	for i, c := range collectors {
		c.drained(ctx, t)
		items, failed := loads[i].counts()
		assert.Zero(t, failed, "requests that were refused")
		assert.Equal(t, items, c.scrape(ctx, t).success(), "by the metrics of collector %d", i)
		total += items
	}
	found = copies(t, s.Kinesis)
	assert.Empty(t, lost(found, loads...))
	assert.Len(t, found, total)
	return total, found
}

// copies returns how often a reader of the stream gets each log record of [logRequest], by id.
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

// lost returns those items of the loads that were accepted and that no reader gets.
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

// drained waits until the collector's queue holds nothing, and what was in it has an outcome.
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

// success returns how many items the collector says to have delivered.
func (s scrape) success() int { return s.sum("kinesis_kpl_items_put", `outcome="success"`) }
