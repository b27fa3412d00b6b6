// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// addItems makes a message of each item of one in OTLP, which it takes over. Most items need no OTLP of their own: it is made of
// those that fail or fit no message, and if messages keep it.
func (f *foreign) addItems(made *Encoded, signal Signal, m Message) {
	pdata, err := f.otlp.codec.decode(signal, m.Data)
	if err != nil || f.KeepOTLP || signal != Logs && signal != Traces {
		f.addParts(made, signal, m, 1)
		return
	}
	m.Release()
	item := m
	item.Items = 1
	add := func(one any) {
		if data, err := f.call(one); err == nil && len(data) > 0 {
			b, size := f.finish(&item, data)
			if size <= f.limit {
				made.Messages = append(made.Messages, f.message(item, b))
				return
			}
			b.release()
		}
		otlp, err := f.otlp.codec.encode(one)
		if err != nil {
			f.fail(made, signal, item, err)
			return
		}
		alone := item
		alone.Data = otlp
		f.add(made, signal, alone)
	}
	switch pdata := pdata.(type) {
	case plog.Logs:
		eachLog(pdata, func(one plog.Logs) { add(one) })
	case ptrace.Traces:
		eachSpan(pdata, func(one ptrace.Traces) { add(one) })
	}
}

// eachLog calls visit for each log record alone, with its resource and scope. It moves the records out of logs.
func eachLog(logs plog.Logs, visit func(plog.Logs)) {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			one := plog.NewLogs()
			r := one.ResourceLogs().AppendEmpty()
			resource.Resource().CopyTo(r.Resource())
			r.SetSchemaUrl(resource.SchemaUrl())
			s := r.ScopeLogs().AppendEmpty()
			scope.Scope().CopyTo(s.Scope())
			s.SetSchemaUrl(scope.SchemaUrl())
			place := s.LogRecords().AppendEmpty()
			for _, record := range scope.LogRecords().All() {
				record.MoveTo(place)
				visit(one)
			}
		}
	}
}

// eachSpan calls visit for each span alone, with its resource and scope. It moves the spans out of traces.
func eachSpan(traces ptrace.Traces, visit func(ptrace.Traces)) {
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			one := ptrace.NewTraces()
			r := one.ResourceSpans().AppendEmpty()
			resource.Resource().CopyTo(r.Resource())
			r.SetSchemaUrl(resource.SchemaUrl())
			s := r.ScopeSpans().AppendEmpty()
			scope.Scope().CopyTo(s.Scope())
			s.SetSchemaUrl(scope.SchemaUrl())
			place := s.Spans().AppendEmpty()
			for _, span := range scope.Spans().All() {
				span.MoveTo(place)
				visit(one)
			}
		}
	}
}
