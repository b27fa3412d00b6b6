// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// serviceTraces returns spans of traces that pass through many services, as a batch of a gateway has them. A trace has eight
// spans, of four services. Half of the trace ids begin with the time, as those of X-Ray do.
func serviceTraces(r *rand.Rand, resources, spans int) ptrace.Traces {
	const perTrace, services = 8, 4
	traces := ptrace.NewTraces()
	lists := make([]ptrace.SpanSlice, resources)
	for i := range lists {
		rs := traces.ResourceSpans().AppendEmpty()
		attributes := rs.Resource().Attributes()
		attributes.PutStr("service.name", fmt.Sprintf("checkout-%d", i))
		attributes.PutStr("service.namespace", "shop")
		attributes.PutStr("service.instance.id", fmt.Sprintf("%016x-%016x", r.Uint64(), r.Uint64()))
		attributes.PutStr("k8s.pod.name", fmt.Sprintf("checkout-7d9f8b6c5-%05d", i))
		attributes.PutStr("k8s.namespace.name", "shop")
		attributes.PutStr("k8s.node.name", fmt.Sprintf("ip-10-0-%d-%d.eu-central-1.compute.internal", i, i))
		attributes.PutStr("cloud.region", "eu-central-1")
		attributes.PutStr("telemetry.sdk.language", "java")
		attributes.PutStr("telemetry.sdk.version", "1.44.1")
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName("io.opentelemetry.spring-webmvc-6.0")
		ss.Scope().SetVersion("2.10.0-alpha")
		lists[i] = ss.Spans()
	}
	var id pcommon.TraceID
	var first [services]int
	for n := range spans {
		if n%perTrace == 0 {
			binary.BigEndian.PutUint64(id[:], r.Uint64())
			binary.BigEndian.PutUint64(id[8:], r.Uint64())
			if n%(2*perTrace) == 0 {
				binary.BigEndian.PutUint32(id[:], 1_790_000_000)
			}
			for i := range first {
				first[i] = r.IntN(resources)
			}
		}
		span := lists[first[n%services]].AppendEmpty()
		span.SetTraceID(id)
		var spanID pcommon.SpanID
		binary.BigEndian.PutUint64(spanID[:], r.Uint64())
		span.SetSpanID(spanID)
		span.SetParentSpanID(spanID)
		span.SetName("GET /api/v1/orders/{id}")
		span.SetKind(ptrace.SpanKindServer)
		span.SetStartTimestamp(pcommon.Timestamp(1_790_000_000_000_000_000 + n))
		span.SetEndTimestamp(pcommon.Timestamp(1_790_000_000_100_000_000 + n))
		span.Attributes().PutStr("http.request.method", "GET")
		span.Attributes().PutStr("url.path", fmt.Sprintf("/api/v1/orders/%d", r.IntN(1_000_000)))
		span.Attributes().PutStr("http.route", "/api/v1/orders/{id}")
		span.Attributes().PutInt("http.response.status_code", 200)
		span.Attributes().PutStr("server.address", "orders.shop.svc.cluster.local")
		span.Attributes().PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36")
		span.Attributes().PutInt("thread.id", int64(r.IntN(200)))
	}
	return traces
}

// BenchmarkTraceKeys puts the same spans into messages without keys and into buckets, in turn. The metric regroup-ns/span is by
// how much the second takes longer, at their fastest; bytes/plain compares the sizes of all messages.
func BenchmarkTraceKeys(b *testing.B) {
	for _, shape := range []struct{ resources, spans int }{{1, 8192}, {20, 1000}, {20, 8192}, {20, 50_000}, {100, 8192}} {
		traces := serviceTraces(rand.New(rand.NewPCG(1, 2)), shape.resources, shape.spans)
		plain := mustNew(b, usual(OTLPProto))
		for _, buckets := range []int{64, 1024} {
			config := usual(OTLPProto)
			config.Key = KeyConfig{TraceID: true, Buckets: buckets}
			keyed := mustNew(b, config)
			b.Run(fmt.Sprintf("%dx%d/%d", shape.resources, shape.spans, buckets), func(b *testing.B) {
				b.ReportAllocs()
				var sizes [2]int
				fastest := [2]time.Duration{time.Hour, time.Hour}
				for b.Loop() {
					for i, m := range []*Marshaler{plain, keyed} {
						start := time.Now()
						encoded, err := m.MarshalTraces(traces)
						fastest[i] = min(fastest[i], time.Since(start))
						require.NoError(b, err)
						sizes[i] = 0
						for _, message := range encoded.Messages {
							sizes[i] += len(message.Data)
						}
						encoded.Release()
					}
				}
				b.ReportMetric(float64((fastest[1]-fastest[0]).Nanoseconds())/float64(shape.spans), "regroup-ns/span")
				b.ReportMetric(float64(sizes[1])/float64(sizes[0]), "bytes/plain")
			})
		}
	}
}
