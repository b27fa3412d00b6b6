// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	storagerequest "go.opentelemetry.io/collector/pdata/xpdata/request"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// oldFiles has what exporterhelper v0.161 wrote, with a span and a client in the context.
var oldFiles = filepath.Join("testdata", "storage", "v0.161")

// storagePusher returns a pusher of a queue with a storage, which is not started.
func storagePusher(t testing.TB, signal marshaler.Signal, tune func(*Config)) *pusher {
	t.Helper()
	c := queuedConfig()
	id := memoryStorageID
	c.Queue.Get().StorageID = &id
	if tune != nil {
		tune(c)
	}
	set := exportertest.NewNopSettings(metadata.Type)
	p, err := newPusher(c, set, signal)
	require.NoError(t, err)
	telemetry, err := newTelemetry(set, c, nil)
	require.NoError(t, err)
	p.session = &session{telemetry: telemetry}
	return p
}

// What an older version stored is read, with its context, and is written again byte for byte.
func TestStorageReadsAndWritesWhatV0161Wrote(t *testing.T) {
	for signal, want := range map[marshaler.Signal]int{marshaler.Logs: 4, marshaler.Traces: 2, marshaler.Metrics: 2} {
		t.Run(signal.String(), func(t *testing.T) {
			stored, err := os.ReadFile(filepath.Join(oldFiles, signal.String()+".bin"))
			require.NoError(t, err)
			e := storageEncoding{storagePusher(t, signal, nil), zap.NewNop()}
			ctx, r, err := e.Unmarshal(stored)
			require.NoError(t, err)
			assert.Equal(t, want, r.ItemsCount())
			span := trace.SpanContextFromContext(ctx)
			assert.Equal(t, "0102030405060708090a0b0c0d0e0f10", span.TraceID().String())
			assert.Equal(t, "0102030405060708", span.SpanID().String())
			assert.Equal(t, "vendor=value", span.TraceState().String())
			info := client.FromContext(ctx)
			assert.Equal(t, []string{"blue"}, info.Metadata.Get("tenant"))
			assert.Equal(t, "192.0.2.1:4317", info.Addr.String())

			again, err := e.Marshal(ctx, r)
			require.NoError(t, err)
			assert.Equal(t, stored, again)

			messages := r.(*request)
			messages.prepare(t.Context())
			require.Empty(t, messages.rejected)
			require.Len(t, messages.messages, 1)
			assert.Equal(t, want, messages.messages[0].Items)
		})
	}
}

// Whatever a request of pdata is, this exporter stores what exporterhelper stores of it.
func TestStorageHoldsWhatExporterhelperWrites(t *testing.T) {
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, Remote: true,
	}))
	ctx = client.NewContext(ctx, client.Info{
		Addr:     &net.UnixAddr{Name: "/socket", Net: "unix"},
		Metadata: client.NewMetadata(map[string][]string{"several": {"a", "b"}}),
	})
	logs, traces, metrics := oneResource("body", 1000), ptrace.NewTraces(), metricsOfEachType(10)
	traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("span")
	for name, ctx := range map[string]context.Context{"bare": t.Context(), "with context": ctx} {
		t.Run(name, func(t *testing.T) {
			assertStored(ctx, t, logsSignal, logs, storagerequest.MarshalLogs)
			assertStored(ctx, t, logsSignal, logsOf("a", "b", "c"), storagerequest.MarshalLogs)
			assertStored(ctx, t, tracesSignal, traces, storagerequest.MarshalTraces)
			assertStored(ctx, t, metricsSignal, metrics, storagerequest.MarshalMetrics)
		})
	}
}

func assertStored[T any](
	ctx context.Context, t *testing.T, s signal[T], data T, theirs func(context.Context, T) ([]byte, error),
) {
	t.Helper()
	for name, tune := range map[string]func(*Config){
		"proto": nil,
		"json":  func(c *Config) { c.Encoding = marshaler.OTLPJSON },
		"zstd":  func(c *Config) { c.Compression = marshaler.Zstd },
		"keyed": func(c *Config) { c.PartitionKey.ResourceAttributes = []string{"service.name"} },
	} {
		p := storagePusher(t, s.name, tune)
		encoded, err := s.marshal(p.plain, data)
		require.NoError(t, err)
		want, err := theirs(ctx, data)
		require.NoError(t, err)
		got, err := storageEncoding{p, zap.NewNop()}.Marshal(ctx, p.newRequest(&encoded, true))
		require.NoError(t, err)
		assert.Equal(t, want, got, name)
	}
}

// A request that was stored without a context, as by versions before v0.128, is read as well.
func TestStorageReadsBareRequests(t *testing.T) {
	bare, err := (&plog.ProtoMarshaler{}).MarshalLogs(logsOf("a", "b"))
	require.NoError(t, err)
	ctx, r, err := storageEncoding{storagePusher(t, marshaler.Logs, nil), zap.NewNop()}.Unmarshal(bare)
	require.NoError(t, err)
	assert.Equal(t, context.Background(), ctx)
	assert.Equal(t, 2, r.ItemsCount())
}

// exporterhelper drops without a word what cannot be decoded. So the exporter logs it.
func TestStorageSaysWhatItCannotRead(t *testing.T) {
	whole, err := storagerequest.MarshalMetrics(t.Context(), pmetric.NewMetrics())
	require.NoError(t, err)
	for name, stored := range map[string][]byte{
		"no field":       []byte(storedVersion + "\xff"),
		"a short field":  []byte(storedVersion + "\x1a\x05abc"),
		"no OTLP":        []byte(storedVersion + "\x1a\x03\x0a\x05a"),
		"a bad context":  append(append([]byte{}, whole...), 0x12, 1, 0xff),
		"nothing known":  {0xff, 0xff},
		"a wrong length": append([]byte(storedVersion), 0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
	} {
		core, lines := observer.New(zap.ErrorLevel)
		_, _, err := storageEncoding{storagePusher(t, marshaler.Logs, nil), zap.New(core)}.Unmarshal(stored)
		require.Error(t, err, name)
		assert.Equal(t, 1, lines.FilterMessageSnippet("cannot be read and is dropped").Len(), name)
	}
}

// FuzzStorage reads anything without harm. What can be read has the items that it is said to have.
func FuzzStorage(f *testing.F) {
	for _, signal := range []string{"logs", "traces", "metrics"} {
		stored, err := os.ReadFile(filepath.Join(oldFiles, signal+".bin"))
		require.NoError(f, err)
		f.Add(stored)
	}
	p := storagePusher(f, marshaler.Logs, nil)
	f.Fuzz(func(t *testing.T, stored []byte) {
		_, r, err := storageEncoding{p, zap.NewNop()}.Unmarshal(stored)
		if err != nil {
			return
		}
		before := r.ItemsCount()
		r.(*request).prepare(t.Context())
		assert.Equal(t, before, r.ItemsCount())
	})
}
