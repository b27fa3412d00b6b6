// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"bytes"
	"fmt"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadatatest"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// 200,000 items of all signals go into one stream without frames, while a fifth of the records is throttled. A reader that knows
// OTLP and nothing else finds each item once.
func TestConcatenatedRecordsAreOTLP(t *testing.T) {
	requests := 50
	if testing.Short() {
		requests = 15
	}
	const keys, automatic = types.RecordDistributionStrategyUserPartitionKey, types.RecordDistributionStrategyAuto
	for _, tt := range []struct {
		encoding     marshaler.Encoding
		distribution types.RecordDistributionStrategy
		attributes   []string
	}{
		{marshaler.OTLPProto, keys, []string{"service.name"}},
		{marshaler.OTLPProto, automatic, nil},
		{marshaler.OTLPJSON, keys, nil},
		{marshaler.OTLPJSON, automatic, []string{"service.name"}},
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := plainConfig()
				c.Encoding, c.Producer.AggregationFormat = tt.encoding, kpl.AggregationConcatenated
				c.PartitionKey.ResourceAttributes = tt.attributes
				k := kpltest.New(kpltest.Config{Seed: 1},
					kpltest.Stream{Name: testStream, Shards: 4, Distribution: tt.distribution})
				sendConcatenated(t, k, c, requests)
			})
		})
	}
}

// sendConcatenated sends requests of each signal by ten callers through an exporter, and reads their items.
func sendConcatenated(t *testing.T, k *kpltest.Kinesis, c *Config, requests int) {
	k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(20*time.Millisecond)))
	k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2)))
	f := factoryFor(k)
	r := newRig(t, f, c)
	set := metadatatest.NewSettings(r.telemetry)
	traces, consumeTraces, err := pushTraces.start(t.Context(), f, set, c)
	require.NoError(t, err)
	metrics, consumeMetrics, err := pushMetrics.start(t.Context(), f, set, c)
	require.NoError(t, err)
	for _, e := range []component.Component{r, traces, metrics} {
		require.NoError(t, e.Start(t.Context(), r.host))
	}
	const callers, items = 10, 134
	if raceDetector { // it makes this ten times as slow
		requests /= 5
	}
	var running sync.WaitGroup
	for caller := range callers {
		running.Go(func() {
			for i := range requests {
				var names [items]string
				for j := range names {
					names[j] = fmt.Sprint(caller, "-", i, "-", j)
				}
				assert.NoError(t, r.ConsumeLogs(t.Context(), logsOf(named("log-", names[:])...)))
				assert.NoError(t, consumeTraces(t.Context(), tracesOf(named("span-", names[:])...)))
				assert.NoError(t, consumeMetrics(t.Context(), metricsOf(named("point-", names[:])...)))
			}
		})
	}
	running.Wait()
	for _, e := range []component.Component{traces, metrics, r} {
		require.NoError(t, e.Shutdown(t.Context()))
	}
	total := callers * requests * items
	counts, names := readConcatenated(t, k, c)
	assert.Equal(t, map[string]int{"log-": total, "span-": total, "point-": total}, counts)
	assert.Len(t, names, 3*total)
	if len(c.PartitionKey.ResourceAttributes) > 0 {
		assert.Less(t, len(k.Records(testStream)), total, "messages share records")
	}
}

// named puts a prefix in front of names.
func named(prefix string, names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = prefix + name
	}
	return list
}

// itemName is the name of an item, which is in its message more than once.
var itemName = regexp.MustCompile(`(log|span|point)-\d+-\d+-\d+`)

// readConcatenated counts the items of each signal as readers without a deaggregator see them, and gathers their names.
func readConcatenated(
	t *testing.T, k *kpltest.Kinesis, c *Config,
) (counts map[string]int, names map[string]struct{}) {
	counts, names = map[string]int{}, map[string]struct{}{}
	for _, record := range k.Records(testStream) {
		data := onlyFrame(t, c.Compression, record.Data)
		messages := [][]byte{data}
		if c.Encoding == marshaler.OTLPJSON {
			messages = bytes.Split(data, []byte("\n"))
		}
		prefix := prefixOf(t, data)
		for _, name := range itemName.FindAll(data, -1) {
			names[string(name)] = struct{}{}
		}
		for _, message := range messages {
			counts[prefix] += itemsIn(t, prefix, c.Encoding, message)
		}
	}
	return counts, names
}

// prefixOf returns the prefix of the names in data. A record must have items of one signal only.
func prefixOf(t *testing.T, data []byte) string {
	var found []string
	for _, prefix := range []string{"log-", "span-", "point-"} {
		if bytes.Contains(data, []byte(prefix)) {
			found = append(found, prefix)
		}
	}
	require.Len(t, found, 1, "%q", data)
	return found[0]
}

// itemsIn decodes a message and counts its items.
func itemsIn(t *testing.T, prefix string, encoding marshaler.Encoding, message []byte) int {
	var logs plog.Unmarshaler = &plog.ProtoUnmarshaler{}
	var traces ptrace.Unmarshaler = &ptrace.ProtoUnmarshaler{}
	var metrics pmetric.Unmarshaler = &pmetric.ProtoUnmarshaler{}
	if encoding == marshaler.OTLPJSON {
		logs, traces, metrics = &plog.JSONUnmarshaler{}, &ptrace.JSONUnmarshaler{}, &pmetric.JSONUnmarshaler{}
	}
	switch prefix {
	case "log-":
		data, err := logs.UnmarshalLogs(message)
		require.NoError(t, err)
		return data.LogRecordCount()
	case "span-":
		data, err := traces.UnmarshalTraces(message)
		require.NoError(t, err)
		return data.SpanCount()
	}
	data, err := metrics.UnmarshalMetrics(message)
	require.NoError(t, err)
	return data.DataPointCount()
}
