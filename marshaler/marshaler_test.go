// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var bothEncodings = []Encoding{OTLPProto, OTLPJSON}

func usual(encoding Encoding) Config {
	return Config{Encoding: encoding, TargetSize: 51_200, MaxSize: 1 << 20}
}

// addLogs adds records with the bodies under a resource of its own.
func addLogs(logs plog.Logs, resource string, bodies ...string) {
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", resource)
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, body := range bodies {
		records.AppendEmpty().Body().SetStr(body)
	}
}

// bodies returns the bodies of all records in all messages, in order.
func bodies(t *testing.T, m *Marshaler, messages []Message) (list []string) {
	for _, message := range messages {
		logs, err := m.UnmarshalLogs(message.Data)
		require.NoError(t, err)
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					if lr.Body().Type() == pcommon.ValueTypeBytes {
						list = append(list, string(lr.Body().Bytes().AsRaw()))
						continue
					}
					list = append(list, lr.Body().Str())
				}
			}
		}
	}
	return list
}

func TestManyLogsOfOneResourceArriveWhole(t *testing.T) {
	sent := make([]string, 8192)
	for i := range sent {
		sent[i] = fmt.Sprintf("%0120d", i)
	}
	logs := plog.NewLogs()
	addLogs(logs, "one", sent...)
	for _, encoding := range bothEncodings {
		m := mustNew(t, usual(encoding))
		whole := len(logsData{logs}.whole(t, m))
		require.Greater(t, whole, 1<<20)
		encoded := logsData{logs}.marshal(t, m)
		assert.Empty(t, encoded.Rejected)
		assert.Equal(t, sent, bodies(t, m, encoded.Messages))
		assert.Len(t, encoded.Messages, whole/51_000+1, "the headers cost almost nothing")
		for i, message := range encoded.Messages {
			assert.LessOrEqual(t, len(message.Data), 51_200-KeylessKeySize)
			if i < len(encoded.Messages)-1 {
				assert.Greater(t, len(message.Data), 51_200-KeylessKeySize-300, "no room for another record")
			}
		}
	}
}

func TestOnlyTheOversizeItemIsRejected(t *testing.T) {
	var sent, want []string
	for i := range 999 {
		sent = append(sent, fmt.Sprintf("small %d", i))
		want = append(want, sent[len(sent)-1])
		if i == 500 {
			sent = append(sent, strings.Repeat("b", 2<<20))
		}
	}
	logs := plog.NewLogs()
	addLogs(logs, "one", sent...)
	for _, encoding := range bothEncodings {
		m := mustNew(t, usual(encoding))
		encoded := logsData{logs}.marshal(t, m)
		assert.Equal(t, want, bodies(t, m, encoded.Messages))
		require.Len(t, encoded.Rejected, 1)
		assert.Equal(t, Logs, encoded.Rejected[0].Signal)
		assert.Equal(t, 1<<20, encoded.Rejected[0].Limit)
		assert.InDelta(t, 2<<20, encoded.Rejected[0].Size, 200)
	}
}

func TestItemsAtTheLimits(t *testing.T) {
	for _, encoding := range bothEncodings {
		m := mustNew(t, Config{Encoding: encoding, TargetSize: 1000, MaxSize: 2000})
		bodyOf := func(size int) string { // a body whose record alone makes a message of the size, key included
			for n := size; ; n-- {
				logs := plog.NewLogs()
				addLogs(logs, "r", strings.Repeat("x", n))
				if len(logsData{logs}.whole(t, m))+KeylessKeySize == size {
					return strings.Repeat("x", n)
				}
			}
		}
		tests := []struct {
			sizes    []int
			items    []int
			rejected []*ItemSizeError
		}{
			{sizes: []int{1000}, items: []int{1}},
			{sizes: []int{1001}, items: []int{1}},
			{sizes: []int{2000}, items: []int{1}},
			{sizes: []int{2001}, rejected: []*ItemSizeError{{Logs, 2001, 2000, "service.name=r"}}},
			{sizes: []int{200, 2000, 200, 200}, items: []int{1, 1, 2}},
			{sizes: []int{200, 2001, 200, 200}, items: []int{3}, rejected: []*ItemSizeError{{Logs, 2001, 2000, "service.name=r"}}},
			{sizes: []int{1000, 1000, 1001}, items: []int{1, 1, 1}},
		}
		for _, test := range tests {
			logs := plog.NewLogs()
			var list []string
			for _, size := range test.sizes {
				list = append(list, bodyOf(size))
			}
			addLogs(logs, "r", list...)
			encoded := logsData{logs}.marshal(t, m)
			var counts []int
			for _, message := range encoded.Messages {
				counts = append(counts, message.Items)
			}
			assert.Equal(t, test.items, counts, "%s %v", encoding, test.sizes)
			assert.Equal(t, test.rejected, encoded.Rejected, "%s %v", encoding, test.sizes)
		}
	}
}

func TestManyTinyResourcesShareMessages(t *testing.T) {
	logs := plog.NewLogs()
	var want []string
	for i := range 1000 {
		want = append(want, fmt.Sprint("tiny ", i))
		addLogs(logs, fmt.Sprint("resource-", i), want[i])
	}
	for encoding, messages := range map[Encoding]int{OTLPProto: 2, OTLPJSON: 4} {
		m := mustNew(t, usual(encoding))
		encoded := logsData{logs}.marshal(t, m)
		assert.Len(t, encoded.Messages, messages)
		assert.Equal(t, want, bodies(t, m, encoded.Messages))
	}
}

func TestMetricIsCutBetweenDataPoints(t *testing.T) {
	metrics := pmetric.NewMetrics()
	metric := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("requests")
	metric.SetDescription("served")
	metric.SetUnit("1")
	metric.Metadata().PutStr("origin", "test")
	sum := metric.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	for i := range 1000 {
		sum.DataPoints().AppendEmpty().SetIntValue(int64(i))
	}
	for _, encoding := range bothEncodings {
		m := mustNew(t, Config{Encoding: encoding, TargetSize: 4096, MaxSize: 4096})
		encoded := metricsData{metrics}.marshal(t, m)
		assert.Greater(t, len(encoded.Messages), 2)
		next := int64(0)
		for _, message := range encoded.Messages {
			read, err := m.UnmarshalMetrics(message.Data)
			require.NoError(t, err)
			part := read.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)
			assert.Equal(t, "requests", part.Name())
			assert.Equal(t, "served", part.Description())
			assert.Equal(t, "1", part.Unit())
			assert.Equal(t, map[string]any{"origin": "test"}, part.Metadata().AsRaw())
			assert.True(t, part.Sum().IsMonotonic())
			assert.Equal(t, pmetric.AggregationTemporalityDelta, part.Sum().AggregationTemporality())
			for _, point := range part.Sum().DataPoints().All() {
				assert.Equal(t, next, point.IntValue())
				next++
			}
		}
		assert.EqualValues(t, 1000, next)
	}
}

func TestPushesWithoutItemsMakeNoMessages(t *testing.T) {
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	traces := ptrace.NewTraces()
	traces.ResourceSpans().AppendEmpty()
	metrics := pmetric.NewMetrics()
	metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge()
	all := []telemetry{
		logsData{plog.NewLogs()},
		logsData{logs},
		tracesData{ptrace.NewTraces()},
		tracesData{traces},
		metricsData{pmetric.NewMetrics()},
		metricsData{metrics},
	}
	for _, encoding := range bothEncodings {
		for _, d := range all {
			assert.Equal(t, Encoded{}, d.marshal(t, mustNew(t, usual(encoding))))
		}
	}
}

func TestContainersWithoutItemsNeverMakeAMessage(t *testing.T) {
	metrics := pmetric.NewMetrics()
	for i := range 60 {
		rm := metrics.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("padding", strings.Repeat("p", 50*(i%7)))
		if i%4 == 0 {
			continue
		}
		sm := rm.ScopeMetrics().AppendEmpty()
		sm.Metrics().AppendEmpty().SetName("no data")
		sm.Metrics().AppendEmpty().SetEmptyHistogram()
		if i > 20 && i < 30 {
			continue
		}
		sm.Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(int64(i))
		rm.ScopeMetrics().AppendEmpty()
	}
	d := metricsData{metrics}
	for _, encoding := range bothEncodings {
		for target := 300; target < 2000; target += 100 {
			m := mustNew(t, Config{Encoding: encoding, TargetSize: target, MaxSize: max(target, 1000)})
			var read []string
			for _, message := range d.marshal(t, m).Messages {
				part := d.decode(t, m, message.Data)
				assert.Positive(t, message.Items)
				assert.Equal(t, message.Items, part.count())
				assert.LessOrEqual(t, len(message.Data)+KeylessKeySize, max(target, 1000))
				read = append(read, items(t, m, part)...)
			}
			require.Equal(t, items(t, m, d), read, "%s, target %d", encoding, target)
		}
	}
}

func TestPushThatFitsAMessageIsThatMessage(t *testing.T) {
	m := mustNew(t, Config{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 51_200, Key: KeyConfig{Static: "k"}})
	logs := benchLogs(2, 3)
	want := logsData{logs}.whole(t, m)
	encoded := logsData{logs}.marshal(t, m)
	assert.Equal(t, Encoded{Messages: []Message{{Data: want, PartitionKey: "k", Items: 6}}}, encoded)

	again, err := m.MarshalLogs(logs)
	require.NoError(t, err)
	assert.Same(t, &again.Messages[0].buffer.data[0], &again.Messages[0].Data[0])
	again.Release()
	assert.Nil(t, again.Messages[0].Data)
}

func TestMarshalerIsSharedAndReadsOnly(t *testing.T) {
	for _, encoding := range bothEncodings {
		m := mustNew(t, Config{
			Encoding: encoding, TargetSize: 1500, MaxSize: 1 << 20, Key: KeyConfig{ResourceAttributes: []string{"tenant"}},
		})
		all := newRandom(7).all()
		want := make([]Encoded, len(all))
		for i, d := range all {
			d.markReadOnly()
			want[i] = d.marshal(t, m)
		}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 5 {
					for i, d := range all {
						assert.Equal(t, want[i], d.marshal(t, m))
					}
				}
			})
		}
		group.Wait()
	}
}

func TestUnmarshalNamesSignalAndSize(t *testing.T) {
	m := mustNew(t, usual(OTLPProto))
	broken := []byte{0x0a, 0x7f}
	_, err := m.UnmarshalLogs(broken)
	require.ErrorContains(t, err, "marshaler: decode logs of 2 bytes: ")
	_, err = m.UnmarshalTraces(broken)
	require.ErrorContains(t, err, "marshaler: decode traces of 2 bytes: ")
	_, err = m.UnmarshalMetrics(broken)
	require.ErrorContains(t, err, "marshaler: decode metrics of 2 bytes: ")
}

// What is around the items is repeated in every message. Even if that is large, the messages of a push must not come to many
// times its size, because all of them are in memory together.
func TestLargeResourceIsNotRepeatedForEachItem(t *testing.T) {
	for _, encoding := range bothEncodings {
		for _, around := range []int{10_000, 30_000, 50_000, 60_000, 500_000, 900_000} {
			logs := plog.NewLogs()
			addLogs(logs, strings.Repeat("r", around), slices.Repeat([]string{"a short body"}, 1000)...)
			m := mustNew(t, Config{Encoding: encoding, TargetSize: 51_200, MaxSize: 1 << 20})
			whole := logsData{logs}.whole(t, m)
			encoded, err := m.MarshalLogs(logs)
			require.NoError(t, err)
			assert.Empty(t, encoded.Rejected)
			total, items := 0, 0
			for _, message := range encoded.Messages {
				total += len(message.Data)
				items += message.Items
			}
			assert.Equal(t, 1000, items)
			assert.Less(t, total, 3*len(whole), "%s, %d bytes around the items", encoding, around)
		}
	}
}
