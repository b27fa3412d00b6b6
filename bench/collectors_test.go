// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The collectors have the versions of the repository's collector. Only the peer's exporter is not in that one.
func TestCollectorsHaveTheVersionsOfTheRepository(t *testing.T) {
	versions := func(file string) map[string]string {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		found := map[string]string{}
		for _, m := range regexp.MustCompile(`gomod: (\S+) (\S+)`).FindAllStringSubmatch(string(text), -1) {
			found[m[1]] = m[2]
		}
		return found
	}
	want := versions("../builder-config.yaml")
	const theirs = "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/awskinesisexporter"
	want[theirs] = "v0.161.0"
	manifests, err := filepath.Glob("collectors/*.yaml")
	require.NoError(t, err)
	require.Len(t, manifests, 3)
	for _, manifest := range manifests {
		modules := versions(manifest)
		require.Len(t, modules, 5, manifest)
		for module, version := range modules {
			assert.Equal(t, want[module], version, "%s: %s", manifest, module)
		}
	}
}
