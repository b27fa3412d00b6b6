// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// componentHealth is what the extension health_check tells of a component and of the components in it.
type componentHealth struct {
	Healthy    bool
	Status     string
	Error      string
	Components map[string]componentHealth
}

// health asks the extension health_check. It returns the HTTP status, and what is told of the exporter of logs.
func health(ctx context.Context, t *testing.T, address string) (status int, exporter componentHealth) {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/status?verbose", http.NoBody)
	require.NoError(t, err)
	answer, err := transport.RoundTrip(ask)
	require.NoError(t, err)
	defer answer.Body.Close()
	var all componentHealth
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&all))
	return answer.StatusCode, all.Components["pipeline:logs"].Components["exporter:kinesis_kpl"]
}

// readmeHealthCheck returns the configuration of the extension in the README.
func readmeHealthCheck(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(peers.Root(t), "README.md"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "<!-- health check -->\n```yaml\n")
	require.True(t, found)
	config, _, found := strings.Cut(rest, "```")
	require.True(t, found)
	return config
}

// TestHealthCheckShowsTheStatus starts the collector with the extension of the README, for a stream that does not exist. The
// health check shows the cause until somebody creates the stream.
func TestHealthCheckShowsTheStatus(t *testing.T) {
	ctx := peers.Context(t)
	k := kpltest.New(kpltest.Config{})
	server := httptest.NewServer(k.Handler())
	t.Cleanup(server.Close)
	address := freeAddresses(t, 1)[0]
	c := startCollector(t, settings{
		kinesis: server.URL,
		args:    []string{"--feature-gates=extension.healthcheck.useComponentStatus"},
		overrides: append(patient(),
			readmeHealthCheck(t),
			"extensions::health_check::http::endpoint: "+address,
			"extensions::health_check::component_health::recovery_duration: 1ms"),
	})
	fine := func() error {
		status, exporter := health(ctx, t, address)
		if status != http.StatusOK || exporter.Status != "StatusOK" || !exporter.Healthy {
			return fmt.Errorf("HTTP status %d, %+v", status, exporter)
		}
		return nil
	}
	peers.Until(ctx, t, fine)

	require.NoError(t, grpcClient(t, c)(ctx, signals[marshaler.Logs](t, "early", 10)))
	var status int
	var exporter componentHealth
	peers.Until(ctx, t, func() error {
		status, exporter = health(ctx, t, address)
		if exporter.Status != "StatusRecoverableError" || status == http.StatusOK {
			return fmt.Errorf("HTTP status %d, %+v", status, exporter)
		}
		return nil
	})
	assert.Equal(t, http.StatusInternalServerError, status)
	assert.False(t, exporter.Healthy)
	assert.Contains(t, exporter.Error, "ResourceNotFoundException")
	assert.Contains(t, exporter.Error, stream)

	require.NoError(t, k.CreateStream(kpltest.Stream{Name: stream, Shards: 3}))
	require.NoError(t, k.WaitRecords(ctx, stream, 1))
	peers.Until(ctx, t, fine)
	c.Terminate(t)
	require.NoError(t, c.Wait(ctx, t))
}
