// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// readersStream is the stream that has the records of all kinds.
const readersStream = "readers"

// written is what an exporter with one configuration wrote: a Kinesis record for each signal, or several with
// aggregation_format none.
type written struct {
	format      kpl.AggregationFormat
	encoding    marshaler.Encoding
	compression marshaler.Compression
	variant     variant

	id      string
	names   []string // with which its items begin
	records []ToRead // without a reader and a decoder
	items   []string // what went in
}

// variant is what else changes the bytes of messages.
type variant struct {
	name string
	set  func(*kinesiskplexporter.Config)
}

// variants returns the variants of an encoding.
func variants(e marshaler.Encoding) []variant {
	usual := variant{"", func(*kinesiskplexporter.Config) {}}
	if e == marshaler.OTLPProto {
		return []variant{usual, {"without marker", func(c *kinesiskplexporter.Config) { c.SignalMarker = false }}}
	}
	return []variant{usual, {"with newline", func(c *kinesiskplexporter.Config) { c.Newline = true }}}
}

// detail names the kind among those of one column of the table.
func (w *written) detail() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", w.encoding, w.compression, w.variant.name))
}

// itemsSent is how many items of each signal are sent. They have three resources, so they make three messages with a key each.
const itemsSent = 9

// kindsOfRecords returns all kinds of records that the exporter can be told to write, without their contents.
func kindsOfRecords() []*written {
	var kinds []*written
	compressions := []marshaler.Compression{marshaler.NoCompression, marshaler.Snappy, marshaler.Zstd, marshaler.Gzip}
	for _, format := range []kpl.AggregationFormat{kpl.AggregationKPL, kpl.AggregationConcatenated, kpl.AggregationNone} {
		for _, encoding := range []marshaler.Encoding{marshaler.OTLPProto, marshaler.OTLPJSON} {
			for _, compression := range compressions {
				for _, v := range variants(encoding) {
					w := &written{format: format, encoding: encoding, compression: compression, variant: v}
					if w.config().Validate() == nil {
						w.id = fmt.Sprintf("kind-%d#", len(kinds))
						kinds = append(kinds, w)
					}
				}
			}
		}
	}
	return kinds
}

// writeKinds writes records of all kinds into one stream and returns the endpoint of its service.
func writeKinds(ctx context.Context, t *testing.T) (kinds []*written, endpoint string) {
	t.Helper()
	for key, value := range Environment() {
		t.Setenv(key, value)
	}
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: readersStream, Shards: 1})
	server := httptest.NewServer(k.Handler())
	t.Cleanup(server.Close)
	kinds = kindsOfRecords()
	for _, w := range kinds {
		w.write(ctx, t, k, server.URL)
	}
	return kinds, server.URL
}

// config returns the configuration of the exporter, without an endpoint.
func (w *written) config() *kinesiskplexporter.Config {
	c := kinesiskplexporter.NewFactory().CreateDefaultConfig().(*kinesiskplexporter.Config)
	c.Queue = configoptional.None[exporterhelper.QueueBatchConfig]() // A request returns once it is delivered.
	c.AWS.StreamName = readersStream
	c.PartitionKey.ResourceAttributes = []string{"service.name"}
	c.Encoding, c.Compression, c.Producer.AggregationFormat = w.encoding, w.compression, w.format
	w.variant.set(c)
	return c
}

// write sends items of each signal through an exporter.
func (w *written) write(ctx context.Context, t *testing.T, k *kpltest.Kinesis, endpoint string) {
	t.Helper()
	f, c := kinesiskplexporter.NewFactory(), w.config()
	c.AWS.Endpoint, c.AWS.Insecure = endpoint, true
	logs, err := f.CreateLogs(ctx, exportertest.NewNopSettings(f.Type()), c)
	require.NoError(t, err)
	traces, err := f.CreateTraces(ctx, exportertest.NewNopSettings(f.Type()), c)
	require.NoError(t, err)
	metrics, err := f.CreateMetrics(ctx, exportertest.NewNopSettings(f.Type()), c)
	require.NoError(t, err)
	host := componenttest.NewNopHost()
	require.NoError(t, errors.Join(logs.Start(ctx, host), traces.Start(ctx, host), metrics.Start(ctx, host)))

	w.take(ctx, t, k, marshaler.Logs, func(name string) ([]string, error) {
		data := Logs(name, itemsSent)
		return logNames(data), logs.ConsumeLogs(ctx, data)
	})
	w.take(ctx, t, k, marshaler.Traces, func(name string) ([]string, error) {
		data := Traces(name, itemsSent)
		return traceNames(data), traces.ConsumeTraces(ctx, data)
	})
	w.take(ctx, t, k, marshaler.Metrics, func(name string) ([]string, error) {
		data := Metrics(name, itemsSent)
		return metricNames(data), metrics.ConsumeMetrics(ctx, data)
	})
	require.NoError(t, errors.Join(logs.Shutdown(ctx), traces.Shutdown(ctx), metrics.Shutdown(ctx)))
}

// take sends items under new names until all messages of a request share a record, and takes that record. They do not share one
// before the shards are known, nor if the first is sent before the next one comes. With aggregation_format none, they never do.
func (w *written) take(
	ctx context.Context, t *testing.T, k *kpltest.Kinesis, s marshaler.Signal, send func(name string) ([]string, error),
) {
	t.Helper()
	most := map[bool]int{true: 3, false: 1}[w.format == kpl.AggregationNone]
	Until(ctx, t, func() error {
		before := len(k.Records(readersStream))
		name := fmt.Sprintf("%s%d#", w.id, before)
		items, err := send(name)
		require.NoError(t, err)
		records := k.Records(readersStream)[before:]
		if len(records) > most {
			return fmt.Errorf("%d records", len(records))
		}
		w.names, w.items = append(w.names, name), append(w.items, items...)
		for _, r := range records {
			if w.format == kpl.AggregationNone && w.compression == marshaler.NoCompression {
				w.checkVariant(t, r.Data)
			}
			w.records = append(w.records, ToRead{
				Signal: s.String(), Compression: string(w.compression), PartitionKey: r.PartitionKey, Data: r.Data,
			})
		}
		return nil
	})
}

// checkVariant requires that a message is what the variant promises.
func (w *written) checkVariant(t *testing.T, message []byte) {
	t.Helper()
	usual := w.variant.name == ""
	if w.encoding == marshaler.OTLPProto {
		require.Equal(t, usual, bytes.HasPrefix(message, []byte{0xf8, 0x7f}))
	} else {
		require.Equal(t, !usual, bytes.HasSuffix(message, []byte("\n")))
	}
}

// firstLines returns the items in the first line of each record in JSON.
func (w *written) firstLines(t *testing.T) (items []string) {
	t.Helper()
	if w.encoding != marshaler.OTLPJSON || w.format != kpl.AggregationConcatenated {
		return nil
	}
	for _, r := range w.records {
		data, _, err := marshaler.Decompress(r.Data, marshaler.MaxPlainSize)
		require.NoError(t, err)
		line, _, _ := bytes.Cut(data, []byte("\n"))
		names, err := namesInJSON(r.Signal, line)
		require.NoError(t, err)
		items = append(items, names...)
	}
	return items
}

// The items that programs name: name|trace id.

func logNames(logs plog.Logs) (names []string) {
	for _, r := range logs.ResourceLogs().All() {
		for _, s := range r.ScopeLogs().All() {
			for _, l := range s.LogRecords().All() {
				names = append(names, l.Body().Str()+"|"+l.TraceID().String())
			}
		}
	}
	return names
}

func traceNames(traces ptrace.Traces) (names []string) {
	for _, r := range traces.ResourceSpans().All() {
		for _, s := range r.ScopeSpans().All() {
			for _, span := range s.Spans().All() {
				names = append(names, span.Name()+"|"+span.TraceID().String())
			}
		}
	}
	return names
}

func metricNames(metrics pmetric.Metrics) (names []string) {
	for _, r := range metrics.ResourceMetrics().All() {
		for _, s := range r.ScopeMetrics().All() {
			for _, m := range s.Metrics().All() { // Each has one data point.
				names = append(names, m.Name()+"|")
			}
		}
	}
	return names
}
