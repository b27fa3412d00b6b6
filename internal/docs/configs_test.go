// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

// Each configuration in the README and in the documents is one that the exporter takes.
func TestConfigurationsOfTheDocuments(t *testing.T) {
	documents, err := files(os.DirFS(root), "*.md")
	require.NoError(t, err)
	with := 0 // documents with configurations
	for _, document := range documents {
		if document != "README.md" && !strings.HasPrefix(document, "docs/") {
			continue
		}
		text := read(t, document)
		configurations := snippets(text, "config")
		assert.Len(t, configurations, strings.Count(text, "<!-- config"),
			"%s: two blocks of one name, or one without text", document)
		for name, yaml := range configurations {
			t.Run(document+"/"+name, func(t *testing.T) { requireTaken(t, yaml) })
		}
		if len(configurations) > 0 {
			with++
		}
	}
	assert.GreaterOrEqual(t, with, 4, "README.md and the migration guides")
}

// requireTaken requires that each exporter kinesis_kpl in the configuration of a collector can be read and is valid, and that
// there is one.
func requireTaken(t *testing.T, yaml string) {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	exporters, err := conf.Sub("exporters")
	require.NoError(t, err)
	found := 0
	for id := range exporters.ToStringMap() {
		if kind, _, _ := strings.Cut(id, "/"); kind != "kinesis_kpl" {
			continue
		}
		sub, err := exporters.Sub(id)
		require.NoError(t, err)
		cfg := defaultConfig()
		require.NoError(t, sub.Unmarshal(cfg), id)
		require.NoError(t, confmap.Validate(cfg), id)
		found++
	}
	require.Positive(t, found, "an exporter kinesis_kpl")
}
