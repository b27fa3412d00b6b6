// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// maxCallSpans is how many spans of calls a push makes at most. More would say nothing new.
const maxCallSpans = 100

// callSpans makes a span of each PutRecords call that had messages of a push in it, below the span of the push. So they are
// sampled as the push is. A call has messages of several pushes, and a span below each of those.
type callSpans struct {
	tracer trace.Tracer
}

// made tells what calls were made for the messages with the results, which have all ended.
func (s callSpans) made(ctx context.Context, messages []*message, results []kpl.Result, streamOf func(*message) string) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return
	}
	calls := map[callKey]*call{}
	var order []*call
	for i, result := range results {
		for j := range result.Attempts {
			a := &result.Attempts[j]
			key := callKey{streamOf(messages[i]), a.Start, a.RequestID}
			c := calls[key]
			if c == nil {
				if len(order) == maxCallSpans {
					continue
				}
				c = &call{stream: key.stream, attempt: a}
				calls[key] = c
				order = append(order, c)
			}
			c.messages++
			if a.Code != "" {
				c.failed++
				c.code = a.Code
			}
		}
	}
	for _, c := range order {
		s.end(ctx, c)
	}
}

// callKey tells one call from another.
type callKey struct {
	stream    string
	start     time.Time
	requestID string
}

// call is what a push knows of a call.
type call struct {
	stream           string
	attempt          *kpl.Attempt
	messages, failed int    // of the push
	code             string // of one that failed
}

// end makes the span of a call.
func (s callSpans) end(ctx context.Context, c *call) {
	_, span := s.tracer.Start(ctx, "PutRecords", trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(c.attempt.Start),
		trace.WithAttributes(
			attribute.String("rpc.system.name", "aws-api"),
			attribute.String("rpc.method", "Kinesis/PutRecords"),
			attribute.String("aws.kinesis.stream_name", streamLabel(c.stream)),
			attribute.String("aws.request_id", c.attempt.RequestID),
			attribute.Int("kinesis_kpl.messages", c.messages),
			attribute.Int("kinesis_kpl.messages.failed", c.failed),
		))
	if c.code != "" {
		span.SetAttributes(attribute.String("error.type", c.code))
		span.SetStatus(codes.Error, c.code)
	}
	span.End(trace.WithTimestamp(c.attempt.End))
}
