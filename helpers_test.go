// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"bytes"
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadatatest"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

const testStream = "telemetry"

func newTestKinesis(shards int) *kpltest.Kinesis {
	return kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{Name: testStream, Shards: shards})
}

// factoryFor returns a factory whose exporters use client.
func factoryFor(client kpl.Client) exporter.Factory {
	return newFactory(func(context.Context, *Config, *zap.Logger) (kpl.Client, func(), error) { return client, func() {}, nil })
}

// directConfig returns a configuration without queue and retry, so that a consumer gets the error of the push, and with
// one Kinesis record for each resource that has a service.name of its own.
func directConfig() *Config {
	c := defaultConfig()
	c.AWS.Region, c.AWS.StreamName = "us-east-1", testStream
	c.Queue = configoptional.None[exporterhelper.QueueBatchConfig]()
	c.Retry.Enabled = false
	c.PartitionKey.ResourceAttributes = []string{"service.name"}
	c.Producer.AggregationFormat = kpl.AggregationNone
	return c
}

// rig is a started logs exporter and what can be seen of it.
type rig struct {
	exporter.Logs
	telemetry *componenttest.Telemetry
	logs      *observer.ObservedLogs
	host      *statusHost
}

func startLogs(t *testing.T, client kpl.Client, c *Config) *rig {
	t.Helper()
	r := newRig(t, factoryFor(client), c)
	require.NoError(t, r.Start(t.Context(), r.host))
	return r
}

func newRig(t *testing.T, f exporter.Factory, c *Config) *rig {
	t.Helper()
	r := &rig{telemetry: componenttest.NewTelemetry(), host: &statusHost{Host: componenttest.NewNopHost()}}
	set := metadatatest.NewSettings(r.telemetry)
	core, logs := observer.New(zap.DebugLevel)
	set.Logger, r.logs = zap.New(core), logs
	var err error
	r.Logs, err = f.CreateLogs(t.Context(), set, c)
	require.NoError(t, err)
	return r
}

// stop shuts the exporter down and requires that nothing goes wrong.
func (r *rig) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, r.Shutdown(context.WithoutCancel(t.Context())))
}

// sum adds up the data points of a counter that have all the attributes, given as keys and values by turns.
func (r *rig) sum(t *testing.T, name string, attributes ...string) int {
	t.Helper()
	m, err := r.telemetry.GetMetric("otelcol_kinesis_kpl_" + name)
	if err != nil {
		return 0 // never counted
	}
	data, ok := m.Data.(metricdata.Sum[int64])
	require.True(t, ok, "%s is no counter", name)
	total := 0
points:
	for _, point := range data.DataPoints {
		for i := 0; i < len(attributes); i += 2 {
			value, _ := point.Attributes.Value(attribute.Key(attributes[i]))
			if value.AsString() != attributes[i+1] {
				continue points
			}
		}
		total += int(point.Value)
	}
	return total
}

// statusHost keeps the statuses that are reported.
type statusHost struct {
	component.Host

	mu     sync.Mutex
	events []*componentstatus.Event // guarded by mu
}

func (h *statusHost) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// last returns the status that was reported last.
func (h *statusHost) last() *componentstatus.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.events[len(h.events)-1]
}

func (h *statusHost) statuses() []componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []componentstatus.Status
	for _, e := range h.events {
		all = append(all, e.Status())
	}
	return all
}

// logsOf returns one resource with one log record for each body; the body is the service.name too.
func logsOf(bodies ...string) plog.Logs {
	logs := plog.NewLogs()
	for _, body := range bodies {
		resource := logs.ResourceLogs().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", body)
		resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(body)
	}
	return logs
}

// oneResource returns n log records of one resource with the bodies prefix0, prefix1 and so on.
func oneResource(prefix string, n int) plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "checkout")
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	records.EnsureCapacity(n)
	for i := range n {
		record := records.AppendEmpty()
		record.SetTimestamp(1_700_000_000_000_000_000)
		record.Body().SetStr(prefix + strconv.Itoa(i))
	}
	return logs
}

// bodiesOf returns the bodies of log records, in their order.
func bodiesOf(logs plog.Logs) []string {
	var bodies []string
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				bodies = append(bodies, record.Body().Str())
			}
		}
	}
	return bodies
}

// storedBodies returns the bodies of the log records that a reader of the stream gets to see.
func storedBodies(t *testing.T, k *kpltest.Kinesis) []string {
	t.Helper()
	return storedIn(t, k, testStream)
}

// storedIn returns the bodies of the log records that a reader of a stream gets to see.
func storedIn(t *testing.T, k *kpltest.Kinesis, stream string) []string {
	t.Helper()
	inProto, inJSON := directConfig(), directConfig()
	inJSON.Encoding = marshaler.OTLPJSON
	marshalers := map[bool]*marshaler.Marshaler{}
	for _, c := range []*Config{inProto, inJSON} {
		m, err := marshaler.New(c.marshalerConfig(marshaler.Logs))
		require.NoError(t, err)
		marshalers[c.Encoding == marshaler.OTLPJSON] = m
	}
	require.Empty(t, k.DroppedAggregates(stream))
	var bodies []string
	for _, record := range k.UserRecords(stream) {
		plain, _, err := marshaler.Decompress(record.Data, marshaler.MaxPlainSize)
		require.NoError(t, err)
		logs, err := marshalers[bytes.HasPrefix(plain, []byte("{"))].UnmarshalLogs(plain)
		require.NoError(t, err)
		bodies = append(bodies, bodiesOf(logs)...)
	}
	return bodies
}

// within returns a context that ends after d.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), d)
	t.Cleanup(cancel)
	return ctx
}

// pass lets time pass in a synctest bubble.
func pass(d time.Duration) { <-time.NewTimer(d).C }

// distinct returns the set of bodies, and fails the test if one is there twice.
func distinct(t *testing.T, bodies []string) map[string]bool {
	t.Helper()
	set := make(map[string]bool, len(bodies))
	for _, body := range bodies {
		set[body] = true
	}
	require.Len(t, set, len(bodies), "duplicates")
	return set
}

// gaugeOf returns the value of a gauge with one data point.
func gaugeOf(t *testing.T, r *rig, name string) int64 {
	t.Helper()
	m, err := r.telemetry.GetMetric("otelcol_kinesis_kpl_" + name)
	require.NoError(t, err)
	data, ok := m.Data.(metricdata.Gauge[int64])
	require.True(t, ok, "%s is no gauge", name)
	require.Len(t, data.DataPoints, 1)
	return data.DataPoints[0].Value
}

// advance lets the time of a synctest bubble pass.
func advance(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // in a synctest bubble
