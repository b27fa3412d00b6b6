// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// TestStorageOfV0161IsDelivered starts the collector on files that exporterhelper v0.161 wrote when its queue held pdata, and
// whose process was killed. Each signal has three requests. One of them was being sent.
func TestStorageOfV0161IsDelivered(t *testing.T) {
	t.Parallel()
	ctx := peers.Context(t)
	directory := t.TempDir()
	for _, signal := range []string{"logs", "traces", "metrics"} {
		unpack(t, filepath.Join("..", "..", "testdata", "storage", "v0.161", "exporter_kinesis_kpl__"+signal+".gz"), directory)
	}
	s := newService(t, kpltest.Config{}, 1)
	s.up(t)
	c := startCollector(t, settings{kinesis: s.url(), overrides: withStorage(directory)})
	c.drained(ctx, t)
	c.end(ctx, t)

	logs, spans, points := 0, 0, 0
	for _, r := range s.UserRecords(stream) {
		switch signal, _, _ := marshaler.Detect(r.Data); signal {
		case marshaler.Logs:
			data, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(r.Data)
			require.NoError(t, err)
			logs += data.LogRecordCount()
		case marshaler.Traces:
			data, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(r.Data)
			require.NoError(t, err)
			spans += data.SpanCount()
		default:
			data, err := new(pmetric.ProtoUnmarshaler).UnmarshalMetrics(r.Data)
			require.NoError(t, err)
			points += data.DataPointCount()
		}
	}
	assert.Equal(t, [3]int{12, 6, 6}, [3]int{logs, spans, points})
}

// unpack writes a compressed file to a directory, under its name without .gz.
func unpack(t *testing.T, file, directory string) {
	t.Helper()
	packed, err := os.Open(file)
	require.NoError(t, err)
	defer packed.Close()
	reader, err := gzip.NewReader(packed)
	require.NoError(t, err)
	content, err := io.ReadAll(reader)
	require.NoError(t, err)
	name := filepath.Base(file)
	require.NoError(t, os.WriteFile(filepath.Join(directory, name[:len(name)-len(".gz")]), content, 0o600))
}
