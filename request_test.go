// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// memoryPusher returns a pusher of a queue in memory, which is not started.
func memoryPusher(t testing.TB, signal marshaler.Signal, tune func(*Config)) *pusher {
	t.Helper()
	c := queuedConfig()
	c.PartitionKey.ResourceAttributes = nil
	if tune != nil {
		tune(c)
	}
	p, err := newPusher(c, exportertest.NewNopSettings(metadata.Type), signal)
	require.NoError(t, err)
	return p
}

// requestFor returns the request that the exporter makes of data.
func requestFor[T any](t testing.TB, p *pusher, s signal[T], data T) *request {
	t.Helper()
	m, plain := p.marshaler, p.isPlain(s.items(data))
	if plain {
		m = p.plain
	}
	encoded, err := s.marshal(m, data)
	require.NoError(t, err)
	return p.newRequest(&encoded, plain)
}

// bodiesIn returns the bodies of the log records that are left in requests.
func bodiesIn(t testing.TB, p *pusher, requests ...xexporterhelper.Request) []string {
	t.Helper()
	var bodies []string
	for _, r := range requests {
		for _, m := range r.(*request).left() {
			logs, err := p.marshaler.UnmarshalLogs(m.Data)
			require.NoError(t, err)
			assert.Equal(t, m.Items, logs.LogRecordCount())
			bodies = append(bodies, bodiesOf(logs)...)
		}
	}
	return bodies
}

// The size of a request is the memory of its messages and what belongs to them.
func TestRequestSize(t *testing.T) {
	p := memoryPusher(t, marshaler.Logs, nil)
	r := requestFor(t, p, logsSignal, oneResource("body", 3000))
	require.Greater(t, len(r.messages), 1)
	assert.Equal(t, 3000, r.ItemsCount())
	held := requestOverhead
	for _, m := range r.messages {
		held += m.Memory() + messageOverhead
		assert.LessOrEqual(t, m.Memory(), len(m.Data)*9/8)
	}
	assert.Equal(t, held, r.BytesSize())
}

// After a push that failed in part, the rest is sent again, and nothing else.
func TestRequestOnError(t *testing.T) {
	p := memoryPusher(t, marshaler.Logs, func(c *Config) { c.PartitionKey.ResourceAttributes = []string{"service.name"} })
	r := requestFor(t, p, logsSignal, logsOf("a", "b", "c", "d"))
	failure := errors.New("some failed")
	assert.Same(t, r, r.OnError(failure), "nothing was delivered")

	r.messages[1].finish()
	r.messages[3].finish()
	rest := r.OnError(failure).(*request)
	assert.Equal(t, []string{"a", "c"}, bodiesIn(t, p, rest))
	assert.Equal(t, 2, rest.ItemsCount())
	assert.Equal(t, requestOverhead+r.messages[0].size+r.messages[2].size, rest.BytesSize())
	assert.Equal(t, 4, r.ItemsCount(), "the queue takes off what it added")
}

// A message that was cut is left as far as its parts are.
func TestRequestOnErrorAfterACut(t *testing.T) {
	p := memoryPusher(t, marshaler.Logs, nil)
	r := requestFor(t, p, logsSignal, logsOf("a", "b", "c", "d"))
	require.Len(t, r.messages, 1)
	parts, err := p.marshaler.Divide(p.signal, &r.messages[0].Message, 2)
	require.NoError(t, err)
	r.messages[0].cut(parts)
	r.messages[0].parts[0].finish()
	assert.Equal(t, []string{"c", "d"}, bodiesIn(t, p, r.OnError(errors.New("half of it"))))
}

// Merging and splitting keeps each item once, and in order. Only an item by itself exceeds the limit.
func TestMergeSplit(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, stored := range []bool{false, true} {
		for _, compression := range []marshaler.Compression{marshaler.NoCompression, marshaler.Snappy} {
			for round := range 50 {
				p := memoryPusher(t, marshaler.Logs, func(c *Config) {
					c.Compression = compression
					c.Producer.AggregationMaxSize = 2000
				})
				if stored {
					p = storagePusher(t, marshaler.Logs, func(c *Config) {
						c.Compression = compression
						c.Producer.AggregationMaxSize = 2000
					})
				}
				sizer := exporterhelper.RequestSizerTypeItems
				limit := 1 + random.IntN(60)
				if round%2 == 0 {
					sizer, limit = exporterhelper.RequestSizerTypeBytes, 4000+random.IntN(20_000)
				}
				assertMergeSplit(t, p, random, limit, sizer)
			}
		}
	}
}

func assertMergeSplit(t *testing.T, p *pusher, random *rand.Rand, limit int, sizer exporterhelper.RequestSizerType) {
	t.Helper()
	var want []string
	var requests []xexporterhelper.Request
	measure := measureOf(sizer)
	for i := range 1 + random.IntN(8) {
		logs := oneResource(fmt.Sprint(i, strings.Repeat("x", random.IntN(100)), "/"), 1+random.IntN(100))
		want = append(want, bodiesOf(logs)...)
		next := requestFor(t, p, logsSignal, logs)
		before := next.ItemsCount()
		if len(requests) == 0 {
			made, err := next.MergeSplit(t.Context(), limit, sizer, nil)
			require.NoError(t, err)
			requests = made
			assert.Equal(t, before, itemsOfAll(made))
			continue
		}
		last := requests[len(requests)-1]
		before += last.ItemsCount()
		made, err := last.MergeSplit(t.Context(), limit, sizer, next)
		require.NoError(t, err)
		require.NotEmpty(t, made)
		assert.Equal(t, before, itemsOfAll(made))
		requests = append(requests[:len(requests)-1], made...)
		for _, r := range made {
			assert.LessOrEqual(t, measure(made[len(made)-1].(*request)), measure(r.(*request)), "the last is the smallest")
		}
	}
	for _, r := range requests {
		assert.LessOrEqual(t, measure(r.(*request)), limit)
		r.(*request).prepare(t.Context())
	}
	assert.ElementsMatch(t, want, bodiesIn(t, p, requests...))
}

func itemsOfAll(requests []xexporterhelper.Request) (items int) {
	for _, r := range requests {
		items += r.ItemsCount()
	}
	return items
}

// Without a limit, requests are merged in their order.
func TestMergeKeepsTheOrder(t *testing.T) {
	p := memoryPusher(t, marshaler.Logs, nil)
	r := requestFor(t, p, logsSignal, logsOf("a", "b"))
	made, err := r.MergeSplit(t.Context(), 0, exporterhelper.RequestSizerTypeBytes, requestFor(t, p, logsSignal, logsOf("c")))
	require.NoError(t, err)
	require.Len(t, made, 1)
	assert.Equal(t, []string{"a", "b", "c"}, bodiesIn(t, p, made...))
	assert.Len(t, r.own, 1, "each request owns what it was made with")

	_, err = r.MergeSplit(t.Context(), 0, exporterhelper.RequestSizerTypeBytes, foreignRequest{})
	require.ErrorIs(t, err, errForeignRequest)
}

// foreignRequest is a request that this exporter did not make.
type foreignRequest struct{ xexporterhelper.Request }

// Points and spans are split as log records are: an item that fits no message drops itself alone.
func TestSplitOfOtherSignals(t *testing.T) {
	p := memoryPusher(t, marshaler.Metrics, func(c *Config) { c.Producer.MaxRecordSize = 100_000 })
	data := metricsOfEachType(100)
	points := data.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints()
	points.At(50).Attributes().PutStr("huge", strings.Repeat("x", 200_000))
	r := requestFor(t, p, metricsSignal, data)
	require.Len(t, r.rejected, 1)
	assert.Equal(t, 500, r.ItemsCount())
	made, err := r.MergeSplit(t.Context(), 30, exporterhelper.RequestSizerTypeItems, nil)
	require.NoError(t, err)
	found, rejected := 0, 0
	for _, part := range made {
		assert.LessOrEqual(t, part.ItemsCount(), 30)
		rejected += len(part.(*request).rejected)
		for _, m := range part.(*request).left() {
			decoded, err := p.marshaler.UnmarshalMetrics(m.Data)
			require.NoError(t, err)
			found += decoded.DataPointCount()
		}
	}
	assert.Equal(t, 499, found)
	assert.Equal(t, 1, rejected)
}

// Items of a malformed part of the storage are dropped alone, and the verdict says so.
func TestMalformedPartDropsItselfAlone(t *testing.T) {
	p := storagePusher(t, marshaler.Logs, nil)
	otlp, err := (&plog.ProtoMarshaler{}).MarshalLogs(logsOf("a", "b"))
	require.NoError(t, err)
	r := &request{pusher: p, size: requestOverhead}
	r.takePlain(plainPart{otlp: []byte("\x0a\x05\x12\x03\x12\x01\xff"), items: 1})
	r.takePlain(plainPart{otlp: otlp, items: 2})
	r.prepare(t.Context())
	assert.Equal(t, 3, r.ItemsCount())
	assert.Equal(t, []string{"a", "b"}, bodiesIn(t, p, r))
	require.Len(t, r.rejected, 1)
	v := p.newVerdict()
	v.reject(r)
	assert.Equal(t, 1, v.dropped)
	assert.Empty(t, r.rejected, "they count once")
	runtime.KeepAlive(r)
}
