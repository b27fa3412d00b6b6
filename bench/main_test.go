// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// This runs one small round of all jobs of one shape, without collectors. Each job sends what it says, and the documents are
// written.
func TestRun(t *testing.T) {
	directory := t.TempDir()
	var stdout bytes.Buffer
	out := filepath.Join(directory, "results.json")
	require.NoError(t, os.Mkdir(filepath.Join(directory, "docs"), 0o700))
	readme := filepath.Join(directory, "README.md")
	require.NoError(t, os.WriteFile(readme, []byte("# Before\n"+figuresBegin+"old\n"+figuresEnd+"After.\n"), 0o600))
	require.NoError(t, run(t.Context(), []string{
		"bench", "-rounds", "1", "-shapes", "logs-1x1000", "-items", "2000", "-requests", "10", "-out", out, "-root", directory,
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
	assert.Equal(t, map[string]bool{
		"logs-1x1000": true, "tls-logs-1x1000": true, "lone-logs-1x10": true, "loaded-logs-1x10": true, "core": true,
	}, shapes)
	table, goals, found := strings.Cut(stdout.String(), "\n**goals**\n\n")
	require.True(t, found)
	assert.Contains(t, table, "| kinesis_kpl | none |")
	for line := range strings.Lines(goals) {
		if !strings.Contains(line, "logs-100x100") && !strings.Contains(line, "logs-10000x1") && !strings.Contains(line, "RSS") {
			assert.NotContains(t, line, "not measured")
		}
	}

	page, err := os.ReadFile(filepath.Join(directory, "docs", "bench.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), table)
	assert.Contains(t, string(page), goals)
	assert.FileExists(t, filepath.Join(directory, "docs", "bench.svg"))
	renewed, err := os.ReadFile(readme)
	require.NoError(t, err)
	assert.Regexp(t, "(?s)^# Before\n.*\n\\| 1 × 1000 \\| .*\nAfter.\n$", string(renewed))
	assert.NotContains(t, string(renewed), "old")
	assertDocuments(t, out, directory)
}

// The committed documents of `make bench` are made from the committed rows.
func TestDocuments(t *testing.T) {
	if _, err := os.Stat("results.json"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("there are no results yet")
	}
	assertDocuments(t, "results.json", "..")
}

// assertDocuments fails if rendering the rows would change a document.
func assertDocuments(t *testing.T, results, root string) {
	t.Helper()
	again := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(again, "docs"), 0o700))
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(again, "README.md"), readme, 0o600))
	require.NoError(t, run(t.Context(), []string{"bench", "-render", "-out", results, "-root", again}, t.Output(), t.Output()))
	for _, name := range []string{"README.md", "docs/bench.md", "docs/bench.svg"} {
		committed, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		rendered, err := os.ReadFile(filepath.Join(again, name))
		require.NoError(t, err)
		assert.Equal(t, string(rendered), string(committed), "%s: `cd bench && GOWORK=off go run . -render -root ..` writes it", name)
	}
}

func TestReadmeWithoutAPlaceForFigures(t *testing.T) {
	_, err := withFigures(figuresBegin, nil)
	assert.EqualError(t, err, "README.md has no place for the figures")
}

func TestRunFailsForUnknownNames(t *testing.T) {
	err := run(t.Context(), []string{"bench", "-shapes", "logs"}, t.Output(), t.Output())
	assert.EqualError(t, err, `there is no shape "logs"`)
	err = run(t.Context(), []string{"bench", "-only", "library,exporter"}, t.Output(), t.Output())
	assert.EqualError(t, err, `there is no part "exporter", only [exporters library collectors]`)
}
