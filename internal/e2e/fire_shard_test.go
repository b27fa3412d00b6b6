// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// TestShardThatTakesNothing throttles every record for one shard of three. Each request has data for all of them. When the shard
// has its share of the queue, what is for it is dropped, and all other data is delivered as before. A stop takes no longer than
// drain_timeout.
func TestShardThatTakesNothing(t *testing.T) {
	t.Parallel()
	const sick, services, queueSize, drain = 1, 12, 2 << 20, 2 * time.Second
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{}, 3)
	s.up(t)
	shard := s.OpenShards(stream)[sick]
	s.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.All(
		kpltest.Latency(15*time.Millisecond), kpltest.FailShard(kpltest.CodeThrottled, shard))))
	c := startCollector(t, settings{kinesis: s.url(), overrides: []string{
		keyed,
		"exporters::kinesis_kpl::sending_queue::queue_size: " + strconv.Itoa(queueSize),
		"exporters::kinesis_kpl::shard_overflow: drop",
		"exporters::kinesis_kpl::drain_timeout: " + drain.String(),
	}})
	l := startLoad(ctx, loadConfig{name: "shard", records: services, textLength: 1_000, every: time.Millisecond},
		bothClients(t, c, 2)...)
	peers.Until(ctx, t, func() error {
		if c.scrape(ctx, t).sum("kinesis_kpl_items_put", `outcome="overflow"`) == 0 {
			return fmt.Errorf("the share of the shard is not full")
		}
		return nil
	})
	l.waitAccepted(ctx, t, 500)
	l.stop()
	items, _ := l.counts()

	var healthy, all int
	peers.Until(ctx, t, func() error {
		found := copies(t, s.Kinesis)
		healthy, all = len(found), items
		// All requests have the same services. So each service on a healthy shard has its record of every request.
		if healthy%(items/services) != 0 || healthy == 0 {
			return fmt.Errorf("%d of %d records are stored", healthy, items)
		}
		return nil
	})
	assert.Less(t, healthy, all)
	for _, r := range s.Records(stream) {
		assert.NotEqual(t, shard.ID, r.ShardID)
	}
	took := c.end(ctx, t)
	assert.Less(t, took, c.slowed(drain+5*time.Second))
	require.Contains(t, c.Output(), "Drained in part")
	t.Logf("%d of %d log records are on healthy shards; the stop took %v", healthy, all, took)
}
