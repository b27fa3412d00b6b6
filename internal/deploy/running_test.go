// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package deploy

import (
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// freeAddress returns an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// run starts the built collector with a configuration, on free ports.
func run(t *testing.T, config, health string, overrides ...string) *peers.Process {
	t.Helper()
	cmd := withEnvironment(exec.Command(collector(t), "--config="+config))
	for _, override := range append(overrides,
		"extensions::health_check::endpoint: "+health,
		"receivers::otlp::protocols::grpc::endpoint: 127.0.0.1:0",
		"receivers::otlp::protocols::http::endpoint: 127.0.0.1:0",
		"service::telemetry::metrics::level: none",
	) {
		cmd.Args = append(cmd.Args, "--config=yaml:"+override)
	}
	for name, value := range peers.Environment() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return peers.Start(t, cmd)
}

// The agent reads the logs of containers, says which pod they are of, and does not read its own.
func TestAgentReadsContainers(t *testing.T) {
	ctx := peers.Context(t)
	k := kpltest.New(kpltest.Config{Account: "123456789012", Region: "eu-central-1"}, kpltest.Stream{Name: "telemetry", Shards: 1})
	fake := httptest.NewServer(k.Handler())
	t.Cleanup(fake.Close)
	directory := t.TempDir()
	storage, logs := filepath.Join(directory, "storage"), filepath.Join(directory, "pods")
	own := filepath.Join(logs, "telemetry_otel-agent-x_0a1c", "collector", "0.log")
	files := map[string]string{
		own: "2026-01-02T03:04:05.678901234Z stderr F its own line\n",
		filepath.Join(logs, "shop_cart-7_0a1b", "server", "0.log"): "2026-01-02T03:04:05.678901234Z stdout F an order\n",
		filepath.Join(directory, "agent.yaml"): strings.NewReplacer("/var/log/pods", logs, "/var/lib/otelcol", storage).
			Replace(ofManifest(t, "kubernetes/agent.yaml").config),
	}
	require.NoError(t, os.Mkdir(storage, 0o700))
	for name, content := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	}
	c := run(t, filepath.Join(directory, "agent.yaml"), freeAddress(t),
		"exporters::kinesis_kpl::aws::endpoint: "+fake.URL, "exporters::kinesis_kpl::aws::insecure: true")
	require.NoError(t, k.WaitRecords(ctx, "telemetry", 1))
	c.Terminate(t)
	require.NoError(t, c.Wait(ctx, t))
	var stored strings.Builder
	for _, record := range k.UserRecords("telemetry") {
		stored.Write(record.Data)
	}
	for _, want := range []string{"an order", "k8s.pod.name", "cart-7", "k8s.namespace.name", "shop", "server"} {
		assert.Contains(t, stored.String(), want)
	}
	assert.NotContains(t, stored.String(), "its own line")
}

// The collector of the image starts with the configuration of the image, and its health check says when it is up.
func TestImageIsHealthy(t *testing.T) {
	ctx := peers.Context(t)
	fake := httptest.NewServer(kpltest.New(kpltest.Config{}, kpltest.Stream{Name: "telemetry", Shards: 1}).Handler())
	t.Cleanup(fake.Close)
	healthcheck := filepath.Join(t.TempDir(), "healthcheck")
	build := exec.CommandContext(ctx, "go", "build", "-o", healthcheck, "./deploy/docker/healthcheck")
	build.Dir = peers.Root(t)
	passes(t, build)

	health := freeAddress(t)
	check := func() error { return exec.CommandContext(ctx, healthcheck, "http://"+health+"/").Run() }
	require.Error(t, check(), "not started")
	c := run(t, folder+"docker/config.yaml", health, "exporters::kinesis_kpl::aws::endpoint: "+fake.URL,
		"exporters::kinesis_kpl::aws::insecure: true")
	c.WaitLine(ctx, t, "Everything is ready")
	require.NoError(t, check(), "started")
	c.Terminate(t)
	require.NoError(t, c.Wait(ctx, t))
	require.Error(t, check(), "stopped")
}
