// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

func recipe(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(peers.Root(t), "examples", "recipes", name)
}

// The built collector takes each recipe as it is, but for a folder that exists.
func TestRecipesAreValid(t *testing.T) {
	recipes, err := filepath.Glob(recipe(t, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, recipes)
	for _, file := range append(recipes, filepath.Join(peers.Root(t), "examples", "tailsampling", "writer.yaml")) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			args := []string{"validate", "--config", file}
			if filepath.Base(file) == "agent.yaml" {
				args = append(args, "--config", "yaml:extensions::file_storage::directory: "+t.TempDir())
			}
			output, err := command(t, settings{}, args...).CombinedOutput()
			require.NoError(t, err, "%s", output)
		})
	}
}

// startRecipe starts a collector with a recipe, which listens on addresses of its own.
func startRecipe(t *testing.T, name string, overrides ...string) *collector {
	t.Helper()
	addresses := freeAddresses(t, 2)
	c := &collector{grpc: addresses[0], http: addresses[1], slowness: 1}
	args := []string{"--config", recipe(t, name)}
	for _, override := range append(overrides,
		"receivers::otlp::protocols::grpc::endpoint: "+c.grpc, "receivers::otlp::protocols::http::endpoint: "+c.http,
		"service::telemetry::metrics::level: none") {
		args = append(args, "--config", "yaml:"+override)
	}
	c.Process = peers.Start(t, command(t, settings{}, args...))
	c.WaitLine(peers.Context(t), t, "Everything is ready")
	return c
}

// What an agent takes comes through a gateway into the stream, with the recipes for both.
func TestAgentAndGateway(t *testing.T) {
	k, endpoint := newKinesis(t, kpltest.Config{Seed: 1})
	gateway := startRecipe(t, "gateway.yaml",
		"exporters::kinesis_kpl::aws::endpoint: "+endpoint, "exporters::kinesis_kpl::aws::insecure: true",
		"exporters::kinesis_kpl::aws::check_at_start: false")
	agent := startRecipe(t, "agent.yaml",
		"exporters::otlp_http::endpoint: http://"+gateway.http, "extensions::file_storage::directory: "+t.TempDir())
	const requests, records = 5, 20
	send := httpClient(t, agent)
	for i := range requests {
		require.NoError(t, send(peers.Context(t), logRequest(fmt.Sprint("request-", i), records, 100)))
	}
	peers.Until(peers.Context(t), t, func() error {
		if n := len(storedItems(t, k)); n != requests*records {
			return fmt.Errorf("%d of %d items are stored", n, requests*records)
		}
		return nil
	})
}
