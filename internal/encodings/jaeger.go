// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package encodings

import (
	"bytes"
	"errors"

	"github.com/gogo/protobuf/jsonpb"
	"github.com/jaegertracing/jaeger-idl/model/v1"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/jaeger"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var errNoSpan = errors.New("the span does not exist in Jaeger")

// JaegerProto returns the first span as Jaeger's model.Span in protobuf. The span has its process, so it needs nothing around it.
func JaegerProto(traces ptrace.Traces) ([]byte, error) {
	span, err := jaegerSpan(traces)
	if err != nil {
		return nil, err
	}
	return span.Marshal()
}

// JaegerJSON returns the first span as Jaeger's model.Span in JSON, otherwise as JaegerProto.
func JaegerJSON(traces ptrace.Traces) ([]byte, error) {
	span, err := jaegerSpan(traces)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	var m jsonpb.Marshaler
	err = m.Marshal(&out, span)
	return out.Bytes(), err
}

func jaegerSpan(traces ptrace.Traces) (*model.Span, error) {
	batches := jaeger.ProtoFromTraces(traces)
	if len(batches) == 0 || len(batches[0].Spans) == 0 {
		return nil, errNoSpan
	}
	span := batches[0].Spans[0]
	span.Process = batches[0].Process
	return span, nil
}
