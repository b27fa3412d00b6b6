// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// TestStopWhileAShardTakesNothing ends the collector while a third of the partition keys is throttled for good and the others are
// stored slowly. The collector ends when drain_timeout is over. One line has the number of lost items, which is that of the
// items that are not in the stream.
func TestStopWhileAShardTakesNothing(t *testing.T) {
	t.Parallel()
	const limit = 4 * time.Second
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{Seed: 1}, 3)
	s.up(t)
	s.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.All(
		kpltest.Latency(500*time.Millisecond),
		kpltest.FailRecords(kpltest.CodeThrottled, func(r types.PutRecordsRequestEntry) bool { return (*r.PartitionKey)[0] < '5' }),
	)))
	c := startCollector(t, settings{kinesis: s.url(), overrides: []string{
		"exporters::kinesis_kpl::drain_timeout: " + limit.String(),
		"exporters::kinesis_kpl::partition_key::resource_attributes: [service.name]",
		"exporters::kinesis_kpl::aggregation_format: none",
		"service::telemetry::logs::sampling::enabled: false",
	}})
	l := startLoad(ctx, loadConfig{name: "stuck", records: 10, every: time.Millisecond}, bothClients(t, c, 2)...)
	l.waitAccepted(ctx, t, 2_000)
	l.stop()
	took := c.end(ctx, t)
	assert.Greater(t, took, limit)
	assert.Less(t, took, limit+c.slowed(3*time.Second))

	items, failed := l.counts()
	assert.Zero(t, failed)
	missing := len(lost(copies(t, s.Kinesis), l))
	require.Positive(t, missing)
	begin := regexp.MustCompile(`Draining.*"queue_size": (\d+).*"messages": (\d+)`).FindStringSubmatch(c.Output())
	require.NotNil(t, begin)
	end := regexp.MustCompile(`Drained in part: the rest is lost.*"lost_items": (\d+)`).FindStringSubmatch(c.Output())
	require.NotNil(t, end)
	told, err := strconv.Atoi(end[1])
	require.NoError(t, err)
	assert.Equal(t, missing, told, "lost items by the log")
	t.Logf("%d items accepted, %d lost; SIGTERM took %v", items, missing, took)
}

// TestNothingDeliveredIsTold takes the endpoint away under load. The log says so once, with the cause, and once when it is back.
func TestNothingDeliveredIsTold(t *testing.T) {
	t.Parallel()
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{}, 3)
	s.up(t)
	c := startCollector(t, settings{kinesis: s.url(), overrides: impatient()})
	l := startLoad(ctx, loadConfig{name: "told", records: 5, every: 10 * time.Millisecond}, bothClients(t, c, 1)...)
	l.waitAccepted(ctx, t, 100)
	s.down()
	down := time.Now()
	c.WaitLine(ctx, t, "Nothing is delivered")
	assert.Less(t, time.Since(down), 15*time.Second+c.slowed(2*time.Second))
	s.up(t)
	c.WaitLine(ctx, t, "Records are delivered again")
	l.stop()
	o := s.allDelivered(ctx, t, c, l)
	lines := regexp.MustCompile(`(?m)^.*Nothing is delivered.*$`).FindAllString(c.Output(), -1)
	require.Len(t, lines, 1)
	assert.Contains(t, lines[0], "connection refused")
	assert.NotContains(t, lines[0], "otelcol.signal")
	t.Logf("%d items: %s", o.items, lines[0])
}
