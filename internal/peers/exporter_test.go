// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// Each test of the exporter sends so many requests and items. The requests are small enough to be aggregated.
const requestsSent, itemsEach = 40, 25

// requestName returns a name for the request with an index, by which its items differ from all others.
func requestName(i int) string { return fmt.Sprint("request-", i) }

// The signals: how each is sent through the exporter, and how its items are read from user records.
var (
	logsThrough = signal{
		send: func(ctx context.Context, t *testing.T, f exporter.Factory, config component.Config) []string {
			e, err := f.CreateLogs(ctx, exportertest.NewNopSettings(f.Type()), config)
			require.NoError(t, err)
			return through(ctx, t, e, func(i int) []string {
				assert.NoError(t, e.ConsumeLogs(ctx, Logs(requestName(i), itemsEach)))
				return LogItems(t, Logs(requestName(i), itemsEach))
			})
		},
		read: func(t *testing.T, data []byte) []string {
			logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
			require.NoError(t, err)
			return LogItems(t, logs)
		},
		readJSON: func(t *testing.T, data []byte) []string {
			logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(data)
			require.NoError(t, err)
			return LogItems(t, logs)
		},
	}
	tracesThrough = signal{
		send: func(ctx context.Context, t *testing.T, f exporter.Factory, config component.Config) []string {
			e, err := f.CreateTraces(ctx, exportertest.NewNopSettings(f.Type()), config)
			require.NoError(t, err)
			return through(ctx, t, e, func(i int) []string {
				assert.NoError(t, e.ConsumeTraces(ctx, Traces(requestName(i), itemsEach)))
				return TraceItems(t, Traces(requestName(i), itemsEach))
			})
		},
		read: func(t *testing.T, data []byte) []string {
			traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(data)
			require.NoError(t, err)
			return TraceItems(t, traces)
		},
		readJSON: func(t *testing.T, data []byte) []string {
			traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(data)
			require.NoError(t, err)
			return TraceItems(t, traces)
		},
	}
	metricsThrough = signal{
		send: func(ctx context.Context, t *testing.T, f exporter.Factory, config component.Config) []string {
			e, err := f.CreateMetrics(ctx, exportertest.NewNopSettings(f.Type()), config)
			require.NoError(t, err)
			return through(ctx, t, e, func(i int) []string {
				assert.NoError(t, e.ConsumeMetrics(ctx, Metrics(requestName(i), itemsEach)))
				return MetricItems(t, Metrics(requestName(i), itemsEach))
			})
		},
		read: func(t *testing.T, data []byte) []string {
			metrics, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(data)
			require.NoError(t, err)
			return MetricItems(t, metrics)
		},
		readJSON: func(t *testing.T, data []byte) []string {
			metrics, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(data)
			require.NoError(t, err)
			return MetricItems(t, metrics)
		},
	}
)

type signal struct {
	send           func(ctx context.Context, t *testing.T, f exporter.Factory, config component.Config) (sent []string)
	read, readJSON func(t *testing.T, data []byte) []string
}

// through starts an exporter, sends all requests at the same time, and shuts the exporter down. send sends one request and
// returns its items.
func through(ctx context.Context, t *testing.T, e component.Component, send func(i int) []string) []string {
	t.Helper()
	require.NoError(t, e.Start(ctx, componenttest.NewNopHost()))
	items := make([][]string, requestsSent)
	var senders sync.WaitGroup
	for i := range items {
		senders.Go(func() { items[i] = send(i) })
	}
	senders.Wait()
	require.NoError(t, e.Shutdown(ctx))
	return slices.Concat(items...)
}

// TestTelemetryComesOutAsItWentIn sends each signal through the exporter into kinesis-mock and reads it back with AWS's
// deaggregator and the Collector's own decoders of OTLP.
func TestTelemetryComesOutAsItWentIn(t *testing.T) {
	for key, value := range Environment() {
		t.Setenv(key, value)
	}
	mock := StartKinesisMock(t)
	byService := func(c *kinesiskplexporter.Config) { c.PartitionKey.ResourceAttributes = []string{"service.name"} }
	inSmallRecords := func(c *kinesiskplexporter.Config) { c.Producer.AggregationMaxSize = 10_000 }
	asJSON := func(c *kinesiskplexporter.Config) { c.Encoding = marshaler.OTLPJSON }
	overTLS := func(c *kinesiskplexporter.Config) { // kinesis-mock offers HTTP/2 then, as the service does.
		c.AWS.Endpoint, c.AWS.Insecure, c.AWS.TLS.InsecureSkipVerify = mock.TLSEndpoint, false, true
	}
	tests := []struct {
		stream    string
		signal    signal
		configure func(*kinesiskplexporter.Config)
	}{
		{"logs", logsThrough, nil},
		{"logs-by-service", logsThrough, byService},
		{"logs-in-small-records", logsThrough, inSmallRecords},
		{"logs-json", logsThrough, asJSON},
		{"logs-over-tls", logsThrough, overTLS},
		{"traces", tracesThrough, nil},
		{"traces-by-service", tracesThrough, byService},
		{"traces-json", tracesThrough, asJSON},
		{"metrics", metricsThrough, nil},
		{"metrics-in-small-records", metricsThrough, inSmallRecords},
		{"metrics-json", metricsThrough, asJSON},
	}
	for _, test := range tests {
		t.Run(test.stream, func(t *testing.T) {
			ctx := Context(t)
			mock.CreateStream(ctx, t, Stream{test.stream, 4})
			factory := kinesiskplexporter.NewFactory()
			config := factory.CreateDefaultConfig().(*kinesiskplexporter.Config)
			config.Queue = configoptional.None[exporterhelper.QueueBatchConfig]() // A request returns once it is delivered.
			config.AWS.StreamName = test.stream
			config.AWS.Endpoint, config.AWS.Insecure = mock.Endpoint, true
			// No record may be sent twice because this machine is busy.
			config.Producer.RequestTimeout, config.Producer.RecordTTL = Patience, 2*Patience
			config.Timeout.Timeout = 3 * Patience
			if test.configure != nil {
				test.configure(config)
			}
			require.NoError(t, config.Validate())
			sent := test.signal.send(ctx, t, factory, config)

			read := test.signal.read
			if config.Encoding == marshaler.OTLPJSON {
				read = test.signal.readJSON
			}
			stored := ReadStream(ctx, t, mock.Client, test.stream)
			var got []string
			aggregated := 0
			for _, s := range stored {
				require.False(t, s.Dropped)
				if s.Aggregated() {
					aggregated++
				}
				for _, r := range s.UserRecords {
					got = append(got, read(t, r.Data)...)
				}
			}
			t.Logf("%d items in %d Kinesis records, %d aggregated", len(got), len(stored), aggregated)
			require.Positive(t, aggregated)
			RequireSameItems(t, sent, got)
		})
	}
}
