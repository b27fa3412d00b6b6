// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package encodings

import (
	"math"
	"testing"

	"github.com/gogo/protobuf/jsonpb"
	"github.com/jaegertracing/jaeger-idl/model/v1"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/jaeger"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/zipkin/zipkinv2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func TestRaw(t *testing.T) {
	for _, tt := range []struct {
		name string
		body any
		want string
	}{
		{"text", `a "line" <b> é`, `a "line" <b> é`},
		{"bytes", []byte{0, 1, 0xff}, "\x00\x01\xff"},
		{"bool", true, "true"},
		{"int", int64(math.MaxInt64), "9223372036854775807"},
		{"double", 1.5, "1.5"},
		{"not a number", math.NaN(), `"NaN"`},
		{"list", []any{"a", int64(1), nil, math.Inf(1)}, `["a",1,null,"+Inf"]`},
		{
			"map",
			map[string]any{"b": "<&>", "a": map[string]any{"x": math.Inf(-1), "y": []byte("hi")}},
			`{"a":{"x":"-Inf","y":"aGk="},"b":"<&>"}`,
		},
		{"empty text", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			logs := plog.NewLogs()
			record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
			require.NoError(t, record.Body().FromRaw(tt.body))
			record.Attributes().PutStr("lost", "in raw")
			data, err := Raw(logs)
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(data))
		})
	}
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	_, err := Raw(logs)
	assert.ErrorIs(t, err, errNoBody)
}

// spans returns spans of two resources with two scopes each.
func spans(count int) ptrace.Traces {
	traces := ptrace.NewTraces()
	for i := range count {
		if i%4 == 0 {
			resource := traces.ResourceSpans().AppendEmpty().Resource().Attributes()
			resource.PutStr("service.name", []string{"shop", "cart"}[i/4%2])
			resource.PutInt("pid", int64(i))
		}
		resource := traces.ResourceSpans().At(traces.ResourceSpans().Len() - 1)
		if i%2 == 0 {
			scope := resource.ScopeSpans().AppendEmpty().Scope()
			scope.SetName([]string{"lib a", "lib b"}[i/2%2])
			if i/2%2 == 0 {
				scope.Attributes().PutStr("only", "in the first scope")
			}
		}
		span := resource.ScopeSpans().At(resource.ScopeSpans().Len() - 1).Spans().AppendEmpty()
		span.SetTraceID(pcommon.TraceID{1, 15: byte(i + 1)})
		span.SetSpanID(pcommon.SpanID{7: byte(i + 1)})
		span.SetName("GET /")
		span.SetKind(ptrace.SpanKind(1 + i%5))
		span.SetStartTimestamp(1_700_000_000_000_000_000)
		span.SetEndTimestamp(1_700_000_000_001_000_000)
		span.Attributes().PutStr("user", "äöü")
		span.Status().SetCode(ptrace.StatusCodeError)
		span.Status().SetMessage("no")
	}
	return traces
}

// oneSpan returns one of the spans with what is around it.
func oneSpan(i int) ptrace.Traces {
	traces, n := spans(i+1), -1
	traces.ResourceSpans().RemoveIf(func(resource ptrace.ResourceSpans) bool {
		resource.ScopeSpans().RemoveIf(func(scope ptrace.ScopeSpans) bool {
			scope.Spans().RemoveIf(func(ptrace.Span) bool { n++; return n != i })
			return scope.Spans().Len() == 0
		})
		return resource.ScopeSpans().Len() == 0
	})
	return traces
}

// Jaeger's own decoders read the messages, and its translator makes of them what it makes of the traces.
func TestJaeger(t *testing.T) {
	for i := range 8 {
		want := jaeger.ProtoFromTraces(oneSpan(i))[0]
		process := want.Process
		original, err := jaeger.ProtoToTraces([]*model.Batch{want}) // it takes tags out of the batch
		require.NoError(t, err)
		data, err := JaegerProto(oneSpan(i))
		require.NoError(t, err)
		text, err := JaegerJSON(oneSpan(i))
		require.NoError(t, err)
		var fromProto, fromJSON model.Span
		require.NoError(t, fromProto.Unmarshal(data))
		require.NoError(t, jsonpb.UnmarshalString(string(text), &fromJSON))
		for _, span := range []*model.Span{&fromProto, &fromJSON} {
			assert.Equal(t, process, span.Process)
			back, err := jaeger.ProtoToTraces([]*model.Batch{{Process: span.Process, Spans: []*model.Span{span}}})
			require.NoError(t, err)
			assert.Equal(t, jsonText(t, original), jsonText(t, back))
		}
	}
	_, err := JaegerProto(ptrace.NewTraces())
	require.ErrorIs(t, err, errNoSpan)
	_, err = JaegerJSON(ptrace.NewTraces())
	require.ErrorIs(t, err, errNoSpan)
}

func jsonText(t *testing.T, traces ptrace.Traces) string {
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
	require.NoError(t, err)
	return string(text)
}

// Zipkin's decoders read the messages. A span is the same, whatever spans are beside it.
func TestZipkin(t *testing.T) {
	for name, c := range map[string]struct {
		encode func(ptrace.Traces) ([]byte, error)
		decode ptrace.Unmarshaler
	}{
		"proto": {ZipkinProto, zipkinv2.NewProtobufTracesUnmarshaler(false, false)},
		"json":  {ZipkinJSON, zipkinv2.NewJSONTracesUnmarshaler(false)},
	} {
		t.Run(name, func(t *testing.T) {
			together := spansByID(t, c.encode, c.decode, spans(16))
			require.Len(t, together, 16)
			for i := range 16 {
				alone := spansByID(t, c.encode, c.decode, oneSpan(i))
				require.Len(t, alone, 1)
				for id, span := range alone {
					assert.Equal(t, span, together[id])
					assert.Equal(t, "äöü", span.attributes["user"])
					assert.Equal(t, i/2%2 == 0, span.attributes["only"] != nil)
				}
			}
			nameless := spans(1)
			nameless.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetTraceID(pcommon.TraceID{})
			_, err := c.encode(nameless)
			require.ErrorContains(t, err, "TraceID is invalid")
		})
	}
}

// readSpan is what a reader of Zipkin sees of a span.
type readSpan struct {
	resource, attributes map[string]any
	scope, name, status  string
	id, parent           pcommon.SpanID
	kind                 ptrace.SpanKind
	begin, end           pcommon.Timestamp
}

// spansByID encodes and decodes traces.
func spansByID(
	t *testing.T, encode func(ptrace.Traces) ([]byte, error), decode ptrace.Unmarshaler, traces ptrace.Traces,
) map[pcommon.TraceID]readSpan {
	data, err := encode(traces)
	require.NoError(t, err)
	read, err := decode.UnmarshalTraces(data)
	require.NoError(t, err)
	found := map[pcommon.TraceID]readSpan{}
	for _, resource := range read.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				found[span.TraceID()] = readSpan{
					resource: resource.Resource().Attributes().AsRaw(), attributes: span.Attributes().AsRaw(),
					scope: scope.Scope().Name(), name: span.Name(), status: span.Status().Message(),
					id: span.SpanID(), parent: span.ParentSpanID(), kind: span.Kind(),
					begin: span.StartTimestamp(), end: span.EndTimestamp(),
				}
			}
		}
	}
	return found
}
