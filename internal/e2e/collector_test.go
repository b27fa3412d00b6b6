// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"maps"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// stream is the stream of testdata/collector.yaml.
const stream = "telemetry"

// newKinesis returns a Kinesis with the stream, and the URL at which it is served.
func newKinesis(t *testing.T, config kpltest.Config) (k *kpltest.Kinesis, endpoint string) {
	t.Helper()
	k = kpltest.New(config, kpltest.Stream{Name: stream, Shards: 3})
	server := httptest.NewServer(k.Handler())
	t.Cleanup(server.Close)
	return k, server.URL
}

// settings are the environment and the configuration of a collector, as far as a test sets them.
type settings struct {
	kinesis   string            // the endpoint of Kinesis
	overrides []string          // keys of the configuration, such as "exporters::kinesis_kpl::timeout: 1m"
	env       map[string]string // environment variables
	args      []string          // further arguments
}

// command returns a command that runs the collector.
func command(t *testing.T, s settings, args ...string) *exec.Cmd {
	t.Helper()
	path := os.Getenv("KINESIS_E2E_BINARY")
	if path == "" {
		path = filepath.Join(peers.Root(t), "dist", "otelcol-kinesis")
	}
	_, err := os.Stat(path)
	require.NoError(t, err, "there is no collector: run `make build`, or let KINESIS_E2E_BINARY name one")
	cmd := exec.Command(path, args...)
	environment := peers.Environment()
	environment["E2E_KINESIS_ENDPOINT"] = s.kinesis
	maps.Copy(environment, s.env)
	cmd.Env = cmd.Environ()
	for key, value := range environment {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	return cmd
}

// configArgs returns the arguments of a collector, which give it its configuration.
func (s settings) configArgs() []string {
	args := append(slices.Clone(s.args), "--config", filepath.Join("testdata", "collector.yaml"))
	for _, override := range s.overrides {
		args = append(args, "--config", "yaml:"+override)
	}
	return append(args, s.args...)
}

// collector is a running collector.
type collector struct {
	*peers.Process

	grpc, http, metrics string  // addresses
	slowness            float64 // how many times longer than usual it took to start, at least 1
}

// usualStart is how long a collector takes to start when the machine has nothing else to do.
const usualStart = 300 * time.Millisecond

// slowed returns how long this machine may take for what takes d at most when nothing else runs. The measure is how long
// the collector took to start.
func (c *collector) slowed(d time.Duration) time.Duration {
	return time.Duration(float64(d) * c.slowness)
}

// startCollector starts a collector and waits until it accepts telemetry.
func startCollector(t *testing.T, s settings) *collector {
	t.Helper()
	addresses := freeAddresses(t, 3)
	c := &collector{grpc: addresses[0], http: addresses[1], metrics: addresses[2]}
	cmd := command(t, s, s.configArgs()...)
	_, metricsPort, err := net.SplitHostPort(c.metrics)
	require.NoError(t, err)
	cmd.Env = append(cmd.Env,
		"E2E_GRPC_ADDRESS="+c.grpc, "E2E_HTTP_ADDRESS="+c.http, "E2E_METRICS_PORT="+metricsPort)
	began := time.Now()
	c.Process = peers.Start(t, cmd)
	c.WaitLine(peers.Context(t), t, "Everything is ready")
	c.slowness = max(1, float64(time.Since(began))/float64(usualStart))
	return c
}

// freeAddresses returns n addresses of this machine that nobody listens on.
func freeAddresses(t *testing.T, n int) []string {
	t.Helper()
	var addresses []string
	var listeners []net.Listener
	for range n { // All listen until the last one does, so that the addresses differ.
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		addresses, listeners = append(addresses, listener.Addr().String()), append(listeners, listener)
	}
	for _, listener := range listeners {
		require.NoError(t, listener.Close())
	}
	return addresses
}
