// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package load makes the telemetry for measuring exporters. The same seed gives the same telemetry. Its sizes and its
// compressibility are those of real services.
package load

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Shape is what a request looks like.
type Shape struct {
	Name      string
	Signal    Signal
	Resources int // in a request
	Items     int // in a resource: log records, spans or data points
}

// Signal is a kind of telemetry.
type Signal string

// The signals.
const (
	Logs    Signal = "logs"
	Traces  Signal = "traces"
	Metrics Signal = "metrics"
)

// ItemsPerRequest is how many log records, spans or data points a request has.
func (s Shape) ItemsPerRequest() int { return s.Resources * s.Items }

// Shapes are all shapes, in the order of the report.
func Shapes() []Shape {
	return []Shape{
		{"logs-1x1000", Logs, 1, 1000},
		{"logs-100x100", Logs, 100, 100},
		{"logs-10000x1", Logs, 10_000, 1},
		{"traces-10x100", Traces, 10, 100},
		{"metrics-10x100", Metrics, 10, 100},
	}
}

// Lone is the shape of a small request, for measuring latency.
func Lone() Shape { return Shape{"logs-1x10", Logs, 1, 10} }

// Find returns the shape of a name.
func Find(name string) (Shape, error) {
	shapes := append(Shapes(), Lone())
	i := slices.IndexFunc(shapes, func(s Shape) bool { return s.Name == name })
	if i < 0 {
		return Shape{}, fmt.Errorf("there is no shape %q", name)
	}
	return shapes[i], nil
}

// Request is a request of one signal. Only the field of the signal of its shape has a value.
type Request struct {
	Logs    plog.Logs
	Traces  ptrace.Traces
	Metrics pmetric.Metrics
}

// Requests returns n different requests of a shape. The same seed gives the same requests.
func Requests(s Shape, n int, seed uint64) []Request {
	g := &generator{random: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // the data need to be the same each time
	requests := make([]Request, n)
	for i := range requests {
		switch s.Signal {
		case Logs:
			requests[i].Logs = g.logs(s)
		case Traces:
			requests[i].Traces = g.traces(s)
		case Metrics:
			requests[i].Metrics = g.metrics(s)
		}
	}
	return requests
}

// Clone returns a deep copy of a request.
func (r Request) Clone(s Shape) Request {
	var c Request
	switch s.Signal {
	case Logs:
		c.Logs = plog.NewLogs()
		r.Logs.CopyTo(c.Logs)
	case Traces:
		c.Traces = ptrace.NewTraces()
		r.Traces.CopyTo(c.Traces)
	case Metrics:
		c.Metrics = pmetric.NewMetrics()
		r.Metrics.CopyTo(c.Metrics)
	}
	return c
}

// Marshal returns the request as an OTLP message.
func (r Request) Marshal(s Shape) ([]byte, error) {
	switch s.Signal {
	case Logs:
		return (&plog.ProtoMarshaler{}).MarshalLogs(r.Logs)
	case Traces:
		return (&ptrace.ProtoMarshaler{}).MarshalTraces(r.Traces)
	default:
		return (&pmetric.ProtoMarshaler{}).MarshalMetrics(r.Metrics)
	}
}
