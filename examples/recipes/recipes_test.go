// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package recipes tests the configurations of this folder and of the migration guides: each is read, valid, and delivers what it
// promises.
package recipes

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/otel-kinesis/kinesiskplexporter"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// items is how many log records, spans and data points are sent through a recipe, of each.
const items = 200

// The same stream for all signals.
func everywhere(stream string) map[string]int {
	return map[string]int{stream + " logs": items, stream + " traces": items, stream + " metrics": items}
}

// recipes are the files of this folder, with the number of items that each of their streams has in the end, by signal. Half of
// the resources have the attribute kinesis.stream: payments. All requests have the header x-stream: team-a.
var recipes = map[string]map[string]int{
	"local.yaml":         everywhere("telemetry"),
	"gateway.yaml":       everywhere("telemetry"),
	"high-volume.yaml":   everywhere("telemetry"),
	"low-latency.yaml":   everywhere("telemetry"),
	"firehose.yaml":      everywhere("telemetry"),
	"cross-account.yaml": everywhere("telemetry"),
	"three-signals.yaml": {
		"telemetry-logs logs": items, "telemetry-traces traces": items, "telemetry-metrics metrics": items,
	},
	"several-streams.yaml": {
		"payments logs": items / 2, "payments traces": items / 2, "payments metrics": items / 2,
		"team-a logs": items / 2, "team-a traces": items / 2, "team-a metrics": items / 2,
	},
	"agent.yaml": nil, // it has no exporter of this repository
}

func TestRecipes(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	require.ElementsMatch(t, slices.Collect(maps.Keys(recipes)), files)
	for file, want := range recipes {
		t.Run(file, func(t *testing.T) {
			conf, err := confmaptest.LoadConf(file)
			require.NoError(t, err)
			if want == nil {
				assert.NotContains(t, strings.Join(conf.AllKeys(), " "), "kinesis_kpl")
				return
			}
			streams := streamsOf(want)
			k, endpoint := newKinesis(t, streams)
			c := load(t, conf)
			local(c, endpoint)
			ctx := client.NewContext(t.Context(), client.Info{
				Metadata: client.NewMetadata(map[string][]string{"x-stream": {"team-a"}}),
			})
			run(ctx, t, c, signalsOf(t, conf))
			got := map[string]int{}
			for _, stream := range streams {
				count(t, k, stream, got)
			}
			assert.Equal(t, want, got)
		})
	}
}

// streamsOf returns the streams that are expected to have data.
func streamsOf(want map[string]int) []string {
	names := map[string]bool{}
	for key := range want {
		name, _, _ := strings.Cut(key, " ")
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// newKinesis serves a Kinesis with these streams, and with credentials for it in the environment.
func newKinesis(t *testing.T, names []string) (k *kpltest.Kinesis, endpoint string) {
	t.Helper()
	var streams []kpltest.Stream
	for _, name := range names {
		streams = append(streams, kpltest.Stream{Name: name, Shards: 2})
	}
	k = kpltest.New(kpltest.Config{Region: "eu-central-1", Account: "123456789012"}, streams...)
	server := httptest.NewServer(k.Handler())
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "any")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "any")
	return k, server.URL
}

// load returns the configuration of the exporter, as a Collector reads it.
func load(t *testing.T, conf *confmap.Conf) *kinesiskplexporter.Config {
	t.Helper()
	sub, err := conf.Sub("exporters::kinesis_kpl")
	require.NoError(t, err)
	require.NotEmpty(t, sub.AllKeys())
	c := kinesiskplexporter.NewFactory().CreateDefaultConfig().(*kinesiskplexporter.Config)
	require.NoError(t, sub.Unmarshal(c))
	require.NoError(t, confmap.Validate(c))
	return c
}

// local changes what needs AWS: where the stream is, and a role.
func local(c *kinesiskplexporter.Config, endpoint string) {
	c.AWS.Endpoint, c.AWS.Insecure = endpoint, true
	c.AWS.RoleARN, c.AWS.ExternalID, c.AWS.SessionName = "", "", ""
}

// signalsOf returns the signals that the pipelines of a recipe send to the exporter.
func signalsOf(t *testing.T, conf *confmap.Conf) []string {
	t.Helper()
	pipelines, err := conf.Sub("service::pipelines")
	require.NoError(t, err)
	signals := slices.Sorted(maps.Keys(pipelines.ToStringMap()))
	for _, signal := range signals {
		require.Equal(t, []any{"kinesis_kpl"}, pipelines.Get(signal+"::exporters"))
	}
	return signals
}

// run starts the exporter for each signal, sends one request through it, and stops it.
func run(ctx context.Context, t *testing.T, c *kinesiskplexporter.Config, signals []string) {
	t.Helper()
	factory := kinesiskplexporter.NewFactory()
	settings := exportertest.NewNopSettings(factory.Type())
	for _, signal := range signals {
		var started component.Component
		var send func() error
		switch signal {
		case "logs":
			e, err := factory.CreateLogs(ctx, settings, c)
			require.NoError(t, err)
			started, send = e, func() error { return e.ConsumeLogs(ctx, logs()) }
		case "traces":
			e, err := factory.CreateTraces(ctx, settings, c)
			require.NoError(t, err)
			started, send = e, func() error { return e.ConsumeTraces(ctx, traces()) }
		case "metrics":
			e, err := factory.CreateMetrics(ctx, settings, c)
			require.NoError(t, err)
			started, send = e, func() error { return e.ConsumeMetrics(ctx, metrics()) }
		}
		require.NotNil(t, started, signal)
		require.NoError(t, started.Start(ctx, componenttest.NewNopHost()))
		require.NoError(t, send())
		require.NoError(t, started.Shutdown(ctx))
	}
}

// count adds the items that readers of a stream get to see, by stream and signal.
func count(t *testing.T, k *kpltest.Kinesis, stream string, counts map[string]int) {
	t.Helper()
	require.Empty(t, k.DroppedAggregates(stream))
	for _, record := range k.UserRecords(stream) {
		if len(record.Data) == 0 {
			continue // of check_at_start: kpltest stores what Kinesis would only check
		}
		plain, _, err := marshaler.Decompress(record.Data, marshaler.MaxPlainSize)
		require.NoError(t, err)
		signal, encoding, known := marshaler.Detect(plain)
		require.True(t, known)
		counts[fmt.Sprint(stream, " ", signal)] += countIn(t, plain, signal, encoding)
	}
}

// countIn returns how many items are in a message.
func countIn(t *testing.T, plain []byte, signal marshaler.Signal, encoding marshaler.Encoding) int {
	t.Helper()
	m, err := marshaler.New(marshaler.Config{Encoding: encoding, TargetSize: 1 << 20, MaxSize: 1 << 20})
	require.NoError(t, err)
	switch signal {
	case marshaler.Logs:
		data, err := m.UnmarshalLogs(plain)
		require.NoError(t, err)
		return data.LogRecordCount()
	case marshaler.Traces:
		data, err := m.UnmarshalTraces(plain)
		require.NoError(t, err)
		return data.SpanCount()
	case marshaler.Metrics:
		data, err := m.UnmarshalMetrics(plain)
		require.NoError(t, err)
		return data.DataPointCount()
	default:
		t.Fatalf("%v", signal)
	}
	return 0
}
