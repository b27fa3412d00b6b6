// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// TestClientsThatMustTryAgainSucceedByThemselves throttles all records until the queue is full and clients get UNAVAILABLE
// or status 503. The clients send again by themselves until everything is accepted. They are gRPC's own client with a
// retry policy, and the OTLP/HTTP exporter of the Collector.
func TestClientsThatMustTryAgainSucceedByThemselves(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]func(*testing.T, *collector) send{
		"grpc": retryingGRPCClient,
		"http": retryingHTTPClient,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := peers.Context(t)
			s := newService(t, kpltest.Config{}, 2)
			s.up(t)
			free := s.Inject(kpltest.ForOperation(kpltest.OpPutRecords,
				kpltest.FailRecordFraction(kpltest.CodeThrottled, 1)))
			c := startCollector(t, settings{kinesis: s.url(), overrides: append(patient(),
				"exporters::kinesis_kpl::sending_queue: {sizer: requests, queue_size: 5, num_consumers: 2}",
			)})
			l := startLoad(ctx, loadConfig{name: name, records: 5, every: time.Millisecond},
				slices.Repeat([]send{client(t, c)}, 3)...)
			// From some request on, all clients get the error and send again.
			peers.Until(ctx, t, func() error {
				if failed := c.scrape(ctx, t).sum("exporter_enqueue_failed_log_records"); failed < 100 {
					return fmt.Errorf("%d items were not accepted", failed)
				}
				return nil
			})
			assert.Empty(t, s.Records(stream))
			assert.Positive(t, c.scrape(ctx, t).sum("receiver_refused_log_records"))
			assert.Contains(t, c.Output(), "sending queue is full")
			free()
			l.waitAccepted(ctx, t, 200)
			l.stop()
			c.drained(ctx, t)

			items, failed := l.counts()
			assert.Zero(t, failed, "requests with which a client did not succeed by itself")
			found := copies(t, s.Kinesis)
			assert.Empty(t, lost(found, l))
			assert.Len(t, found, items)
			assert.Zero(t, duplicates(found))
			t.Logf("%d items accepted, %d not at first", items,
				c.scrape(ctx, t).sum("exporter_enqueue_failed_log_records"))
		})
	}
}

// retryingGRPCClient returns a client that uses OTLP/gRPC and sends a request again after UNAVAILABLE.
func retryingGRPCClient(t *testing.T, c *collector) send {
	t.Helper()
	connection, err := grpc.NewClient(c.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithMaxCallAttempts(100),
		grpc.WithDefaultServiceConfig(`{"methodConfig": [{"name": [{}], "retryPolicy": {
			"maxAttempts": 100, "initialBackoff": "0.02s", "maxBackoff": "0.1s", "backoffMultiplier": 2,
			"retryableStatusCodes": ["UNAVAILABLE"]}}]}`))
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	return func(ctx context.Context, r request) error { return r.export(ctx, connection) }
}

// retryingHTTPClient returns a client that sends through a collector without a queue. The OTLP/HTTP exporter of that
// collector sends a request again after status 503.
func retryingHTTPClient(t *testing.T, c *collector) send {
	t.Helper()
	agent := startCollector(t, settings{kinesis: "http://127.0.0.1:1", overrides: []string{
		"exporters::otlp_http: {endpoint: 'http://" + c.http + "', sending_queue: {enabled: false}, " +
			"retry_on_failure: {initial_interval: 20ms, max_interval: 100ms}}",
		"service::pipelines::logs::exporters: [otlp_http]",
	}})
	return grpcClient(t, agent)
}
