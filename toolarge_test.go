// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// proxy lets no request with more data than a limit through.
type proxy struct {
	*kpltest.Kinesis

	mu    sync.Mutex
	limit int // bytes; guarded by mu
	calls int // guarded by mu
}

func (p *proxy) setLimit(limit int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = limit
}

func (p *proxy) PutRecords(
	ctx context.Context, in *kinesis.PutRecordsInput, options ...func(*kinesis.Options),
) (*kinesis.PutRecordsOutput, error) {
	size := 0
	for i := range in.Records {
		size += len(in.Records[i].Data) + 100
	}
	p.mu.Lock()
	p.calls++
	tooLarge := size > p.limit
	p.mu.Unlock()
	if tooLarge {
		return nil, &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusRequestEntityTooLarge}},
			Err:      errors.New("a page"),
		}
	}
	return p.Kinesis.PutRecords(ctx, in, options...)
}

// manyLogs are log records that fill several messages, in several resources and scopes, with bodies of different sizes.
func manyLogs(count int) (logs plog.Logs, bodies []string) {
	logs = plog.NewLogs()
	for i := range count {
		if i%100 == 0 {
			logs.ResourceLogs().AppendEmpty().Resource().Attributes().PutInt("resource", int64(i))
		}
		resource := logs.ResourceLogs().At(logs.ResourceLogs().Len() - 1)
		if i%30 == 0 || resource.ScopeLogs().Len() == 0 {
			resource.ScopeLogs().AppendEmpty().Scope().SetName("scope")
		}
		body := strings.Repeat("x", i%700)
		resource.ScopeLogs().At(resource.ScopeLogs().Len() - 1).LogRecords().AppendEmpty().Body().SetStr(body)
		bodies = append(bodies, body)
	}
	return logs, bodies
}

// A message that is too large for a proxy is cut in the same push. Each item is stored once.
func TestMessagesAreCutForAProxy(t *testing.T) {
	for _, encoding := range []marshaler.Encoding{marshaler.OTLPProto, marshaler.OTLPJSON} {
		for _, compression := range []marshaler.Compression{marshaler.NoCompression, marshaler.Snappy} {
			for _, limit := range []int{40_000, 10_000} {
				synctest.Test(t, func(t *testing.T) {
					c := directConfig()
					c.PartitionKey.ResourceAttributes = nil
					c.Producer.AggregationFormat, c.Encoding, c.Compression = kpl.AggregationKPL, encoding, compression
					p := &proxy{Kinesis: newTestKinesis(2), limit: limit}
					e := startLogs(t, p, c)
					var want []string
					for range 3 {
						logs, bodies := manyLogs(2000)
						want = append(want, bodies...)
						begun := time.Now()
						require.NoError(t, e.ConsumeLogs(t.Context(), logs))
						assert.Less(t, time.Since(begun), 5*time.Second)
					}
					assert.Equal(t, len(want), e.sum(t, "items_put", "outcome", "success"))
					assert.Equal(t, len(want), e.sum(t, "items_put"))
					e.stop(t)
					assert.Less(t, p.calls, 600)
					got := decodedBodies(t, p.Kinesis, encoding)
					slices.Sort(want)
					slices.Sort(got)
					assert.Equal(t, want, got)
					assert.NotEmpty(t, e.logs.FilterMessageSnippet("lets no message of this size through").All())
				})
			}
		}
	}
}

// decodedBodies returns the bodies of all log records in the stream.
func decodedBodies(t *testing.T, k *kpltest.Kinesis, encoding marshaler.Encoding) (bodies []string) {
	t.Helper()
	c := defaultConfig()
	c.Encoding = encoding
	m, err := marshaler.New(c.marshalerConfig(marshaler.Logs))
	require.NoError(t, err)
	for _, record := range k.UserRecords(testStream) {
		logs, err := m.UnmarshalLogs(record.Data)
		require.NoError(t, err)
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, item := range scope.LogRecords().All() {
					bodies = append(bodies, item.Body().Str())
				}
			}
		}
	}
	return bodies
}

// An item that no proxy lets through is given back alone, for another try, and all others are stored.
func TestItemThatIsTooLargeForAProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := directConfig()
		c.PartitionKey.ResourceAttributes = nil
		p := &proxy{Kinesis: newTestKinesis(1), limit: 20_000}
		e := startLogs(t, p, c)
		logs, want := manyLogs(500)
		large := strings.Repeat("y", 30_000)
		logs.ResourceLogs().At(2).ScopeLogs().At(1).LogRecords().At(7).Body().SetStr(large)
		err := e.ConsumeLogs(t.Context(), logs)
		require.ErrorContains(t, err, "1 of 500 log records not delivered")
		require.ErrorContains(t, err, "RequestTooLarge")
		assert.False(t, consumererror.IsPermanent(err))
		var partial consumererror.Logs
		require.ErrorAs(t, err, &partial)
		assert.Equal(t, []string{large}, bodiesOf(partial.Data()))
		assert.Len(t, decodedBodies(t, p.Kinesis, marshaler.OTLPProto), len(want)-1)

		p.setLimit(1 << 20)
		time.Sleep(10 * time.Second) //nolint:forbidigo // in a synctest bubble
		require.NoError(t, e.ConsumeLogs(t.Context(), partial.Data()))
		e.stop(t)
	})
}

// A proxy that lets nothing through for three seconds.
func TestNothingIsDroppedByAProxyThatLetsNothingThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := directConfig()
		c.PartitionKey.ResourceAttributes = nil
		c.Producer.AggregationFormat = kpl.AggregationKPL
		p := &proxy{Kinesis: newTestKinesis(4)}
		e := startLogs(t, p, c)
		timer := time.AfterFunc(3*time.Second, func() { p.setLimit(10 << 20) })
		defer timer.Stop()
		logs, want := manyLogs(3000)
		require.NoError(t, e.ConsumeLogs(t.Context(), logs))
		e.stop(t)
		assert.Less(t, p.calls, 2000)
		assert.Len(t, decodedBodies(t, p.Kinesis, marshaler.OTLPProto), len(want))
	})
}

// metricsOfEachType has a metric of each type, with so many points each.
func metricsOfEachType(points int) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	scope := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	add := func() pmetric.Metric {
		m := scope.Metrics().AppendEmpty()
		m.SetName("name")
		m.SetUnit("unit")
		m.Metadata().PutStr("k", "v")
		return m
	}
	gauge, sum, histogram := add().SetEmptyGauge(), add().SetEmptySum(), add().SetEmptyHistogram()
	exponential, summary := add().SetEmptyExponentialHistogram(), add().SetEmptySummary()
	for range points {
		gauge.DataPoints().AppendEmpty()
		sum.DataPoints().AppendEmpty()
		histogram.DataPoints().AppendEmpty()
		exponential.DataPoints().AppendEmpty()
		summary.DataPoints().AppendEmpty()
	}
	return metrics
}

// Messages of the other signals are cut as well.
func TestSpansAndPointsAreCutForAProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := directConfig()
		c.PartitionKey.ResourceAttributes = nil
		p := &proxy{Kinesis: newTestKinesis(1), limit: 20_000}
		set := exportertest.NewNopSettings(metadata.Type)
		spans, err := factoryFor(p).CreateTraces(t.Context(), set, c)
		require.NoError(t, err)
		require.NoError(t, spans.Start(t.Context(), componenttest.NewNopHost()))
		traces := ptrace.NewTraces()
		scope := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty()
		for range 3000 {
			scope.Spans().AppendEmpty().SetName("a span with a name")
		}
		require.NoError(t, spans.ConsumeTraces(t.Context(), traces))
		require.NoError(t, spans.Shutdown(t.Context()))
		points, err := factoryFor(p).CreateMetrics(t.Context(), set, c)
		require.NoError(t, err)
		require.NoError(t, points.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, points.ConsumeMetrics(t.Context(), metricsOfEachType(3000)))
		require.NoError(t, points.Shutdown(t.Context()))
		m, err := marshaler.New(c.marshalerConfig(marshaler.Logs))
		require.NoError(t, err)
		spanCount, pointCount := 0, 0
		for _, record := range p.UserRecords(testStream) {
			if found, err := m.UnmarshalTraces(record.Data); err == nil && found.SpanCount() > 0 &&
				found.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Name() == "a span with a name" {
				spanCount += found.SpanCount()
				continue
			}
			found, err := m.UnmarshalMetrics(record.Data)
			require.NoError(t, err)
			pointCount += found.DataPointCount()
		}
		assert.Equal(t, 3000, spanCount)
		assert.Equal(t, 5*3000, pointCount)
	})
}
