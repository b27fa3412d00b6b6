// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadatatest"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// pushSignal is what differs between the signals in a push.
type pushSignal[T any] struct {
	decode func([]byte) (T, error) // OTLP in protobuf
	stored func(*marshaler.Marshaler, []byte) (T, error)
	count  func(T) int
	rest   func(error) (T, bool) // what an error hands back
	start  func(context.Context, exporter.Factory, exporter.Settings, component.Config) (
		component.Component, func(context.Context, T) error, error)
}

var (
	pushLogs = pushSignal[plog.Logs]{
		decode: (&plog.ProtoUnmarshaler{}).UnmarshalLogs,
		stored: (*marshaler.Marshaler).UnmarshalLogs,
		count:  plog.Logs.LogRecordCount,
		rest: func(err error) (plog.Logs, bool) {
			partial, ok := errors.AsType[consumererror.Logs](err)
			return partial.Data(), ok
		},
		start: func(ctx context.Context, f exporter.Factory, set exporter.Settings, c component.Config) (
			component.Component, func(context.Context, plog.Logs) error, error,
		) {
			e, err := f.CreateLogs(ctx, set, c)
			return e, e.ConsumeLogs, err
		},
	}
	pushTraces = pushSignal[ptrace.Traces]{
		decode: (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces,
		stored: (*marshaler.Marshaler).UnmarshalTraces,
		count:  ptrace.Traces.SpanCount,
		rest: func(err error) (ptrace.Traces, bool) {
			partial, ok := errors.AsType[consumererror.Traces](err)
			return partial.Data(), ok
		},
		start: func(ctx context.Context, f exporter.Factory, set exporter.Settings, c component.Config) (
			component.Component, func(context.Context, ptrace.Traces) error, error,
		) {
			e, err := f.CreateTraces(ctx, set, c)
			return e, e.ConsumeTraces, err
		},
	}
	pushMetrics = pushSignal[pmetric.Metrics]{
		decode: (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics,
		stored: (*marshaler.Marshaler).UnmarshalMetrics,
		count:  pmetric.Metrics.DataPointCount,
		rest: func(err error) (pmetric.Metrics, bool) {
			partial, ok := errors.AsType[consumererror.Metrics](err)
			return partial.Data(), ok
		},
		start: func(ctx context.Context, f exporter.Factory, set exporter.Settings, c component.Config) (
			component.Component, func(context.Context, pmetric.Metrics) error, error,
		) {
			e, err := f.CreateMetrics(ctx, set, c)
			return e, e.ConsumeMetrics, err
		},
	}
)

// tracesOf and metricsOf return one resource with one item for each name.
func tracesOf(names ...string) ptrace.Traces {
	traces := ptrace.NewTraces()
	for _, name := range names {
		resource := traces.ResourceSpans().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", name)
		resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName(name)
	}
	return traces
}

func metricsOf(names ...string) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	for _, name := range names {
		resource := metrics.ResourceMetrics().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", name)
		metric := resource.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		metric.SetName(name)
		metric.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	}
	return metrics
}

// pushFuzz is what FuzzPush varies besides the data.
type pushFuzz struct{ json, aggregated, keyed, throttle, reject, truncate bool }

func pushFuzzOf(bits uint8) pushFuzz {
	bit := func(n int) bool { return bits>>n&1 == 1 }
	return pushFuzz{bit(0), bit(1), bit(2), bit(3), bit(4), bit(5)}
}

// config makes small records, so that requests are cut and some items fit no record.
func (p pushFuzz) config() *Config {
	c := directConfig()
	c.Producer.MaxRecordSize, c.Producer.AggregationMaxSize = 1024, 512
	c.Producer.FailIfThrottled = true
	if p.aggregated {
		c.Producer.AggregationFormat = kpl.AggregationKPL
	}
	if p.json {
		c.Encoding, c.Newline = marshaler.OTLPJSON, p.aggregated
	}
	if p.truncate {
		c.Oversize = marshaler.TruncateOversize
	}
	if !p.keyed {
		c.PartitionKey.ResourceAttributes = nil
	}
	return c
}

func (p pushFuzz) inject(k *kpltest.Kinesis) {
	if p.throttle {
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.3)))
	}
	if p.reject {
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeInvalidArgument, 0.3)))
	}
}

// checkPush pushes data, if it is OTLP, and checks that each item of it is either stored, or handed back, or dropped and
// counted as such.
func checkPush[T any](t *testing.T, s pushSignal[T], p pushFuzz, data []byte) {
	request, err := s.decode(data)
	if err != nil {
		return
	}
	items, k, c := s.count(request), newTestKinesis(2), p.config()
	p.inject(k)
	r := &rig{telemetry: componenttest.NewTelemetry()}
	e, consume, err := s.start(t.Context(), factoryFor(k), metadatatest.NewSettings(r.telemetry), c)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	pushErr := consume(within(t, time.Minute), request)
	require.NoError(t, e.Shutdown(context.WithoutCancel(t.Context())))

	m, err := marshaler.New(c.marshalerConfig(marshaler.Logs))
	require.NoError(t, err)
	stored := 0
	require.Empty(t, k.DroppedAggregates(testStream))
	for _, record := range k.UserRecords(testStream) {
		part, err := s.stored(m, record.Data)
		require.NoError(t, err)
		stored += s.count(part)
	}
	dropped := r.sum(t, "items_put", "outcome", "rejected") + r.sum(t, "items_put", "outcome", "oversize")
	left := 0
	if rest, partial := s.rest(pushErr); partial {
		left = s.count(rest)
	} else if pushErr != nil {
		require.Zero(t, stored, "all of it comes back, or is dropped")
		left = items - dropped
	}
	if consumererror.IsPermanent(pushErr) {
		require.Zero(t, left)
		require.Equal(t, items, dropped)
	}
	assert.Equal(t, items, stored+dropped+left, "stored %d, dropped %d, left %d: %v", stored, dropped, left, pushErr)
	assert.Equal(t, stored, r.sum(t, "items_put", "outcome", "success"))
	assert.Equal(t, items, r.sum(t, "items_put"))
}

// odd is a request of one log record with values of all kinds, long enough for a record of its own or for none.
func odd(size int) plog.Logs {
	logs := oneResource(string(make([]byte, size)), 3)
	attributes := logs.ResourceLogs().At(0).Resource().Attributes()
	attributes.PutEmptyBytes("bytes").FromRaw([]byte{0, 0xff})
	attributes.PutEmptySlice("slice").AppendEmpty().SetEmptyMap().PutDouble("\xff", 1e308)
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetTraceID(pcommon.TraceID{1})
	return logs
}

// FuzzPush checks that each item of a push is either stored, or handed back, or dropped.
func FuzzPush(f *testing.F) {
	add := func(signal uint8, data []byte, err error) {
		require.NoError(f, err)
		for _, bits := range []uint8{0, 1, 2, 7, 8, 16, 31, 32, 35} {
			f.Add(signal, bits, data)
		}
	}
	for _, logs := range []plog.Logs{logsOf("a", "b", "c"), oneResource("x", 40), odd(10), odd(400), odd(2000)} {
		data, err := new(plog.ProtoMarshaler).MarshalLogs(logs)
		add(0, data, err)
	}
	data, err := new(ptrace.ProtoMarshaler).MarshalTraces(tracesOf("a", "b", "c"))
	add(1, data, err)
	data, err = new(pmetric.ProtoMarshaler).MarshalMetrics(metricsOf("a", "b", "c"))
	add(2, data, err)
	data, err = new(pprofile.ProtoMarshaler).MarshalProfiles(profilesOf("a", "b", "c"))
	add(3, data, err)
	f.Fuzz(func(t *testing.T, signal, bits uint8, data []byte) {
		synctest.Test(t, func(t *testing.T) {
			switch p := pushFuzzOf(bits); signal % 4 {
			case 0:
				checkPush(t, pushLogs, p, data)
			case 1:
				checkPush(t, pushTraces, p, data)
			case 3:
				checkPush(t, pushProfiles, p, data)
			default:
				checkPush(t, pushMetrics, p, data)
			}
		})
	})
}
