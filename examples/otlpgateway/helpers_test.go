// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

const events = "events" // the stream

var signals = []marshaler.Signal{marshaler.Logs, marshaler.Traces, marshaler.Metrics}

// app is the gateway with the handler of OTLP/HTTP, without servers.
type app struct {
	*gateway
	http.Handler

	cfg  config
	fake *kpltest.Kinesis
	log  *strings.Builder // to be read after close
}

func newApp(t *testing.T, tune func(*config), args ...string) *app {
	t.Helper()
	cfg, err := configFrom(append([]string{"otlpgateway", "-kinesis-stream", events}, args...), noEnvironment, t.Output())
	require.NoError(t, err)
	if tune != nil {
		tune(&cfg)
	}
	a := &app{cfg: cfg, fake: kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{Name: events, Shards: 2}), log: &strings.Builder{}}
	producer, err := kpl.New(a.fake, cfg.producer)
	require.NoError(t, err)
	encoder, err := marshaler.New(cfg.marshaler)
	require.NoError(t, err)
	a.gateway = newGateway(producer, encoder, cfg, slog.New(slog.NewJSONHandler(a.log, nil)))
	a.Handler = newHandler(a.gateway, cfg.client)
	return a
}

func noEnvironment(string) string { return "" }

// close ends the producer. All memory is free then.
func (a *app) close(t *testing.T) {
	t.Helper()
	require.NoError(t, a.producer.Close(t.Context()))
	a.report()
	assert.Equal(t, a.cfg.memory, a.memory.unused(), "free memory")
}

// putRecords makes PutRecords fail.
func (a *app) putRecords(f kpltest.Fault) (remove func()) {
	return a.fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, f))
}

func everyRecord(types.PutRecordsRequestEntry) bool { return true }

// post posts a body with headers, which are names and values in turn.
func (a *app) post(ctx context.Context, path string, body []byte, headers ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a.ServeHTTP(w, r)
	return w
}

// postLogs posts n log records in protobuf.
func (a *app) postLogs(ctx context.Context, t *testing.T, name string, n int) *httptest.ResponseRecorder {
	t.Helper()
	return a.post(ctx, "/v1/logs", newTelemetry(t, marshaler.Logs, name, n).proto, "Content-Type", typeProto)
}

// telemetry is a request in both encodings.
type telemetry struct {
	proto, json []byte
	items       []string
}

func newTelemetry(t testing.TB, signal marshaler.Signal, name string, n int) telemetry {
	t.Helper()
	switch signal {
	case marshaler.Logs:
		return telemetryOfLogs(t, peers.Logs(name, n))
	case marshaler.Traces:
		traces := peers.Traces(name, n)
		r := ptraceotlp.NewExportRequestFromTraces(traces)
		return encodedBoth(t, r.MarshalProto, r.MarshalJSON, peers.TraceItems(t, traces))
	default:
		metrics := peers.Metrics(name, n)
		r := pmetricotlp.NewExportRequestFromMetrics(metrics)
		return encodedBoth(t, r.MarshalProto, r.MarshalJSON, peers.MetricItems(t, metrics))
	}
}

func telemetryOfLogs(t testing.TB, logs plog.Logs) telemetry {
	t.Helper()
	r := plogotlp.NewExportRequestFromLogs(logs)
	return encodedBoth(t, r.MarshalProto, r.MarshalJSON, peers.LogItems(t, logs))
}

func encodedBoth(t testing.TB, toProto, toJSON func() ([]byte, error), items []string) telemetry {
	t.Helper()
	inProto, err := toProto()
	require.NoError(t, err)
	inJSON, err := toJSON()
	require.NoError(t, err)
	return telemetry{inProto, inJSON, items}
}

// logsWithLarge returns n log records, and behind the first one another that fits no Kinesis record.
func logsWithLarge(n int) (all, small plog.Logs) {
	small = peers.Logs("small", n)
	all = plog.NewLogs()
	small.CopyTo(all)
	records := all.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	large := records.AppendEmpty()
	records.At(0).CopyTo(large)
	large.Body().SetStr(strings.Repeat("x", 1<<20))
	return all, small
}

// storedItems returns the items of a signal that the stream has.
func storedItems(t testing.TB, fake *kpltest.Kinesis, signal marshaler.Signal) []string {
	t.Helper()
	var items []string
	for _, record := range fake.UserRecords(events) {
		plain, _, err := marshaler.Decompress(record.Data, marshaler.MaxPlainSize)
		require.NoError(t, err)
		switch signal {
		case marshaler.Logs:
			logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(plain)
			require.NoError(t, err)
			items = append(items, peers.LogItems(t, logs)...)
		case marshaler.Traces:
			traces, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(plain)
			require.NoError(t, err)
			items = append(items, peers.TraceItems(t, traces)...)
		default:
			metrics, err := new(pmetric.ProtoUnmarshaler).UnmarshalMetrics(plain)
			require.NoError(t, err)
			items = append(items, peers.MetricItems(t, metrics)...)
		}
	}
	return items
}

// storedLogRecords returns how many log records the stream has.
func storedLogRecords(t testing.TB, fake *kpltest.Kinesis) (n int) {
	t.Helper()
	for _, record := range fake.UserRecords(events) {
		logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(record.Data)
		require.NoError(t, err)
		n += logs.LogRecordCount()
	}
	return n
}

// compressed returns data in a content encoding.
func compressed(t testing.TB, encoding string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	switch encoding {
	case "gzip":
		w := gzip.NewWriter(&b)
		_, err := w.Write(data)
		require.NoError(t, err)
		require.NoError(t, w.Close())
	case "zstd":
		w, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		require.NoError(t, err)
		_, err = w.Write(data)
		require.NoError(t, err)
		require.NoError(t, w.Close())
	default:
		return data
	}
	return b.Bytes()
}
