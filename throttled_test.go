// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/xexporter"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadatatest"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

var throttledAll = flag.Bool("throttled.all", false, "try all combinations with 200,000 items each")

// choice is one value of a part of the configuration.
type choice struct {
	name      string
	configure func(*Config)
	signals   []marshaler.Signal // that have such an encoding
}

// The choices that are combined. A new value of a key is a line here.
func throttledChoices() (encodings, keys, formats, compressions, messages []choice) {
	all := signals[:]
	for _, e := range []struct {
		encoding marshaler.Encoding
		signals  []marshaler.Signal
	}{
		{marshaler.OTLPProto, all},
		{marshaler.OTLPJSON, all},
		{encodingRaw, []marshaler.Signal{marshaler.Logs}},
		{encodingJaegerProto, []marshaler.Signal{marshaler.Traces}},
		{encodingJaegerJSON, []marshaler.Signal{marshaler.Traces}},
		{encodingZipkinProto, []marshaler.Signal{marshaler.Traces}},
		{encodingZipkinJSON, []marshaler.Signal{marshaler.Traces}},
		{"otlp_encoding/json", []marshaler.Signal{marshaler.Logs, marshaler.Traces}},
	} {
		set := func(c *Config) { c.Encoding = e.encoding }
		encodings = append(encodings, choice{name: string(e.encoding), configure: set, signals: e.signals})
	}
	key := func(name string, set func(*PartitionKeyConfig)) {
		keys = append(keys, choice{name: name, configure: func(c *Config) { set(&c.PartitionKey) }})
	}
	key("random key", func(*PartitionKeyConfig) {})
	key("static", func(p *PartitionKeyConfig) { p.Static = "all" })
	key("resource_attributes", func(p *PartitionKeyConfig) { p.ResourceAttributes = []string{"service.name"} })
	key("trace_id", func(p *PartitionKeyConfig) { p.TraceID = true })
	key("record_attributes", func(p *PartitionKeyConfig) { p.RecordAttributes = []string{"user"} })
	key("metadata_keys", func(p *PartitionKeyConfig) { p.MetadataKeys = []string{"tenant"} })
	key("several together", func(p *PartitionKeyConfig) {
		p.ResourceAttributes, p.MetadataKeys = []string{"service.name"}, []string{"tenant"}
	})
	key("explicit_hash_key_attribute", func(p *PartitionKeyConfig) { p.ExplicitHashKeyAttribute = "hash" })
	for _, format := range []kpl.AggregationFormat{kpl.AggregationKPL, kpl.AggregationConcatenated, kpl.AggregationNone} {
		set := func(c *Config) { c.Producer.AggregationFormat = format }
		formats = append(formats, choice{name: "format " + string(format), configure: set})
	}
	for _, compression := range []marshaler.Compression{
		marshaler.NoCompression, marshaler.Snappy, marshaler.Zstd, marshaler.Gzip,
	} {
		set := func(c *Config) { c.Compression = compression }
		compressions = append(compressions, choice{name: "compression " + string(compression), configure: set})
	}
	messages = []choice{
		{name: "usual", configure: func(*Config) {}},
		{name: "no marker", configure: func(c *Config) { c.SignalMarker = false }},
		{name: "newline", configure: func(c *Config) { c.Newline = true }},
	}
	return encodings, keys, formats, compressions, messages
}

// throttledCombinations returns all combinations that are valid.
func throttledCombinations() (combinations [][]choice) {
	encodings, keys, formats, compressions, messages := throttledChoices()
	for _, encoding := range encodings {
		for _, key := range keys {
			for _, format := range formats {
				for _, compression := range compressions {
					for _, message := range messages {
						choices := []choice{encoding, key, format, compression, message}
						c := configOf(choices)
						if c.Validate() == nil && (c.SignalMarker || c.Encoding == marshaler.OTLPProto) {
							combinations = append(combinations, choices)
						}
					}
				}
			}
		}
	}
	return combinations
}

// withEachPair returns some of the combinations: those that have each pair of choices which one of the combinations has.
func withEachPair(combinations [][]choice) (some [][]choice) {
	combinations = slices.Clone(combinations)
	random := rand.New(rand.NewPCG(1, 1))
	random.Shuffle(len(combinations), func(i, j int) { combinations[i], combinations[j] = combinations[j], combinations[i] })
	had := map[[2]string]bool{}
	for most := 10; most > 0; most-- { // First those with many new pairs. Five choices have ten pairs.
		for _, choices := range combinations {
			var pairs [][2]string
			for i := range choices {
				for j := range i {
					if pair := [2]string{choices[i].name, choices[j].name}; !had[pair] {
						pairs = append(pairs, pair)
					}
				}
			}
			if len(pairs) < most {
				continue
			}
			some = append(some, choices)
			for _, pair := range pairs {
				had[pair] = true
			}
		}
	}
	return some
}

func configOf(choices []choice) *Config {
	c := plainConfig()
	for i := range choices {
		choices[i].configure(c)
	}
	return c
}

// Items go through each encoding, key, format and compression into a stream that throttles a fifth of the Kinesis records at
// random. A reader finds each item, once. The test tries combinations that have each pair of values; `make throttled` tries all
// combinations, with 200,000 items each.
func TestThrottledCombinations(t *testing.T) {
	items, throttled, combinations := 200_000, 0, throttledCombinations()
	if !*throttledAll {
		items, combinations = 2_000, withEachPair(combinations)
	}
	if testing.Short() {
		items = 500
	}
	t.Logf("%d combinations", len(combinations))
	for _, choices := range combinations {
		names := make([]string, len(choices))
		for i := range choices {
			names[i] = choices[i].name
		}
		t.Run(strings.Join(names, ", "), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { throttled += sendThrottled(t, choices, items) })
		})
	}
	assert.Positive(t, throttled)
}

// The items of a push, and how many callers push at the same time.
const throttledPush, throttledCallers = 500, 8

// sendThrottled sends items and reads them. It returns how many records were throttled.
func sendThrottled(t *testing.T, choices []choice, items int) (throttled int) {
	k := newTestKinesis(8)
	k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(20*time.Millisecond)))
	k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2)))
	f, c := factoryFor(k), configOf(choices)
	if !*throttledAll {
		c.Producer.AggregationMaxSize = 5_000 // Few items make many records, so that some are throttled.
	}
	tel := componenttest.NewTelemetry()
	set := metadatatest.NewSettings(tel)
	var running []component.Component
	var consumers []func(push int) error
	for _, s := range choices[0].signals {
		e, consume := throttledExporter(t, s, f, set, c)
		require.NoError(t, e.Start(t.Context(), encodingHost(t)))
		running, consumers = append(running, e), append(consumers, consume)
	}
	pushes := make(chan int)
	var callers sync.WaitGroup
	for range throttledCallers {
		callers.Go(func() {
			for i := range pushes {
				assert.NoError(t, consumers[i%len(consumers)](i))
			}
		})
	}
	began := time.Now()
	for i := range items / throttledPush {
		pushes <- i
	}
	close(pushes)
	callers.Wait()
	took := time.Since(began)
	for _, e := range running {
		require.NoError(t, e.Shutdown(t.Context()))
	}
	metrics := rig{telemetry: tel}
	throttled = metrics.sum(t, "errors_by_code", "error_code", kpltest.CodeThrottled)
	assert.Equal(t, items, metrics.sum(t, "items_put"))
	assert.Equal(t, items, metrics.sum(t, "items_put", "outcome", "success"))
	requireEachOnce(t, k, items)
	if *throttledAll {
		t.Logf("%d items in %d records, %d throttled, in %v of virtual time",
			items, len(k.Records(testStream)), throttled, took.Round(time.Millisecond))
	}
	return throttled
}

// throttledExporter returns an exporter of a signal, and a function that sends a push through it.
func throttledExporter(
	t *testing.T, s marshaler.Signal, f exporter.Factory, set exporter.Settings, c *Config,
) (e component.Component, consume func(push int) error) {
	ctx := client.NewContext(t.Context(), client.Info{Metadata: client.NewMetadata(map[string][]string{"tenant": {"acme"}})})
	switch s {
	case marshaler.Logs:
		logs, err := f.CreateLogs(ctx, set, c)
		require.NoError(t, err)
		return logs, func(push int) error { return logs.ConsumeLogs(ctx, throttledLogs(push)) }
	case marshaler.Traces:
		traces, err := f.CreateTraces(ctx, set, c)
		require.NoError(t, err)
		return traces, func(push int) error { return traces.ConsumeTraces(ctx, throttledTraces(push)) }
	case marshaler.Profiles:
		profiles, err := f.(xexporter.Factory).CreateProfiles(ctx, set, c)
		require.NoError(t, err)
		return profiles, func(push int) error { return profiles.ConsumeProfiles(ctx, throttledProfiles(push)) }
	default:
		metrics, err := f.CreateMetrics(ctx, set, c)
		require.NoError(t, err)
		return metrics, func(push int) error { return metrics.ConsumeMetrics(ctx, throttledMetrics(push)) }
	}
}
