// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

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
func throttledChoices() (encodings, keys, formats, compressions []choice) {
	all := []marshaler.Signal{marshaler.Logs, marshaler.Traces, marshaler.Metrics}
	for _, e := range []struct {
		encoding marshaler.Encoding
		signals  []marshaler.Signal
	}{
		{marshaler.OTLPProto, all},
		{marshaler.OTLPJSON, all},
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
	for _, format := range []kpl.AggregationFormat{kpl.AggregationKPL, kpl.AggregationConcatenated, kpl.AggregationNone} {
		set := func(c *Config) { c.Producer.AggregationFormat = format }
		formats = append(formats, choice{name: string(format), configure: set})
	}
	for _, compression := range []marshaler.Compression{
		marshaler.NoCompression, marshaler.Snappy, marshaler.Zstd, marshaler.Gzip,
	} {
		set := func(c *Config) { c.Compression = compression }
		compressions = append(compressions, choice{name: string(compression), configure: set})
	}
	return encodings, keys, formats, compressions
}

// throttledCombinations returns all combinations that are valid, or some that have each value, and each format with each
// compression.
func throttledCombinations(all bool) (combinations [][]choice) {
	encodings, keys, formats, compressions := throttledChoices()
	if !all {
		for i := range max(len(encodings), len(keys), len(formats)*len(compressions)) {
			combinations = append(combinations, []choice{
				encodings[i%len(encodings)], keys[(i+i/len(keys))%len(keys)],
				formats[i%len(formats)], compressions[i%len(compressions)],
			})
		}
	} else {
		for _, encoding := range encodings {
			for _, key := range keys {
				for _, format := range formats {
					for _, compression := range compressions {
						combinations = append(combinations, []choice{encoding, key, format, compression})
					}
				}
			}
		}
	}
	valid := combinations[:0]
	for _, choices := range combinations {
		if configOf(choices).Validate() == nil {
			valid = append(valid, choices)
		}
	}
	return valid
}

func configOf(choices []choice) *Config {
	c := plainConfig()
	for i := range choices {
		choices[i].configure(c)
	}
	return c
}

// Items go through each encoding, key, format and compression into a stream that throttles a fifth of the Kinesis records at
// random. A reader finds each item, once. `make throttled` tries all combinations with 200,000 items each.
func TestThrottledCombinations(t *testing.T) {
	items := 20_000
	switch {
	case *throttledAll:
		items = 200_000
	case raceDetector: // it makes this ten times as slow
		items = 4_000
	}
	throttled := 0
	for _, choices := range throttledCombinations(*throttledAll) {
		name := fmt.Sprintf("%s, %s, %s, %s", choices[0].name, choices[1].name, choices[2].name, choices[3].name)
		t.Run(name, func(t *testing.T) {
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
	logs := newRig(t, f, c)
	set := metadatatest.NewSettings(logs.telemetry)
	traces, err := f.CreateTraces(t.Context(), set, c)
	require.NoError(t, err)
	metrics, err := f.CreateMetrics(t.Context(), set, c)
	require.NoError(t, err)
	require.NoError(t, errors.Join(logs.Start(t.Context(), logs.host), traces.Start(t.Context(), logs.host),
		metrics.Start(t.Context(), logs.host)))

	ctx := t.Context()
	pushes := make(chan int)
	var callers sync.WaitGroup
	for range throttledCallers {
		callers.Go(func() {
			for i := range pushes {
				switch signals := choices[0].signals; signals[i%len(signals)] {
				case marshaler.Logs:
					assert.NoError(t, logs.ConsumeLogs(ctx, throttledLogs(i)))
				case marshaler.Traces:
					assert.NoError(t, traces.ConsumeTraces(ctx, throttledTraces(i)))
				default:
					assert.NoError(t, metrics.ConsumeMetrics(ctx, throttledMetrics(i)))
				}
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
	require.NoError(t, errors.Join(traces.Shutdown(t.Context()), metrics.Shutdown(t.Context()), logs.Shutdown(t.Context())))

	throttled = logs.sum(t, "errors_by_code", "error_code", kpltest.CodeThrottled)
	assert.Equal(t, items, logs.sum(t, "items_put"))
	assert.Equal(t, items, logs.sum(t, "items_put", "outcome", "success"))
	requireEachOnce(t, k, items)
	if *throttledAll {
		t.Logf("%d items in %d records, %d throttled, in %v of virtual time",
			items, len(k.Records(testStream)), throttled, took.Round(time.Millisecond))
	}
	return throttled
}

// throttledName is the name of an item. It stands once in the item's encoding, whatever that is.
var throttledName = regexp.MustCompile(`item-(\d+);`)

// requireEachOnce requires that a reader of the stream finds the names of all items in its messages, each once.
func requireEachOnce(t *testing.T, k *kpltest.Kinesis, items int) {
	require.Empty(t, k.DroppedAggregates(testStream))
	found := make(map[string]int, items)
	for _, record := range k.UserRecords(testStream) {
		plain, _, err := marshaler.Decompress(record.Data, marshaler.MaxPlainSize)
		require.NoError(t, err)
		for _, name := range throttledName.FindAll(plain, -1) {
			found[string(name)]++
		}
	}
	for i := range items {
		if n := found[throttledItem(i)]; n != 1 {
			t.Fatalf("a reader finds %s %d times", throttledItem(i), n)
		}
	}
	require.Len(t, found, items, "items that nobody sent")
}

func throttledItem(i int) string { return fmt.Sprintf("item-%d;", i) }

// resourcesOfPush is how many resources the items of a push have, by turns. Ten items in a row are of one trace.
const resourcesOfPush = 20

// throttledItems calls add for the items of a push.
func throttledItems(push int, add func(resource int, name string, trace pcommon.TraceID)) {
	for i := range throttledPush {
		n := push*throttledPush + i
		var trace pcommon.TraceID
		binary.BigEndian.PutUint64(trace[8:], uint64(n/10)+1)
		add(i%resourcesOfPush, throttledItem(n), trace)
	}
}

func throttledLogs(push int) plog.Logs {
	logs := plog.NewLogs()
	for r := range resourcesOfPush {
		resource := logs.ResourceLogs().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", fmt.Sprint("service ", r))
		resource.ScopeLogs().AppendEmpty()
	}
	throttledItems(push, func(r int, name string, trace pcommon.TraceID) {
		record := logs.ResourceLogs().At(r).ScopeLogs().At(0).LogRecords().AppendEmpty()
		record.Body().SetStr(name)
		record.SetTraceID(trace)
		record.Attributes().PutStr("user", fmt.Sprint("user ", trace[15]%32))
	})
	return logs
}

func throttledTraces(push int) ptrace.Traces {
	traces := ptrace.NewTraces()
	for r := range resourcesOfPush {
		resource := traces.ResourceSpans().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", fmt.Sprint("service ", r))
		resource.ScopeSpans().AppendEmpty()
	}
	throttledItems(push, func(r int, name string, trace pcommon.TraceID) {
		span := traces.ResourceSpans().At(r).ScopeSpans().At(0).Spans().AppendEmpty()
		span.SetName(name)
		span.SetTraceID(trace)
		span.SetSpanID(pcommon.SpanID(trace[8:]))
		span.Attributes().PutStr("user", fmt.Sprint("user ", trace[15]%32))
	})
	return traces
}

func throttledMetrics(push int) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	for r := range resourcesOfPush {
		resource := metrics.ResourceMetrics().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", fmt.Sprint("service ", r))
		resource.ScopeMetrics().AppendEmpty()
	}
	throttledItems(push, func(r int, name string, trace pcommon.TraceID) {
		metric := metrics.ResourceMetrics().At(r).ScopeMetrics().At(0).Metrics().AppendEmpty()
		metric.SetName(name)
		point := metric.SetEmptyGauge().DataPoints().AppendEmpty()
		point.SetIntValue(1)
		point.Attributes().PutStr("user", fmt.Sprint("user ", trace[15]%32))
	})
	return metrics
}
