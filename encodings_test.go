// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/gogo/protobuf/jsonpb"
	"github.com/jaegertracing/jaeger-idl/model/v1"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/encoding/otlpencodingextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/zipkin/zipkinv2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/internal/metadatatest"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// linesExtension encodes log records as one line for each, the body. It fails for a body with a newline.
type linesExtension struct {
	component.StartFunc
	component.ShutdownFunc
}

func (linesExtension) MarshalLogs(logs plog.Logs) ([]byte, error) {
	var lines []byte
	for _, body := range bodiesOf(logs) {
		if strings.Contains(body, "\n") {
			return nil, fmt.Errorf("a line with %d newlines", strings.Count(body, "\n"))
		}
		lines = append(append(lines, body...), '\n')
	}
	return lines, nil
}

// encodingHost has contrib's OTLP encoding, as JSON, and one of this test.
func encodingHost(t *testing.T) component.Host {
	t.Helper()
	f := otlpencodingextension.NewFactory()
	otlp, err := f.Create(t.Context(), extension.Settings{
		ID: component.NewIDWithName(f.Type(), "json"), TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	}, &otlpencodingextension.Config{Protocol: "otlp_json"})
	require.NoError(t, err)
	return storageHost{
		component.NewIDWithName(f.Type(), "json"): otlp,
		component.MustNewID("lines"):              linesExtension{},
	}
}

// readers return the names of the items in a user record of each encoding.
var readers = map[marshaler.Encoding]func(t *testing.T, data []byte) []string{
	encodingRaw: func(_ *testing.T, data []byte) []string {
		return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	},
	encodingJaegerProto: func(t *testing.T, data []byte) []string {
		var span model.Span
		require.NoError(t, span.Unmarshal(data))
		assert.Equal(t, span.OperationName, span.Process.ServiceName)
		return []string{span.OperationName}
	},
	encodingJaegerJSON: func(t *testing.T, data []byte) (names []string) {
		for line := range bytes.SplitSeq(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
			var span model.Span
			require.NoError(t, jsonpb.Unmarshal(bytes.NewReader(line), &span))
			names = append(names, span.OperationName)
		}
		return names
	},
	encodingZipkinProto: func(t *testing.T, data []byte) []string {
		traces, err := zipkinv2.NewProtobufTracesUnmarshaler(false, false).UnmarshalTraces(data)
		require.NoError(t, err)
		return spanNames(traces)
	},
	encodingZipkinJSON: func(t *testing.T, data []byte) (names []string) {
		for line := range bytes.SplitSeq(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
			traces, err := zipkinv2.NewJSONTracesUnmarshaler(false).UnmarshalTraces(line)
			require.NoError(t, err)
			names = append(names, spanNames(traces)...)
		}
		return names
	},
	"otlp_encoding/json": func(t *testing.T, data []byte) []string {
		require.True(t, json.Valid(data))
		if traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(data); err == nil && traces.SpanCount() > 0 {
			return spanNames(traces)
		}
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(data)
		require.NoError(t, err)
		return bodiesOf(logs)
	},
	"lines": func(_ *testing.T, data []byte) []string {
		return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	},
}

func spanNames(traces ptrace.Traces) (names []string) {
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				names = append(names, span.Name())
			}
		}
	}
	return names
}

// identified gives spans ids, which Zipkin needs.
func identified(traces ptrace.Traces) ptrace.Traces {
	n := uint16(0)
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				n++
				span.SetTraceID(pcommon.TraceID{1, byte(n >> 8), byte(n)})
				span.SetSpanID(pcommon.SpanID{1, byte(n >> 8), byte(n)})
				span.SetStartTimestamp(1_700_000_000_000_000_000)
				span.SetEndTimestamp(1_700_000_000_000_001_000)
			}
		}
	}
	return traces
}

// readNames returns the names of all items in the stream, sorted.
func readNames(t *testing.T, k *kpltest.Kinesis, e marshaler.Encoding) (names []string) {
	t.Helper()
	for _, record := range k.UserRecords(testStream) {
		plain, _, err := marshaler.Decompress(record.Data, marshaler.MaxPlainSize)
		require.NoError(t, err)
		names = append(names, readers[e](t, plain)...)
	}
	slices.Sort(names)
	return names
}

// Each encoding is read by the decoder of those who made it, whatever the format of records. Each item is there once.
func TestEncodingsArrive(t *testing.T) {
	for e := range readers {
		for _, format := range []kpl.AggregationFormat{kpl.AggregationKPL, kpl.AggregationConcatenated, kpl.AggregationNone} {
			for _, compression := range []marshaler.Compression{marshaler.NoCompression, marshaler.Zstd} {
				for _, newline := range []bool{false, true} {
					c := queuedConfig()
					c.Encoding, c.Compression, c.Producer.AggregationFormat, c.Newline = e, compression, format, newline
					if format == kpl.AggregationConcatenated {
						c.PartitionKey.ResourceAttributes = nil
					}
					if c.Validate() != nil { // TestValidate has what does not go together
						continue
					}
					t.Run(fmt.Sprint(e, " ", format, " ", compression, " ", newline), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							k := newTestKinesis(2)
							k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2)))
							assert.Equal(t, sendNames(t, k, c, 40, 25), readNames(t, k, e))
							for _, record := range k.UserRecords(testStream) {
								plain, _, err := marshaler.Decompress(record.Data, marshaler.MaxPlainSize)
								require.NoError(t, err)
								assert.Equal(t, newline || e == "lines", bytes.HasSuffix(plain, []byte("\n")))
							}
						})
					})
				}
			}
		}
	}
}

// sendNames sends requests of some items of each signal that the encoding has, and stops the exporter. It returns the names of
// the items, sorted.
func sendNames(t *testing.T, k kpl.Client, c *Config, requests, items int) (want []string) {
	t.Helper()
	require.NoError(t, c.Validate())
	f, host := factoryFor(k), encodingHost(t)
	r := &rig{telemetry: componenttest.NewTelemetry()}
	set := metadatatest.NewSettings(r.telemetry)
	var running []component.Component
	var consume []func(names []string) error
	if hasSignal(c.Encoding, marshaler.Logs) {
		logs, err := f.CreateLogs(t.Context(), set, c)
		require.NoError(t, err)
		running = append(running, logs)
		consume = append(consume, func(names []string) error { return logs.ConsumeLogs(t.Context(), logsOf(names...)) })
	}
	if hasSignal(c.Encoding, marshaler.Traces) && c.Encoding != "lines" {
		traces, err := f.CreateTraces(t.Context(), set, c)
		require.NoError(t, err)
		running = append(running, traces)
		consume = append(consume, func(names []string) error {
			return traces.ConsumeTraces(t.Context(), identified(tracesOf(names...)))
		})
	}
	for _, e := range running {
		require.NoError(t, e.Start(t.Context(), host))
	}
	for i := range requests {
		for j, send := range consume {
			var names []string
			for n := range items {
				names = append(names, fmt.Sprint("item ", i, " ", j, " ", n))
			}
			require.NoError(t, send(names))
			want = append(want, names...)
		}
	}
	for _, e := range running {
		require.NoError(t, e.Shutdown(context.WithoutCancel(t.Context())))
	}
	assert.Equal(t, len(want), r.sum(t, "items_put", "outcome", "success"))
	slices.Sort(want)
	return want
}

// An extension may have profiles as well.
func TestEncodingExtensionOfProfiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := directConfig()
		c.Profiles.Encoding = "otlp_encoding/json"
		k := newTestKinesis(1)
		e, consume, err := pushProfiles.start(t.Context(), factoryFor(k), exportertest.NewNopSettings(metadata.Type), c)
		require.NoError(t, err)
		require.NoError(t, e.Start(t.Context(), encodingHost(t)))
		want := []string{"a", "b", "c"}
		require.NoError(t, consume(t.Context(), profilesOf(want...)))
		require.NoError(t, e.Shutdown(t.Context()))
		var found []string
		for _, record := range k.UserRecords(testStream) {
			profiles, err := (&pprofile.JSONUnmarshaler{}).UnmarshalProfiles(record.Data)
			require.NoError(t, err)
			found = append(found, functionsOf(profiles)...)
		}
		assert.ElementsMatch(t, want, found)
	})
}

// An extension that is not there, or that lacks the signal, is an error at the start. It names the key, the value and what to do.
func TestEncodingExtensionsThatDoNotServe(t *testing.T) {
	for e, want := range map[marshaler.Encoding]string{
		"text_encoding": `traces::encoding "text_encoding" is neither built in nor an extension of this Collector: configure it ` +
			`under extensions and name it in service::extensions, or use otlp_proto, otlp_json, jaeger_proto, jaeger_json, ` +
			`zipkin_proto, zipkin_json, or the id of an encoding extension`,
		"lines": `traces::encoding "lines" is an extension that does not encode traces: use otlp_proto, otlp_json, jaeger_proto, ` +
			`jaeger_json, zipkin_proto, zipkin_json, or the id of an encoding extension`,
	} {
		c := directConfig()
		c.Traces.Encoding = e
		set := exportertest.NewNopSettings(metadata.Type)
		traces, err := factoryFor(newTestKinesis(1)).CreateTraces(t.Context(), set, c)
		require.NoError(t, err)
		require.EqualError(t, traces.Start(t.Context(), encodingHost(t)), set.ID.String()+": "+want)
		require.NoError(t, traces.Shutdown(t.Context()))
	}
}

// A built-in encoding that lacks a signal is an error when the exporter of that signal is made.
func TestEncodingsWithoutASignal(t *testing.T) {
	c := directConfig()
	set := exportertest.NewNopSettings(metadata.Type)
	c.Encoding = encodingRaw
	require.NoError(t, c.Validate())
	f := factoryFor(newTestKinesis(1))
	_, err := f.CreateLogs(t.Context(), set, c)
	require.NoError(t, err)
	_, err = f.CreateTraces(t.Context(), set, c)
	require.ErrorContains(t, err, `traces::encoding must be an encoding of traces: otlp_proto, otlp_json, jaeger_proto,`)
	_, err = f.CreateMetrics(t.Context(), set, c)
	require.ErrorContains(t, err, `metrics::encoding must be an encoding of metrics: otlp_proto, otlp_json, or the id of an `+
		`encoding extension, found "raw"`)
	c.Metrics.Encoding = marshaler.OTLPJSON
	_, err = f.CreateMetrics(t.Context(), set, c)
	require.NoError(t, err)
}

// What an encoding fails for is dropped alone, counted and logged. All else is delivered.
func TestEncodingDropsOnlyTheOffender(t *testing.T) {
	for _, queued := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := directConfig()
			if queued {
				c = queuedConfig()
			}
			c.Encoding, c.PartitionKey.ResourceAttributes = "lines", nil
			k := newTestKinesis(1)
			e := newRig(t, factoryFor(k), c)
			e.host.Host = encodingHost(t)
			require.NoError(t, e.Start(t.Context(), e.host))
			require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a", "b", "bad\n", "c", "d")))
			advance(time.Minute) // the log says it once in a while
			if err := e.ConsumeLogs(t.Context(), logsOf("worse\n\n")); !queued {
				assert.True(t, consumererror.IsPermanent(err))
			}
			e.stop(t)
			assert.ElementsMatch(t, []string{"a", "b", "c", "d"}, readNames(t, k, "lines"))
			assert.Equal(t, 4, e.sum(t, "items_put", "outcome", "success"))
			assert.Equal(t, 2, e.sum(t, "items_put", "outcome", "rejected"))
			dropped := e.logs.FilterMessageSnippet("Dropped telemetry").
				FilterField(zap.String("resource", "service.name=bad\n")).All()
			require.Len(t, dropped, 1)
			assert.Equal(t, "marshaler: lines does not encode a log record: a line with 1 newlines", dropped[0].ContextMap()["error"])
		})
	}
}

// A caller that waits for the result gets exactly the items that are left, as pdata.
func TestRestOfForeignEncodings(t *testing.T) {
	for e := range readers {
		if !hasSignal(e, marshaler.Logs) {
			continue
		}
		t.Run(string(e), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := directConfig()
				c.Encoding, c.Producer.FailIfThrottled = e, true
				k := newTestKinesis(1)
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecords(kpltest.CodeThrottled,
					func(r types.PutRecordsRequestEntry) bool { return bytes.Contains(r.Data, []byte("late")) })))
				r := newRig(t, factoryFor(k), c)
				r.host.Host = encodingHost(t)
				require.NoError(t, r.Start(t.Context(), r.host))
				logs := logsOf("a", "late 1", "b", "late 2")
				logs.ResourceLogs().At(1).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr("k", "v")
				err := r.ConsumeLogs(t.Context(), logs)
				require.False(t, consumererror.IsPermanent(err))
				rest, ok := pushLogs.rest(err)
				require.True(t, ok, err)
				want := plog.NewLogs()
				logs.ResourceLogs().At(1).CopyTo(want.ResourceLogs().AppendEmpty())
				logs.ResourceLogs().At(3).CopyTo(want.ResourceLogs().AppendEmpty())
				assert.Equal(t, want, rest)
				r.stop(t)
				assert.ElementsMatch(t, []string{"a", "b"}, readNames(t, k, e))
			})
		})
	}
}

// A message that is too large for a proxy is cut, whatever its encoding.
func TestForeignMessagesAreCutForAProxy(t *testing.T) {
	for _, e := range []marshaler.Encoding{encodingZipkinProto, encodingZipkinJSON, "otlp_encoding/json", "lines"} {
		for _, compression := range []marshaler.Compression{marshaler.NoCompression, marshaler.Snappy} {
			t.Run(fmt.Sprint(e, compression), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := directConfig()
					c.PartitionKey.ResourceAttributes = nil
					c.Producer.AggregationFormat, c.Encoding, c.Compression = kpl.AggregationKPL, e, compression
					p := &proxy{Kinesis: newTestKinesis(2), limit: 10_000}
					want := sendNames(t, p, c, 3, 3000)
					assert.Equal(t, want, readNames(t, p.Kinesis, e))
					assert.Greater(t, p.calls, 6)
				})
			})
		}
	}
}

// A storage holds OTLP, so what a stop leaves is encoded after the next start, with another encoding if that is configured.
func TestStorageOfForeignEncodings(t *testing.T) {
	for _, e := range []marshaler.Encoding{encodingRaw, "lines"} {
		synctest.Test(t, func(t *testing.T) {
			k, files := newTestKinesis(2), newMemoryStorage()
			start := func(client kpl.Client, e marshaler.Encoding) *rig {
				c := queuedConfig()
				c.Retry.Enabled, c.Encoding = true, e
				c.Queue.Get().StorageID = &memoryStorageID
				r := newRig(t, factoryFor(client), c)
				host := encodingHost(t).(storageHost)
				host[memoryStorageID] = files
				r.host.Host = host
				require.NoError(t, r.Start(t.Context(), r.host))
				return r
			}
			var want []string
			r := start(hanging(), marshaler.OTLPJSON)
			for i := range 50 {
				want = append(want, fmt.Sprint(i))
				require.NoError(t, r.ConsumeLogs(t.Context(), logsOf(want[i])))
			}
			synctest.Wait()
			require.ErrorIs(t, r.Shutdown(within(t, 300*time.Millisecond)), context.DeadlineExceeded)

			r = start(k, e)
			require.NoError(t, k.WaitRecords(t.Context(), testStream, len(want)))
			r.stop(t)
			assert.ElementsMatch(t, want, readNames(t, k, e))
		})
	}
}
