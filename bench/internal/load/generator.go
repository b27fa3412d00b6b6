// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package load

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// generator makes telemetry of a shop: a few services, each of several instances, that call one another over HTTP.
type generator struct {
	random *rand.Rand
	clock  uint64 // nanoseconds after the epoch
}

// epoch is when the telemetry begins, in nanoseconds of Unix time.
const epoch = 1_790_000_000_000_000_000

// now returns a later time at each call.
func (g *generator) now() pcommon.Timestamp {
	g.clock += 1 + g.random.Uint64N(2_000_000)
	return pcommon.Timestamp(epoch + g.clock)
}

// pick returns one of the words.
func (g *generator) pick(words ...string) string { return words[g.random.IntN(len(words))] }

// resource fills in six attributes, about 250 bytes.
func (g *generator) resource(r pcommon.Resource) {
	service := g.pick("checkout", "cart", "catalog", "payment", "shipping", "frontend")
	pod := fmt.Sprintf("%s-%08x-%05x", service, g.random.Uint32(), g.random.Uint32()>>12)
	a := r.Attributes()
	a.PutStr("service.name", service)
	a.PutStr("service.version", fmt.Sprintf("2.%d.%d", g.random.IntN(4), g.random.IntN(10)))
	a.PutStr("deployment.environment.name", "production")
	a.PutStr("cloud.region", g.pick("eu-west-1", "eu-central-1"))
	a.PutStr("k8s.pod.name", pod)
	a.PutStr("host.name", fmt.Sprintf("ip-10-%d-%d-%d.internal", g.random.IntN(4), g.random.IntN(256), g.random.IntN(256)))
}

// path returns the path of an HTTP request.
func (g *generator) path() string {
	return fmt.Sprintf("/api/v1/%s/%d", g.pick("orders", "carts", "products", "payments"), g.random.IntN(1_000_000))
}

func (g *generator) traceID() (id pcommon.TraceID) {
	binary.LittleEndian.PutUint64(id[:8], g.random.Uint64())
	binary.LittleEndian.PutUint64(id[8:], g.random.Uint64())
	return id
}

func (g *generator) spanID() (id pcommon.SpanID) {
	binary.LittleEndian.PutUint64(id[:], g.random.Uint64())
	return id
}

func (g *generator) logs(s Shape) plog.Logs {
	logs := plog.NewLogs()
	for range s.Resources {
		resource := logs.ResourceLogs().AppendEmpty()
		g.resource(resource.Resource())
		scope := resource.ScopeLogs().AppendEmpty()
		scope.Scope().SetName("shop/http")
		for range s.Items {
			g.logRecord(scope.LogRecords().AppendEmpty())
		}
	}
	return logs
}

// logRecord fills in what an access log says, about 300 bytes.
func (g *generator) logRecord(r plog.LogRecord) {
	method, path, millis := g.pick("GET", "GET", "GET", "POST"), g.path(), g.random.IntN(900)
	r.SetTimestamp(g.now())
	r.SetObservedTimestamp(g.now())
	r.SetSeverityNumber(plog.SeverityNumberInfo)
	r.SetSeverityText("INFO")
	r.SetTraceID(g.traceID())
	r.SetSpanID(g.spanID())
	r.Body().SetStr(fmt.Sprintf("%s %s completed in %d ms for user %06d", method, path, millis, g.random.IntN(1_000_000)))
	a := r.Attributes()
	a.PutStr("http.request.method", method)
	a.PutStr("url.path", path)
	a.PutInt("http.response.status_code", []int64{200, 200, 200, 201, 404}[g.random.IntN(5)])
	a.PutInt("http.response.body.size", g.random.Int64N(100_000))
	a.PutStr("client.address", fmt.Sprintf("203.0.113.%d", g.random.IntN(256)))
}

func (g *generator) traces(s Shape) ptrace.Traces {
	traces := ptrace.NewTraces()
	for range s.Resources {
		resource := traces.ResourceSpans().AppendEmpty()
		g.resource(resource.Resource())
		scope := resource.ScopeSpans().AppendEmpty()
		scope.Scope().SetName("shop/http")
		for range s.Items {
			g.span(scope.Spans().AppendEmpty())
		}
	}
	return traces
}

// span fills in a call of a server, about 310 bytes.
func (g *generator) span(s ptrace.Span) {
	method, path, start := g.pick("GET", "GET", "GET", "POST"), g.path(), g.now()
	s.SetTraceID(g.traceID())
	s.SetSpanID(g.spanID())
	s.SetParentSpanID(g.spanID())
	s.SetName(method + " /api/v1/{collection}/{id}")
	s.SetKind(ptrace.SpanKindServer)
	s.SetStartTimestamp(start)
	s.SetEndTimestamp(start + pcommon.Timestamp(g.random.Uint64N(900_000_000)))
	a := s.Attributes()
	a.PutStr("http.request.method", method)
	a.PutStr("url.path", path)
	a.PutStr("http.route", "/api/v1/{collection}/{id}")
	a.PutInt("http.response.status_code", []int64{200, 200, 200, 201, 404}[g.random.IntN(5)])
	a.PutStr("client.address", fmt.Sprintf("203.0.113.%d", g.random.IntN(256)))
	a.PutInt("server.port", 8080)
}

// pointsPerMetric is how many attribute sets a metric is reported for.
const pointsPerMetric = 5

func (g *generator) metrics(s Shape) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	for range s.Resources {
		resource := metrics.ResourceMetrics().AppendEmpty()
		g.resource(resource.Resource())
		scope := resource.ScopeMetrics().AppendEmpty()
		scope.Scope().SetName("shop/http")
		for range s.Items / pointsPerMetric {
			g.metric(scope.Metrics().AppendEmpty())
		}
	}
	return metrics
}

// metric fills in a counter or a histogram, about 200 bytes a data point.
func (g *generator) metric(m pmetric.Metric) {
	m.SetName("http.server." + g.pick("request.duration", "request.size", "response.size", "active_requests"))
	if g.random.IntN(2) == 0 {
		m.SetUnit("1")
		sum := m.SetEmptySum()
		sum.SetIsMonotonic(true)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		for range pointsPerMetric {
			p := sum.DataPoints().AppendEmpty()
			p.SetStartTimestamp(epoch)
			p.SetTimestamp(g.now())
			p.SetIntValue(g.random.Int64N(1_000_000))
			g.route(p.Attributes())
		}
		return
	}
	m.SetUnit("ms")
	histogram := m.SetEmptyHistogram()
	histogram.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for range pointsPerMetric {
		p := histogram.DataPoints().AppendEmpty()
		p.SetStartTimestamp(epoch)
		p.SetTimestamp(g.now())
		p.ExplicitBounds().FromRaw([]float64{5, 10, 25, 50, 100, 250, 500, 1000})
		for range 9 {
			n := g.random.Uint64N(10_000)
			p.BucketCounts().Append(n)
			p.SetCount(p.Count() + n)
		}
		p.SetSum(g.random.Float64() * 1e6)
		g.route(p.Attributes())
	}
}

// route fills in the attributes of a data point.
func (g *generator) route(a pcommon.Map) {
	a.PutStr("http.request.method", g.pick("GET", "POST"))
	a.PutStr("http.route", "/api/v1/"+g.pick("orders", "carts", "products", "payments")+"/{id}")
	a.PutInt("http.response.status_code", []int64{200, 201, 404, 500}[g.random.IntN(4)])
}
