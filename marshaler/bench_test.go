// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// benchLogs makes log records of about 300 bytes of protobuf.
func benchLogs(resources, records int) plog.Logs {
	logs := plog.NewLogs()
	for r := range resources {
		rl := logs.ResourceLogs().AppendEmpty()
		attrs := rl.Resource().Attributes()
		attrs.PutStr("service.name", fmt.Sprintf("checkout-%d", r))
		attrs.PutStr("service.namespace", "shop")
		attrs.PutStr("k8s.pod.name", fmt.Sprintf("checkout-7d9f8b6c5-%05d", r))
		attrs.PutStr("cloud.region", "eu-central-1")
		sl := rl.ScopeLogs().AppendEmpty()
		sl.Scope().SetName("example.com/instrumentation")
		for i := range records {
			lr := sl.LogRecords().AppendEmpty()
			lr.SetTimestamp(pcommon.Timestamp(1_790_000_000_000_000_000 + i))
			lr.SetObservedTimestamp(lr.Timestamp())
			lr.SetSeverityNumber(plog.SeverityNumberInfo)
			lr.SetSeverityText("INFO")
			lr.Body().SetStr(fmt.Sprintf("request %d served: %s", i, strings.Repeat("payload ", 12)))
			lr.Attributes().PutStr("http.request.method", "GET")
			lr.Attributes().PutStr("url.path", "/api/v1/orders")
			lr.Attributes().PutInt("http.response.status_code", 200)
			lr.SetTraceID(pcommon.TraceID{1, 2, 3, byte(i)})
			lr.SetSpanID(pcommon.SpanID{4, 5, byte(i)})
		}
	}
	return logs
}

// benchMetrics makes gauges of ten points each.
func benchMetrics(resources, metrics int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for r := range resources {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", fmt.Sprintf("checkout-%d", r))
		sm := rm.ScopeMetrics().AppendEmpty()
		for i := range metrics {
			m := sm.Metrics().AppendEmpty()
			m.SetName(fmt.Sprintf("http.server.active_requests.%d", i))
			for p := range 10 {
				point := m.SetEmptyGauge().DataPoints().AppendEmpty()
				point.SetTimestamp(1_790_000_000_000_000_000)
				point.SetIntValue(int64(p))
				point.Attributes().PutStr("url.path", "/api/v1/orders")
			}
		}
	}
	return md
}

var shapes = []struct{ resources, records int }{{1, 1000}, {100, 100}, {10000, 1}}

// BenchmarkMarshalLogs compares three marshalers. The first, whole, is pdata's public marshaler alone. The second, messages,
// is this package. The third, fallback, is this package with pdata's public marshaler, as it works with an unknown version
// of pdata.
func BenchmarkMarshalLogs(b *testing.B) {
	for _, encoding := range []Encoding{OTLPProto, OTLPJSON} {
		config := Config{Encoding: encoding, TargetSize: 51_200, MaxSize: 1 << 20}
		for _, shape := range shapes {
			logs := benchLogs(shape.resources, shape.records)
			m := mustNew(b, config)
			data, err := m.codec.encodeLogs.MarshalLogs(logs)
			require.NoError(b, err)
			run := func(name string, marshal func() error) {
				b.Run(fmt.Sprintf("%s/%dx%d/%s", encoding, shape.resources, shape.records, name), func(b *testing.B) {
					b.SetBytes(int64(len(data)))
					b.ReportAllocs()
					for b.Loop() {
						if err := marshal(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
			toMessages := func(m *Marshaler) func() error {
				return func() error {
					encoded, err := m.MarshalLogs(logs)
					encoded.Release()
					return err
				}
			}
			run("whole", func() error {
				_, err := m.codec.encodeLogs.MarshalLogs(logs)
				return err
			})
			run("messages", toMessages(m))
			if encoding == OTLPProto {
				run("fallback", toMessages(unreached(mustNew(b, config))))
			}
		}
	}
}

// BenchmarkCompressLogs shows what each compression costs and saves, on log records as services write them. Without one
// it is the cost of all else.
func BenchmarkCompressLogs(b *testing.B) {
	for _, compression := range []Compression{NoCompression, Snappy, Zstd, Gzip} {
		m, err := New(Config{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 20, Compression: compression})
		require.NoError(b, err)
		for _, shape := range shapes {
			logs := serviceLogs(rand.New(rand.NewPCG(1, 2)), shape.resources, shape.records)
			data, err := m.codec.encodeLogs.MarshalLogs(logs)
			require.NoError(b, err)
			b.Run(fmt.Sprintf("%s/%dx%d", compression, shape.resources, shape.records), func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				size := 0
				for b.Loop() {
					encoded, err := m.MarshalLogs(logs)
					if err != nil {
						b.Fatal(err)
					}
					size = 0
					for _, message := range encoded.Messages {
						size += len(message.Data)
					}
					encoded.Release()
				}
				b.ReportMetric(float64(len(data))/float64(size), "ratio")
			})
		}
	}
}

// BenchmarkPushesOfOneMessage shows what pushes cost that become one message as they are, and how much memory their messages
// hold, in comparison with their bytes. The sizes differ by up to a half, so their guesses are too large as a rule.
func BenchmarkPushesOfOneMessage(b *testing.B) {
	for _, records := range []int{10, 100} {
		r := rand.New(rand.NewPCG(1, 2))
		pushes := make([]plog.Logs, 64)
		for i := range pushes {
			pushes[i] = benchLogs(1, records)
			for _, lr := range pushes[i].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
				lr.Body().SetStr(strings.Repeat("payload ", 1+i/8+r.IntN(8)))
			}
		}
		m := mustNew(b, usual(OTLPProto))
		b.Run(fmt.Sprintf("1x%d", records), func(b *testing.B) {
			b.ReportAllocs()
			memory, size := 0, 0
			for i := 0; b.Loop(); i++ {
				encoded, err := m.MarshalLogs(pushes[i%len(pushes)])
				if err != nil {
					b.Fatal(err)
				}
				for i := range encoded.Messages {
					memory += encoded.Messages[i].Memory()
					size += len(encoded.Messages[i].Data)
				}
				encoded.Release()
			}
			b.ReportMetric(float64(memory)/float64(size), "memory/size")
		})
	}
}
