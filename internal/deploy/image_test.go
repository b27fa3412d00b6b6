// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package deploy

import (
	"net"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"

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
	cmd := withEnvironment(exec.Command(collector(t), "--config="+folder+"docker/config.yaml",
		"--config=yaml:extensions::health_check::endpoint: "+health,
		"--config=yaml:receivers::otlp::protocols::grpc::endpoint: 127.0.0.1:0",
		"--config=yaml:receivers::otlp::protocols::http::endpoint: 127.0.0.1:0",
		"--config=yaml:service::telemetry::metrics::level: none"))
	for name, value := range peers.Environment() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Env = append(cmd.Env, "KINESIS_ENDPOINT="+fake.URL, "KINESIS_INSECURE=true")
	c := peers.Start(t, cmd)
	c.WaitLine(ctx, t, "Everything is ready")
	require.NoError(t, check(), "started")
	c.Terminate(t)
	require.NoError(t, c.Wait(ctx, t))
	require.Error(t, check(), "stopped")
}
