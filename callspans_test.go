// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// spansOf returns the spans of calls, and the id of the span that they are below.
func spansOf(t *testing.T, r *rig) (calls []sdktrace.ReadOnlySpan) {
	t.Helper()
	var push sdktrace.ReadOnlySpan
	for _, span := range r.telemetry.SpanRecorder.Ended() {
		switch span.Name() {
		case "PutRecords":
			calls = append(calls, span)
		case "exporter/kinesis_kpl/logs":
			push = span
		}
	}
	require.NotNil(t, push)
	for _, call := range calls {
		assert.Equal(t, push.SpanContext().SpanID(), call.Parent().SpanID())
		assert.Equal(t, push.SpanContext().TraceID(), call.SpanContext().TraceID())
	}
	return calls
}

// A push has a span of each call that had messages of it, from the call to its answer.
func TestSpansOfCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), directConfig()
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(30*time.Millisecond)))
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Times(1, kpltest.FailCall(kpltest.CodeInternalFailure))))
		e := startLogs(t, k, c)
		start := time.Now()
		require.NoError(t, e.ConsumeLogs(t.Context(), oneResource("", 3)))
		e.stop(t)
		calls := spansOf(t, e)
		require.Len(t, calls, 2)
		for i, want := range []struct {
			failed int
			status codes.Code
		}{{1, codes.Error}, {0, codes.Unset}} {
			call := calls[i]
			assert.Equal(t, want.status, call.Status().Code)
			assert.Equal(t, 30*time.Millisecond, call.EndTime().Sub(call.StartTime()))
			assert.Contains(t, call.Attributes(), attribute.String("aws.kinesis.stream_name", testStream))
			assert.Contains(t, call.Attributes(), attribute.Int("kinesis_kpl.messages", 1))
			assert.Contains(t, call.Attributes(), attribute.Int("kinesis_kpl.messages.failed", want.failed))
		}
		assert.Equal(t, start, calls[0].StartTime())
		assert.Contains(t, calls[0].Attributes(), attribute.String("error.type", kpltest.CodeInternalFailure))
	})
}
