// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"math"
	"math/rand/v2"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// random makes pdata of all shapes, without empty containers.
type random struct {
	*rand.Rand

	// broken are texts of which a tenth of all strings is made. They may have invalid UTF-8.
	broken []string
	// hashKeys puts hash keys into attributes, some of which are none.
	hashKeys bool
}

func newRandom(seed uint64) random { return random{Rand: rand.New(rand.NewPCG(seed, 42))} }

var texts = []string{
	"", "a", "service.name", "zwölf Boxkämpfer", "日本語のテキスト", "🦔🚀", `quotes " and \ slashes \"`, "{[}],:\n\t",
	`\\`, "\u2028<script>&", `{"resourceLogs":[{"scopeLogs":[]}]}`, strings.Repeat("x", 127), strings.Repeat("y", 128),
	strings.Repeat("long ", 100),
}

func (r random) text() string {
	if len(r.broken) > 0 && r.IntN(10) == 0 {
		return r.broken[r.IntN(len(r.broken))]
	}
	return texts[r.IntN(len(texts))]
}

func (r random) often() bool { return r.IntN(4) > 0 }
func (r random) few() int    { return 1 + r.IntN(4) }

func (r random) many() int {
	if r.IntN(6) == 0 {
		return 1 + r.IntN(30)
	}
	return r.few()
}

func (r random) time() pcommon.Timestamp {
	return pcommon.Timestamp(r.Uint64N(3) * r.Uint64N(math.MaxInt64))
}

func (r random) value(v pcommon.Value, depth int) {
	switch n := r.IntN(8); {
	case n == 0:
	case n == 1:
		v.SetInt(r.Int64() - r.Int64())
	case n == 2:
		v.SetBool(r.often())
	case n == 3:
		v.SetDouble([]float64{0, -1.5, math.Inf(1), math.MaxFloat64, r.Float64()}[r.IntN(5)])
	case n == 4:
		v.SetEmptyBytes().FromRaw([]byte(r.text()))
	case n == 5 && depth < 4:
		for s := v.SetEmptySlice(); s.Len() < r.IntN(3); {
			r.value(s.AppendEmpty(), depth+1)
		}
	case n == 6 && depth < 4:
		r.attributes(v.SetEmptyMap(), depth+1)
	default:
		v.SetStr(r.text())
	}
}

func (r random) attributes(m pcommon.Map, depth int) {
	for range r.IntN(4) {
		r.value(m.PutEmpty(r.text()), depth)
	}
	if r.hashKeys && r.IntN(8) == 0 {
		m.PutStr("place", hashKeyTexts[r.IntN(len(hashKeyTexts))])
	}
}

// hashKeyTexts are hash keys, and some that are none.
var hashKeyTexts = []string{"0", "000", "1", maxHashKey, "340282366920938463463374607431768211456", "", "-1", "a"}

func (r random) resource(res pcommon.Resource) {
	r.attributes(res.Attributes(), 0)
	if r.often() {
		res.Attributes().PutStr("tenant", texts[r.IntN(3)])
	}
	res.SetDroppedAttributesCount(r.Uint32N(3))
}

func (r random) scope(scope pcommon.InstrumentationScope) {
	scope.SetName(r.text())
	scope.SetVersion(r.text())
	r.attributes(scope.Attributes(), 0)
}

func (r random) traceID() (id pcommon.TraceID) {
	if r.often() {
		for i := range id {
			id[i] = byte(r.Uint32())
		}
	}
	return id
}

func (r random) spanID() (id pcommon.SpanID) {
	if r.often() {
		for i := range id {
			id[i] = byte(r.Uint32())
		}
	}
	return id
}

// joinable returns data of the signals whose messages may be appended to each other.
func (r random) joinable() []telemetry {
	return []telemetry{logsData{r.logs()}, tracesData{r.traces()}, metricsData{r.metrics()}}
}

func (r random) all() []telemetry {
	return append(r.joinable(), profilesData{r.profiles()})
}

func (r random) logs() plog.Logs {
	logs := plog.NewLogs()
	for range r.few() {
		rl := logs.ResourceLogs().AppendEmpty()
		r.resource(rl.Resource())
		rl.SetSchemaUrl(r.text())
		for range r.few() {
			sl := rl.ScopeLogs().AppendEmpty()
			r.scope(sl.Scope())
			sl.SetSchemaUrl(r.text())
			for range r.many() {
				lr := sl.LogRecords().AppendEmpty()
				lr.SetTimestamp(r.time())
				lr.SetObservedTimestamp(r.time())
				lr.SetSeverityNumber(plog.SeverityNumber(r.Int32N(25)))
				lr.SetSeverityText(r.text())
				lr.SetEventName(r.text())
				lr.SetFlags(plog.LogRecordFlags(r.Uint32N(2)))
				lr.SetTraceID(r.traceID())
				lr.SetSpanID(r.spanID())
				r.value(lr.Body(), 0)
				r.attributes(lr.Attributes(), 0)
			}
		}
	}
	return logs
}

func (r random) traces() ptrace.Traces {
	traces := ptrace.NewTraces()
	for range r.few() {
		rs := traces.ResourceSpans().AppendEmpty()
		r.resource(rs.Resource())
		rs.SetSchemaUrl(r.text())
		for range r.few() {
			ss := rs.ScopeSpans().AppendEmpty()
			r.scope(ss.Scope())
			ss.SetSchemaUrl(r.text())
			for range r.many() {
				r.span(ss.Spans().AppendEmpty())
			}
		}
	}
	return traces
}

func (r random) span(s ptrace.Span) {
	s.SetTraceID(r.traceID())
	s.SetSpanID(r.spanID())
	s.SetParentSpanID(r.spanID())
	s.TraceState().FromRaw(r.text())
	s.SetName(r.text())
	s.SetKind(ptrace.SpanKind(r.Int32N(6)))
	s.SetStartTimestamp(r.time())
	s.SetEndTimestamp(r.time())
	s.SetFlags(r.Uint32N(3))
	s.Status().SetCode(ptrace.StatusCode(r.Int32N(3)))
	s.Status().SetMessage(r.text())
	r.attributes(s.Attributes(), 0)
	for range r.IntN(3) {
		event := s.Events().AppendEmpty()
		event.SetName(r.text())
		event.SetTimestamp(r.time())
		r.attributes(event.Attributes(), 0)
		link := s.Links().AppendEmpty()
		link.SetTraceID(r.traceID())
		link.SetSpanID(r.spanID())
		r.attributes(link.Attributes(), 0)
	}
}

func (r random) metrics() pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	for range r.few() {
		rm := metrics.ResourceMetrics().AppendEmpty()
		r.resource(rm.Resource())
		rm.SetSchemaUrl(r.text())
		for range r.few() {
			sm := rm.ScopeMetrics().AppendEmpty()
			r.scope(sm.Scope())
			sm.SetSchemaUrl(r.text())
			for range r.few() {
				m := sm.Metrics().AppendEmpty()
				m.SetName(r.text())
				m.SetDescription(r.text())
				m.SetUnit(r.text())
				r.attributes(m.Metadata(), 0)
				r.points(m)
			}
		}
	}
	return metrics
}

func (r random) points(m pmetric.Metric) {
	temporality := pmetric.AggregationTemporality(r.Int32N(3))
	switch r.IntN(5) {
	case 0:
		for points := m.SetEmptyGauge().DataPoints(); points.Len() < r.many(); {
			r.number(points.AppendEmpty())
		}
	case 1:
		m.SetEmptySum().SetIsMonotonic(r.often())
		m.Sum().SetAggregationTemporality(temporality)
		for range r.many() {
			r.number(m.Sum().DataPoints().AppendEmpty())
		}
	case 2:
		m.SetEmptyHistogram().SetAggregationTemporality(temporality)
		for range r.many() {
			r.histogram(m.Histogram().DataPoints().AppendEmpty())
		}
	case 3:
		m.SetEmptyExponentialHistogram().SetAggregationTemporality(temporality)
		for range r.many() {
			r.exponential(m.ExponentialHistogram().DataPoints().AppendEmpty())
		}
	case 4:
		m.SetEmptySummary()
		for range r.many() {
			p := m.Summary().DataPoints().AppendEmpty()
			p.SetTimestamp(r.time())
			p.SetCount(r.Uint64())
			p.SetSum(r.Float64())
			r.attributes(p.Attributes(), 0)
			for range r.IntN(3) {
				q := p.QuantileValues().AppendEmpty()
				q.SetQuantile(r.Float64())
				q.SetValue(r.Float64())
			}
		}
	}
}

func (r random) number(p pmetric.NumberDataPoint) {
	p.SetTimestamp(r.time())
	p.SetStartTimestamp(r.time())
	r.attributes(p.Attributes(), 0)
	switch r.IntN(3) {
	case 0:
		p.SetIntValue(r.Int64())
	case 1:
		p.SetDoubleValue(r.Float64())
	}
	r.exemplars(p.Exemplars())
}

func (r random) exemplars(list pmetric.ExemplarSlice) {
	for range r.IntN(3) {
		e := list.AppendEmpty()
		e.SetTimestamp(r.time())
		e.SetDoubleValue(r.Float64())
		e.SetTraceID(r.traceID())
		e.SetSpanID(r.spanID())
		r.attributes(e.FilteredAttributes(), 0)
	}
}

func (r random) histogram(p pmetric.HistogramDataPoint) {
	p.SetTimestamp(r.time())
	p.SetCount(r.Uint64())
	p.SetSum(r.Float64())
	p.SetMin(r.Float64())
	p.SetMax(r.Float64())
	p.BucketCounts().FromRaw([]uint64{1, 0, math.MaxUint64})
	p.ExplicitBounds().FromRaw([]float64{0.5, 1e300})
	r.attributes(p.Attributes(), 0)
	r.exemplars(p.Exemplars())
}

func (r random) exponential(p pmetric.ExponentialHistogramDataPoint) {
	p.SetTimestamp(r.time())
	p.SetCount(r.Uint64())
	p.SetSum(r.Float64())
	p.SetScale(r.Int32N(20) - 10)
	p.SetZeroCount(r.Uint64N(5))
	p.SetZeroThreshold(r.Float64())
	p.Positive().SetOffset(r.Int32N(9) - 4)
	p.Positive().BucketCounts().FromRaw([]uint64{1, 2, 3})
	p.Negative().BucketCounts().FromRaw([]uint64{4})
	r.attributes(p.Attributes(), 0)
	r.exemplars(p.Exemplars())
}
