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
	"slices"
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
		others := []string{"logs-100x100", "logs-10000x1", "RSS", gateway}
		if !slices.ContainsFunc(others, func(name string) bool { return strings.Contains(line, name) }) {
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

// What was measured of collectors is in the tables, the goals and the README. Goals without a figure say so.
func TestRenderCollectors(t *testing.T) {
	directory := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(directory, "docs"), 0o700))
	readme := filepath.Join(directory, "README.md")
	require.NoError(t, os.WriteFile(readme, []byte(figuresBegin+figuresEnd), 0o600))
	args := []string{"bench", "-render", "-out", filepath.Join("testdata", "results.json"), "-root", directory}
	require.NoError(t, run(t.Context(), args, t.Output(), t.Output()))
	rendered := map[string]string{}
	for _, name := range []string{"README.md", "docs/bench.md"} {
		text, err := os.ReadFile(filepath.Join(directory, name))
		require.NoError(t, err)
		rendered[name] = string(text)
	}
	for _, line := range []string{
		"| 1 × 1000 | 0.32 | 0.39 | 6 | 1 |",
		"| 1 × 1000 | 0.727 | 0.5 | 0.714 | 0.4 | 0.75 |",
		"| 1 × 1000 | 280 | 128 | 290 | 230 |",
		"| 100 × 100 | ? | ? | ? | ? |",
	} {
		assert.Contains(t, rendered["README.md"], line+"\n")
	}
	for _, line := range []string{
		"| CPU × peer, logs-1x1000, default queue | ≤ 0.33 | 0.32 | met |",
		"| CPU with snappy × peer's without, logs-1x1000, default queue | ≤ 0.38 | 0.39 | **missed** |",
		"| growth of RSS × peer's, paced-100k-grpc-logs-1x1000 | ≤ 0.5 | 0.75 | **missed** |",
		"| RSS above nop with a full queue × queue_size, full-http-logs-1x1000 | ≤ 2.2 | 4.38 | **missed** |",
		"| RSS above nop with a full queue × queue_size, full-grpc-logs-1x1000 | ≤ 2.2 | 2 | met |",
		"| RSS above nop with a full queue × queue_size, full-grpc-logs-1x10 | ≤ 2.2 | ? | not measured |",
		"| kinesis_kpl, queue | snappy | 190.0 | 144 | 110 | 1.72 | 0.61 |",
	} {
		assert.Contains(t, rendered["docs/bench.md"], line+"\n")
	}
}

// Without rows of collectors the README has the figures of the exporter alone.
func TestFiguresWithoutCollectors(t *testing.T) {
	rows, err := report.Read(filepath.Join("testdata", "results.json"))
	require.NoError(t, err)
	assert.NotContains(t, figures(rows[:3]), "whole collector")
	assert.Contains(t, figures(rows), "whole collector")
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
