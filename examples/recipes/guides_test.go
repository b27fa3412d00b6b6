// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package recipes

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// Each configuration that a migration guide ends with delivers all signals.
func TestGuides(t *testing.T) {
	guides, err := filepath.Glob("../../docs/migration/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, guides)
	block := regexp.MustCompile("(?s)<!-- config: ([^ ]+) -->\n```yaml\n(.*?)```")
	for _, guide := range guides {
		text, err := os.ReadFile(guide)
		require.NoError(t, err)
		blocks := block.FindAllSubmatch(text, -1)
		require.NotEmpty(t, blocks, guide)
		for _, match := range blocks {
			for name, signal := range map[string]marshaler.Signal{
				"logs": marshaler.Logs, "traces": marshaler.Traces, "metrics": marshaler.Metrics,
			} {
				t.Run(filepath.Base(guide)+"/"+string(match[1])+"/"+name, func(t *testing.T) {
					assert.Equal(t, items, delivered(t, match[2], name, signal))
				})
			}
		}
	}
}

// delivered sends one signal through an exporter with the configuration, and returns how many items are in its streams then.
func delivered(t *testing.T, yaml []byte, name string, signal marshaler.Signal) (n int) {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML(yaml)
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	c := load(t, conf)
	streams := []string{c.AWS.StreamName, c.Logs.StreamName, c.Traces.StreamName, c.Metrics.StreamName}
	streams = slices.DeleteFunc(streams, func(stream string) bool { return stream == "" })
	k, endpoint := newKinesis(t, streams)
	local(c, endpoint)
	run(t.Context(), t, c, []string{name})
	for _, stream := range streams {
		require.Empty(t, k.DroppedAggregates(stream))
		for _, record := range k.UserRecords(stream) {
			plain, _, err := marshaler.Decompress(record.Data, marshaler.MaxPlainSize)
			require.NoError(t, err)
			encoding := marshaler.OTLPProto
			if bytes.HasPrefix(plain, []byte("{")) {
				encoding = marshaler.OTLPJSON
			}
			n += countIn(t, plain, signal, encoding)
		}
	}
	return n
}
