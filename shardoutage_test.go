// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"crypto/md5"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// shardOf returns which of the open shards a partition key leads to.
func shardOf(k *kpltest.Kinesis, partitionKey string) int {
	sum := md5.Sum([]byte(partitionKey))
	key := new(big.Int).SetBytes(sum[:])
	return slices.IndexFunc(k.OpenShards(testStream), func(shard kpltest.OpenShard) bool {
		end, _ := new(big.Int).SetString(shard.EndingHashKey, 10)
		return key.Cmp(end) <= 0
	})
}

// services returns a service.name for each shard.
func services(t *testing.T, k *kpltest.Kinesis, c *Config) []string {
	t.Helper()
	m, err := marshaler.New(c.marshalerConfig(marshaler.Logs))
	require.NoError(t, err)
	names := make([]string, len(k.OpenShards(testStream)))
	for i, found := 0, 0; found < len(names); i++ {
		name := fmt.Sprint("service", i)
		encoded, err := m.MarshalLogs(logsOf(name))
		require.NoError(t, err)
		shard := shardOf(k, encoded.Messages[0].PartitionKey)
		if names[shard] == "" {
			names[shard] = name
			found++
		}
	}
	return names
}

// logsFor returns a log record with a body for each service.
func logsFor(body string, services ...string) plog.Logs {
	logs := plog.NewLogs()
	for _, name := range services {
		resource := logs.ResourceLogs().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", name)
		resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(name + "/" + body)
	}
	return logs
}

// One shard of three takes nothing, for five minutes. The queue is full of data for it within a minute.
func TestNoShardStopsTheOthers(t *testing.T) {
	const sick = 1
	minutes := 5
	if testing.Short() {
		minutes = 2
	}
	for _, tt := range []struct {
		name     string
		size     int  // of a log record, in bytes
		mixed    bool // each request has data for all shards
		overflow ShardOverflow
		healthy  float64 // how much of the data for the other shards is stored
	}{
		{"requests of one shard", 5000, false, RetryOverflow, 1},
		{"requests of one shard, drop", 5000, false, DropOverflow, 1},
		{"requests of all shards, drop", 5000, true, DropOverflow, 1},
		{"requests of all shards", 5000, true, RetryOverflow, 0.03}, // until the queue is full
		{"small requests", 50, false, RetryOverflow, 1},             // the consumers are the limit
		{"small requests of all shards, drop", 50, true, DropOverflow, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, c := newTestKinesis(3), queuedConfig()
				c.Producer = newDefaultProducerConfig()
				c.Retry.Enabled, c.Retry.RandomizationFactor = true, 0
				c.Queue.Get().QueueSize = 2 << 20
				c.ShardOverflow = tt.overflow
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(15*time.Millisecond)))
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords,
					kpltest.FailShard(kpltest.CodeThrottled, k.OpenShards(testStream)[sick])))
				names := services(t, k, c)
				e := startLogs(t, k, c)
				require.NoError(t, e.ConsumeLogs(t.Context(), logsFor("first", names[0])))
				advance(time.Second) // the shards are listed

				body, turnedAway, accepted, rounds := strings.Repeat("x", tt.size), 0, 1, 0
				push := func(services ...string) {
					err := e.ConsumeLogs(t.Context(), logsFor(fmt.Sprint(rounds, body), services...))
					if err == nil {
						accepted += len(services)
						return
					}
					require.ErrorContains(t, err, "shard_overflow")
					for _, name := range services {
						turnedAway++
						if !tt.mixed {
							require.Equal(t, names[sick], name, "only data for the sick shard is not accepted")
						}
					}
				}
				for ; rounds < minutes*60*10; rounds++ {
					if tt.mixed {
						push(names...)
					} else {
						for _, name := range names {
							push(name)
						}
					}
					advance(100 * time.Millisecond)
				}
				stored := map[string]int{}
				for body := range distinct(t, storedBodies(t, k)) {
					stored[strings.SplitN(body, "/", 2)[0]]++
				}
				for shard, name := range names {
					share := float64(stored[name]) / float64(rounds)
					t.Logf("shard %d: %.1f %% of its data is stored", shard, 100*share)
					if shard == sick {
						assert.Zero(t, stored[name])
					} else {
						assert.GreaterOrEqual(t, share, 0.99*tt.healthy)
					}
				}
				assert.Positive(t, turnedAway)
				dropped := e.sum(t, "items_put", "outcome", "overflow")
				assert.Equal(t, tt.overflow == DropOverflow, dropped > 0)
				if tt.mixed {
					dropped = 0 // from requests that were accepted
				}
				assert.Equal(t, turnedAway, e.sum(t, "items_not_accepted")+dropped)

				start := time.Now()
				require.NoError(t, e.Shutdown(context.Background()))
				assert.LessOrEqual(t, time.Since(start), defaultDrainTimeout)
				assert.Equal(t, accepted, helperItems(t, e, "sent")+helperItems(t, e, "send_failed"))
			})
		})
	}
}

// helperItems returns a counter of exporterhelper.
func helperItems(t *testing.T, r *rig, what string) (items int) {
	t.Helper()
	m, err := r.telemetry.GetMetric("otelcol_exporter_" + what + "_log_records")
	if err != nil {
		return 0 // never counted
	}
	for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
		items += int(point.Value)
	}
	return items
}
