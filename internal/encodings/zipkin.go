// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package encodings

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/zipkin/zipkinv2"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// ZipkinProto returns spans as Zipkin's ListOfSpans in protobuf. It fails for spans that Zipkin lacks, such as one without ids.
func ZipkinProto(traces ptrace.Traces) ([]byte, error) {
	return zipkinv2.NewProtobufTracesMarshaler().MarshalTraces(scopesApart(traces))
}

// ZipkinJSON returns spans as a list in Zipkin's JSON, version 2, otherwise as ZipkinProto.
func ZipkinJSON(traces ptrace.Traces) ([]byte, error) {
	return zipkinv2.NewJSONTracesMarshaler().MarshalTraces(scopesApart(traces))
}

// scopesApart returns traces with one scope for each resource. The translator would give spans the attributes of the scopes that
// stand before their own. So what becomes of a span does not depend on the spans beside it.
func scopesApart(traces ptrace.Traces) ptrace.Traces {
	apart := ptrace.NewTraces()
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			own := apart.ResourceSpans().AppendEmpty()
			resource.Resource().CopyTo(own.Resource())
			scope.MoveTo(own.ScopeSpans().AppendEmpty())
		}
	}
	return apart
}
