// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kplotel"
)

// metadataMetric is a metric as metadata.yaml describes it.
type metadataMetric struct {
	Description string `mapstructure:"description"`
	Unit        string `mapstructure:"unit"`
	Histogram   struct {
		Buckets []float64 `mapstructure:"bucket_boundaries"`
	} `mapstructure:"histogram"`
}

// Users of the library get the same metrics as users of the exporter.
func TestMetricsOfTheLibraryAreThoseOfTheExporter(t *testing.T) {
	conf, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	telemetry, err := conf.Sub("telemetry")
	require.NoError(t, err)
	section, err := telemetry.Sub("metrics")
	require.NoError(t, err)
	ours := map[string]metadataMetric{}
	for name := range section.ToStringMap() {
		one, err := section.Sub(name)
		require.NoError(t, err)
		var m metadataMetric
		require.NoError(t, one.Unmarshal(&m, confmap.WithIgnoreUnused()))
		ours[name] = m
	}

	for name, m := range collectLibrary(t) {
		want, known := ours[name]
		require.True(t, known, name)
		delete(ours, name)
		assert.Equal(t, want.Unit, m.Unit, name)
		switch data := m.Data.(type) {
		case metricdata.Histogram[int64]:
			assert.Equal(t, want.Histogram.Buckets, data.DataPoints[0].Bounds, name)
		case metricdata.Histogram[float64]:
			assert.Equal(t, want.Histogram.Buckets, data.DataPoints[0].Bounds, name)
		default:
			assert.Empty(t, want.Histogram.Buckets, name)
		}
		switch name {
		case "kinesis_kpl_user_records_received", "kinesis_kpl_user_records_pending", "kinesis_kpl_user_records_data_pending":
			// They are of a producer there, and of an exporter with its signals here.
		default:
			assert.Equal(t, want.Description, m.Description, name)
		}
	}
	var left []string
	for name := range ours {
		left = append(left, name)
	}
	assert.ElementsMatch(t, []string{
		"kinesis_kpl_items_put", "kinesis_kpl_items_not_accepted", "kinesis_kpl_items_not_routed",
		"kinesis_kpl_items_truncated",
		"kinesis_kpl_user_records_pending_limit", "kinesis_kpl_user_records_data_pending_limit",
		"kinesis_kpl_requests_in_flight_limit", "kinesis_kpl_uncompressed_data_put",
	}, left, "metrics of signals, and those that repeat the configuration")
}

// collectLibrary returns all metrics of package kplotel by name.
func collectLibrary(t *testing.T) map[string]metricdata.Metrics {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	observer, err := kplotel.NewObserver(provider)
	require.NoError(t, err)
	_, err = kplotel.RegisterStats(provider, func() kpl.Stats { return kpl.Stats{} })
	require.NoError(t, err)
	now := time.Now()
	_, err = kplotel.RegisterStreams(provider, func(context.Context) []kpl.StreamStats {
		return []kpl.StreamStats{{Stream: testStream, LastStored: now, Busiest: []kpl.ShardStats{{ShardID: "shard"}}}}
	})
	require.NoError(t, err)
	lost := []kpl.Attempt{{Start: now, AnswerLost: true}, {Start: now}}
	observer.RecordFinished(kpl.RecordEvent{Result: kpl.Result{Attempts: lost}, Received: now})
	observer.RecordFinished(kpl.RecordEvent{Result: kpl.Result{Err: &kpl.RecordError{Outcome: kpl.OutcomeExpired}}})
	observer.RequestFinished(kpl.RequestEvent{Entries: []kpl.FinishedEntry{{}, {Code: kpl.CodeTimeout}}})
	observer.Flushed(kpl.FlushEvent{})
	observer.ShardsListed(kpl.ListingEvent{OpenShards: 1})
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &all))
	byName := map[string]metricdata.Metrics{}
	for _, m := range all.ScopeMetrics[0].Metrics {
		byName[m.Name] = m
	}
	return byName
}
