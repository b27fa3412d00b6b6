// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumererror/xconsumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// signal is what differs between logs, traces, metrics and profiles.
type signal[T any] struct {
	name      marshaler.Signal
	marshal   func(*marshaler.Marshaler, T, ...marshaler.PushOption) (marshaler.Encoded, error)
	unmarshal func(*marshaler.Marshaler, []byte) (T, error)
	empty     func() T
	items     func(T) int
	move      func(from, to T) error        // appends all of the first to the second
	partial   func(err error, rest T) error // the error that makes a caller send rest again, and only that
}

var (
	logsSignal = signal[plog.Logs]{
		name:      marshaler.Logs,
		marshal:   (*marshaler.Marshaler).MarshalLogs,
		unmarshal: (*marshaler.Marshaler).UnmarshalLogs,
		empty:     plog.NewLogs,
		items:     plog.Logs.LogRecordCount,
		move:      func(from, to plog.Logs) error { from.ResourceLogs().MoveAndAppendTo(to.ResourceLogs()); return nil },
		partial:   consumererror.NewLogs,
	}
	tracesSignal = signal[ptrace.Traces]{
		name:      marshaler.Traces,
		marshal:   (*marshaler.Marshaler).MarshalTraces,
		unmarshal: (*marshaler.Marshaler).UnmarshalTraces,
		empty:     ptrace.NewTraces,
		items:     ptrace.Traces.SpanCount,
		move: func(from, to ptrace.Traces) error {
			from.ResourceSpans().MoveAndAppendTo(to.ResourceSpans())
			return nil
		},
		partial: consumererror.NewTraces,
	}
	metricsSignal = signal[pmetric.Metrics]{
		name:      marshaler.Metrics,
		marshal:   (*marshaler.Marshaler).MarshalMetrics,
		unmarshal: (*marshaler.Marshaler).UnmarshalMetrics,
		empty:     pmetric.NewMetrics,
		items:     pmetric.Metrics.DataPointCount,
		move: func(from, to pmetric.Metrics) error {
			from.ResourceMetrics().MoveAndAppendTo(to.ResourceMetrics())
			return nil
		},
		partial: consumererror.NewMetrics,
	}
	profilesSignal = signal[pprofile.Profiles]{
		name:      marshaler.Profiles,
		marshal:   (*marshaler.Marshaler).MarshalProfiles,
		unmarshal: (*marshaler.Marshaler).UnmarshalProfiles,
		empty:     pprofile.NewProfiles,
		items:     pprofile.Profiles.SampleCount,
		move:      pprofile.Profiles.MergeTo, // the dictionaries too
		partial:   xconsumererror.NewProfiles,
	}
)

// kindOf returns the kind of the messages of a signal, as they are without compression. Only messages of one kind are one
// message when they stand one after the other: all signals have the same number for their first field. Text stands in lines.
// Profiles in protobuf stand alone: readers would join their dictionaries, and all but the first would refer to wrong entries.
func kindOf(s marshaler.Signal, c marshaler.Config) kpl.Kind {
	kind := kpl.Kind{Newline: isText(c.Encoding) && !c.Newline}
	switch s {
	case marshaler.Logs:
		kind.Number = 1
	case marshaler.Traces:
		kind.Number = 2
	case marshaler.Metrics:
		kind.Number = 3
	case marshaler.Profiles:
		kind.Number, kind.Alone = 4, !c.Encoding.IsText()
	}
	return kind
}
