package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// One small round of everything there is for one shape: it runs, sends what it says, and writes its documents.
func TestRun(t *testing.T) {
	directory := t.TempDir()
	var stdout bytes.Buffer
	out := filepath.Join(directory, "results.json")
	require.NoError(t, run(t.Context(), []string{
		"bench", "-rounds", "1", "-shapes", "logs-1x1000", "-items", "2000", "-out", out, "-docs", directory,
	}, &stdout, t.Output()))

	text, err := os.ReadFile(out)
	require.NoError(t, err)
	var rows []report.Row
	require.NoError(t, json.Unmarshal(text, &rows))
	shapes := map[string]bool{}
	for _, row := range rows {
		shapes[row.Shape] = true
		assert.Positive(t, row.CPUSecondsPerMillion, row.Key)
		assert.Positive(t, row.PeakRSS, row.Key)
		if row.Shape == "logs-1x1000" {
			require.NotNil(t, row.KinesisRecordsPerMillion, row.Key)
			assert.Positive(t, *row.KinesisRecordsPerMillion, row.Key)
			assert.NotNil(t, row.CPURatio, row.Key)
			assert.NotNil(t, row.LimitRatio, row.Key)
		}
	}
	assert.Equal(t, map[string]bool{"logs-1x1000": true, "paced-logs-1x1000": true, "lone-logs-1x10": true, "core": true}, shapes)
	assert.Contains(t, stdout.String(), "| kinesis_kpl | none |")

	page, err := os.ReadFile(filepath.Join(directory, "bench.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), stdout.String())
	assert.FileExists(t, filepath.Join(directory, "bench.svg"))
}

func TestRunRefusesUnknownShapes(t *testing.T) {
	err := run(t.Context(), []string{"bench", "-shapes", "logs"}, t.Output(), t.Output())
	assert.EqualError(t, err, `there is no shape "logs"`)
}
