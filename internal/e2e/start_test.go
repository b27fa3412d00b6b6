// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// TestStartsBeforeKinesisDoes starts the collector while nothing listens at the endpoint. Then something listens, but there
// is no stream. The collector accepts telemetry all the time, and delivers it when there is a stream.
func TestStartsBeforeKinesisDoes(t *testing.T) {
	ctx := peers.Context(t)
	address := freeAddresses(t, 1)[0]
	c := startCollector(t, settings{kinesis: "http://" + address, overrides: patient()})
	sent := signals[marshaler.Logs](t, "early", 10)
	require.NoError(t, grpcClient(t, c)(ctx, sent))
	c.WaitLine(ctx, t, "Listing the shards failed")

	k := kpltest.New(kpltest.Config{})
	server := httptest.NewUnstartedServer(k.Handler())
	require.NoError(t, server.Listener.Close())
	var err error
	server.Listener, err = new(net.ListenConfig).Listen(ctx, "tcp", address)
	require.NoError(t, err)
	server.Start()
	defer server.Close()
	c.WaitLine(ctx, t, "The stream accepts no records")
	require.NoError(t, k.CreateStream(kpltest.Stream{Name: stream, Shards: 3}))
	require.NoError(t, k.WaitRecords(ctx, stream, 1))

	c.Terminate(t)
	require.NoError(t, c.Wait(ctx, t))
	stored := storedItems(t, k)
	assert.Len(t, stored, len(sent.items))
	for _, item := range sent.items {
		assert.Equal(t, 1, stored[item], item)
	}
}

// TestStartsWithoutARegion starts the collector without an endpoint and a region. The collector logs that the region is
// missing, and ends when it gets a SIGTERM.
func TestStartsWithoutARegion(t *testing.T) {
	ctx := peers.Context(t)
	c := startCollector(t, settings{env: map[string]string{"AWS_REGION": ""}, overrides: []string{
		"exporters::kinesis_kpl::retry_on_failure: {enabled: false}",
		"exporters::kinesis_kpl::record_ttl: 1s",
	}})
	require.NoError(t, grpcClient(t, c)(ctx, signals[marshaler.Logs](t, "lost", 10)))
	line := c.WaitLine(ctx, t, "Dropping data")
	assert.Contains(t, strings.ToLower(line), "region")
	c.Terminate(t)
	require.NoError(t, c.Wait(ctx, t))
}
