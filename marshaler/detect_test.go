// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/encoding/protowire"
)

func TestDetectWhatPdataWrites(t *testing.T) {
	for _, encoding := range bothEncodings {
		m := mustNew(t, usual(encoding))
		for seed := range uint64(40) {
			for _, d := range newRandom(seed).all() {
				d.(interface{ identify() }).identify()
				signal, found, ok := Detect(d.whole(t, m))
				assert.True(t, ok, "%s, seed %d", d.signal(), seed)
				assert.Equal(t, d.signal(), signal, "seed %d", seed)
				assert.Equal(t, encoding, found)
			}
		}
	}
}

// identify gives one item what OTLP requires of every item.
func (d logsData) identify() {
	d.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetObservedTimestamp(1_790_000_000_000_000_000)
}

func (d tracesData) identify() {
	d.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetSpanID(pcommon.SpanID{1})
}

func (d metricsData) identify() {
	d.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).SetName("requests")
}

func (profilesData) identify() {} // its dictionary does

// requestOf makes the protobuf of a request with the items.
func requestOf(items ...[]byte) []byte {
	var scope []byte
	for _, item := range items {
		scope = append(scope, bytesField(2, item)...)
	}
	return bytesField(1, bytesField(2, scope))
}

func bytesField(number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), content)
}

func fixed64Field(number protowire.Number) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(nil, number, protowire.Fixed64Type), 1_790_000_000_000_000_000)
}

func join(parts ...[]byte) (all []byte) {
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

func TestDetect(t *testing.T) {
	text := func(number protowire.Number, s string) []byte { return bytesField(number, []byte(s)) }
	point := bytesField(1, fixed64Field(3))
	pointAt0 := bytesField(1, append([]byte{0x19}, make([]byte, 8)...)) // valid UTF-8
	spanIDs := join(text(1, "0123456789abcdef"), text(2, "01234567"))
	body := bytesField(5, text(1, "hello"))
	tests := []struct {
		name   string
		data   []byte
		signal Signal
		found  Encoding
		ok     bool
	}{
		{"nothing", nil, 0, OTLPProto, false},
		{"text", []byte("hello world"), 0, OTLPProto, false},
		{"no items", requestOf(), 0, OTLPProto, false},

		{"log by its time", requestOf(join(fixed64Field(1), body)), Logs, OTLPProto, true},
		{"log by its observed time", requestOf(fixed64Field(11)), Logs, OTLPProto, true},
		{"log with only a body", requestOf(body), 0, OTLPProto, false},
		{"second log decides", requestOf(body, fixed64Field(1)), Logs, OTLPProto, true},

		{"span by its time", requestOf(join(spanIDs, text(5, "GET /"), fixed64Field(7))), Traces, OTLPProto, true},
		{"span by its identifiers", requestOf(join(spanIDs, text(5, "GET /"))), Traces, OTLPProto, true},
		{"span with only a name", requestOf(text(5, "GET /")), 0, OTLPProto, false},

		{"gauge", requestOf(join(text(1, "m"), bytesField(5, point))), Metrics, OTLPProto, true},
		{"metric that looks like a span", requestOf(join(spanIDs, bytesField(5, point))), Metrics, OTLPProto, true},
		{"metric that could be a span with an odd name", requestOf(join(spanIDs, bytesField(5, pointAt0))), Metrics, OTLPProto, true},
		{"sum", requestOf(join(text(1, "m"), bytesField(7, join(point, []byte{0x10, 2, 0x18, 1})))), Metrics, OTLPProto, true},
		{"histogram", requestOf(join(text(1, "m"), bytesField(9, point))), Metrics, OTLPProto, true},
		{"exponential histogram", requestOf(join(text(1, "m"), bytesField(10, point))), Metrics, OTLPProto, true},
		{"summary", requestOf(join(text(1, "m"), bytesField(11, point))), Metrics, OTLPProto, true},
		{"metric without points", requestOf(join(text(1, "m"), text(5, ""))), 0, OTLPProto, false},
		{"metric without a name", requestOf(bytesField(5, point)), 0, OTLPProto, false},

		{"profile", join(requestOf(text(7, "0123456789abcdef")), bytesField(2, text(5, ""))), Profiles, OTLPProto, true},
		{"profile with an empty dictionary", join(requestOf(nil), bytesField(2, nil)), Profiles, OTLPProto, true},
		{"profile without a dictionary", requestOf(text(7, "0123456789abcdef")), 0, OTLPProto, false},
		{"dictionary that is none", join(requestOf(nil), bytesField(2, []byte{0x08, 0x01})), 0, OTLPProto, false},
		{"log with a dictionary", join(requestOf(join(fixed64Field(1), body)), bytesField(2, nil)), 0, OTLPProto, false},

		{"signals mixed", requestOf(fixed64Field(1), join(spanIDs, fixed64Field(7))), Logs, OTLPProto, true},
		{"signals mixed before it is clear", requestOf(body, join(text(1, "m"), bytesField(7, point))), 0, OTLPProto, false},
		{"none of them", requestOf(join(fixed64Field(1), fixed64Field(7))), 0, OTLPProto, false},
		{"item malformed", requestOf([]byte{0x0a, 0x7f}), 0, OTLPProto, false},
		{"cut off", requestOf(fixed64Field(1), fixed64Field(1))[:20], 0, OTLPProto, false},
		{"garbage behind", append(requestOf(fixed64Field(1)), 0xff), 0, OTLPProto, false},

		{"json logs", []byte(`{"resourceLogs":[]}`), Logs, OTLPJSON, true},
		{"json traces", []byte(` { "x" : 1, "resourceSpans" : [ ] } `), Traces, OTLPJSON, true},
		{"json metrics", []byte(`{"resourceMetrics":[{"a":"\""}],"x":{}}`), Metrics, OTLPJSON, true},
		{"json profiles", []byte(`{"resourceProfiles":[],"dictionary":{}}`), Profiles, OTLPJSON, true},
		{"json without a signal", []byte(`{"a":{"resourceLogs":[]}}`), 0, OTLPJSON, false},
		{"json of two signals", []byte(`{"resourceLogs":[],"resourceSpans":[]}`), 0, OTLPJSON, false},
		{"json of no list", []byte(`{"resourceLogs":1}`), 0, OTLPJSON, false},
		{"json cut off", []byte(`{"resourceLogs":[{}`), 0, OTLPJSON, false},
		{"json and more", []byte(`{"resourceLogs":[]}x`), 0, OTLPJSON, false},
		{"json without colon", []byte(`{"resourceLogs"}`), 0, OTLPJSON, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			signal, found, ok := Detect(test.data)
			assert.Equal(t, test.ok, ok)
			assert.Equal(t, test.found, found)
			if test.ok {
				assert.Equal(t, test.signal, signal)
			}
		})
	}
}

// Items with as few fields as pdata can write.
func TestDetectBareItems(t *testing.T) {
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	traces := ptrace.NewTraces()
	traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	metrics := pmetric.NewMetrics()
	metric := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("m")
	metric.SetEmptySummary().DataPoints().AppendEmpty()
	for _, encoding := range bothEncodings {
		m := mustNew(t, usual(encoding))
		for _, d := range []telemetry{logsData{logs}, tracesData{traces}, metricsData{metrics}} {
			signal, found, ok := Detect(d.whole(t, m))
			assert.True(t, ok, d.signal())
			assert.Equal(t, d.signal(), signal)
			assert.Equal(t, encoding, found)
		}
	}
}
