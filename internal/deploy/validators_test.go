// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
)

// collector returns the path of the built collector.
func collector(t *testing.T) string {
	t.Helper()
	path := os.Getenv("KINESIS_E2E_BINARY")
	if path == "" {
		path = filepath.Join(peers.Root(t), "dist", "otelcol-kinesis")
	}
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err, "there is no collector: run `make build`, or let KINESIS_E2E_BINARY name one")
	return path
}

// withEnvironment gives a command what the configurations use.
func withEnvironment(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = cmd.Environ()
	for name, value := range environment {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// passes runs a program that must end with 0.
func passes(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", cmd, output)
}

// The built collector has all components of each configuration and takes their settings.
func TestCollectorTakesConfigurations(t *testing.T) {
	for _, w := range workloads(t) {
		t.Run(w.file, func(t *testing.T) {
			storage := t.TempDir() // must exist
			text := strings.NewReplacer("/var/lib/otelcol-kinesis", storage, "/var/lib/otelcol", storage).Replace(w.config)
			file := filepath.Join(t.TempDir(), "config.yaml")
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			passes(t, withEnvironment(exec.CommandContext(t.Context(), collector(t), "validate", "--config", file)))
		})
	}
}

// The manifests are valid by the schemas of Kubernetes, and have no property that these do not know.
func TestManifestsAreValid(t *testing.T) {
	manifests, err := filepath.Glob(folder + "kubernetes/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, manifests)
	passes(t, peers.PythonTool(t, "kubernetes-validate", append([]string{"--strict"}, manifests...)...))

	text := strings.Replace(read(t, "kubernetes/gateway.yaml"), "replicas:", "replica:", 1)
	text = strings.Replace(text, "terminationGracePeriodSeconds:", "terminationGracePeriod:", 1)
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	require.NoError(t, os.WriteFile(bad, []byte(text), 0o600))
	output, err := peers.PythonTool(t, "kubernetes-validate", "--strict", bad).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(output), "terminationGracePeriod")
}

func TestDockerfileIsClean(t *testing.T) {
	passes(t, peers.PythonTool(t, "hadolint", "--no-color", folder+"docker/Dockerfile"))
}

func TestUnitIsClean(t *testing.T) {
	analyzer, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze")
	}
	unit := strings.Replace(read(t, "systemd/otelcol-kinesis.service"), "/usr/local/bin/otelcol-kinesis", collector(t), 1)
	file := filepath.Join(t.TempDir(), "otelcol-kinesis.service")
	require.NoError(t, os.WriteFile(file, []byte(unit), 0o600))
	output, err := exec.CommandContext(t.Context(), analyzer, "verify", "--man=no", file).CombinedOutput()
	require.NoError(t, err, "%s", output)
	assert.Empty(t, string(output), "warnings")
}
