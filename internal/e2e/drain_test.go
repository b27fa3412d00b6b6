// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// clients send requests of all signals over both protocols until the collector is gone.
type clients struct {
	running sync.WaitGroup
	enough  chan struct{} // closed when manyRequests are accepted

	mu       sync.Mutex
	accepted []request
	items    map[string]bool // of all requests, accepted or not
}

// manyRequests is a number of requests that keeps the queue and the producer busy.
const manyRequests = 600

func startClients(ctx context.Context, t *testing.T, c *collector) *clients {
	t.Helper()
	const itemsEach = 9
	all := &clients{enough: make(chan struct{}), items: map[string]bool{}}
	for protocol, client := range map[string]func(*testing.T, *collector) send{"grpc": grpcClient, "http": httpClient} {
		for signal, newRequest := range signals {
			send := client(t, c)
			all.running.Go(func() {
				for i := 0; ; i++ {
					r := newRequest(t, fmt.Sprintf("%s-%s-%d", protocol, signal, i), itemsEach)
					if !all.send(ctx, send, r) {
						return
					}
				}
			})
		}
	}
	return all
}

// send sends r and reports whether the collector accepted it.
func (c *clients) send(ctx context.Context, send send, r request) bool {
	c.mu.Lock()
	for _, item := range r.items {
		c.items[item] = true
	}
	c.mu.Unlock()
	if send(ctx, r) != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.accepted = append(c.accepted, r); len(c.accepted) == manyRequests {
		close(c.enough)
	}
	return true
}

// TestShutdownUnderLoadLosesNothing ends the collector while clients send over both protocols. The collector ends without
// an error and in time, and all that it accepted is in the stream.
func TestShutdownUnderLoadLosesNothing(t *testing.T) {
	tests := []struct {
		name  string
		fault kpltest.Fault // until the collector shuts down
	}{
		{"slow and throttled now and then", kpltest.All(
			kpltest.Latency(20*time.Millisecond), kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.1),
		)},
		{"nothing is stored before", kpltest.FailRecordFraction(kpltest.CodeThrottled, 1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := peers.Context(t)
			k, endpoint := newKinesis(t, kpltest.Config{Seed: 1})
			remove := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, test.fault))
			c := startCollector(t, settings{kinesis: endpoint, overrides: patient()})
			clients := startClients(ctx, t, c)
			select {
			case <-clients.enough:
			case <-ctx.Done():
				require.NoError(t, ctx.Err(), "%d requests were accepted", len(clients.accepted))
			}
			c.Terminate(t)
			began := time.Now()
			c.WaitLine(ctx, t, "Starting shutdown")
			remove()
			require.NoError(t, c.Wait(ctx, t))
			took := time.Since(began)
			assert.Less(t, took, c.slowed(grace))
			clients.running.Wait()
			clients.check(t, k)
			t.Logf("%d requests accepted; %v from SIGTERM to the end; %d Kinesis records in %d calls",
				len(clients.accepted), took, len(k.Records(stream)), len(k.Calls(kpltest.OpPutRecords)))
		})
	}
}

// check requires that each accepted item is in the stream once, and that each item in the stream was sent.
func (c *clients) check(t *testing.T, k *kpltest.Kinesis) {
	t.Helper()
	stored := storedItems(t, k)
	for _, r := range c.accepted {
		require.NotEmpty(t, r.items)
		for _, item := range r.items {
			require.Equal(t, 1, stored[item], "copies of %s", item)
		}
	}
	for item := range stored {
		require.True(t, c.items[item], "nobody sent %s", item)
	}
}
