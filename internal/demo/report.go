// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// report prints what was found in the stream. It returns an error if that is not what the pipelines carried. sent is what
// the demo made itself, and carried is what the witness counted.
func report(out io.Writer, sent, carried items, found contents) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(cells ...any) { fmt.Fprintln(table, tabbed(cells)) } // Flush returns the error.
	row("signal", "sent", "decoded from the stream")
	row("log records", carried.Logs, found.items.Logs)
	row("spans", carried.Traces, found.items.Traces)
	row("data points", carried.Metrics, found.items.Metrics)
	row()
	row("shard", "user records", "Kinesis records", "bytes")
	for _, s := range found.summary.Shards {
		row(s.Shard, s.UserRecords, s.KinesisRecords, s.Bytes)
	}
	row("all", found.summary.UserRecords, found.summary.KinesisRecords, found.summary.Bytes)
	row()
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d of the Kinesis records are aggregated: %.1f user records, %.1f items in a Kinesis record.\n\n",
		found.summary.AggregatedRecords, found.summary.AggregationRatio,
		float64(found.items.Logs+found.items.Traces+found.items.Metrics)/float64(max(found.summary.KinesisRecords, 1)))
	for _, sample := range found.samples {
		text, err := describeSample(sample)
		if err != nil {
			return fmt.Errorf("a sample of %s: %w", sample.Signal, err)
		}
		fmt.Fprintf(out, "%-8s %s\n", sample.Signal, text)
	}
	if err := check(sent, carried, found); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nEvery item that was sent is in the stream, once.")
	return nil
}

// tabbed joins cells for a tabwriter.
func tabbed(cells []any) string {
	var text strings.Builder
	for _, cell := range cells {
		fmt.Fprint(&text, cell, "\t")
	}
	return text.String()
}

// check returns an error for each difference between the stream and what the pipelines carried, and between that and what the
// demo sent.
func check(sent, carried items, found contents) error {
	var errs []error
	for _, c := range []struct {
		name                   string
		made, carried, decoded int
	}{
		{"log records", sent.Logs, carried.Logs, found.items.Logs},
		{"spans", sent.Traces, carried.Traces, found.items.Traces},
		{"data points", carried.Metrics, carried.Metrics, found.items.Metrics},
	} {
		switch {
		case c.carried == 0:
			errs = append(errs, fmt.Errorf("no %s were sent", c.name))
		case c.made != c.carried:
			errs = append(errs, fmt.Errorf("%d %s were made, the collector carried %d", c.made, c.name, c.carried))
		}
		if c.carried != c.decoded {
			errs = append(errs, fmt.Errorf("%d %s were sent, %d decoded", c.carried, c.name, c.decoded))
		}
	}
	if n := found.summary.UndecodableRecords; n > 0 {
		errs = append(errs, fmt.Errorf("%d user records are not OTLP", n))
	}
	if n := found.summary.MalformedAggregates + found.summary.OutOfRangeAggregates; n > 0 {
		errs = append(errs, fmt.Errorf("%d aggregated records can't be read", n))
	}
	return errors.Join(errs...)
}

// describeSample describes the first item of a user record.
func describeSample(l line) (string, error) {
	switch l.Signal {
	case "logs":
		logs, err := new(plog.JSONUnmarshaler).UnmarshalLogs(l.Payload)
		if err != nil || logs.LogRecordCount() == 0 {
			return "", err
		}
		return logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().AsString(), nil
	case "traces":
		traces, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(l.Payload)
		if err != nil || traces.SpanCount() == 0 {
			return "", err
		}
		span := traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
		return fmt.Sprintf("%s: %v, trace %s", span.Name(),
			span.EndTimestamp().AsTime().Sub(span.StartTimestamp().AsTime()), span.TraceID()), nil
	default:
		metrics, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(l.Payload)
		if err != nil || metrics.MetricCount() == 0 {
			return "", err
		}
		return describeMetric(metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)), nil
	}
}

// describeMetric describes the first data point of a metric.
func describeMetric(metric pmetric.Metric) string {
	var points pmetric.NumberDataPointSlice
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		points = metric.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		points = metric.Sum().DataPoints()
	default: // The host metrics have no other.
		return fmt.Sprintf("%s, a %s", metric.Name(), metric.Type())
	}
	if points.Len() == 0 {
		return metric.Name() + " without data points"
	}
	point := points.At(0)
	value := point.DoubleValue()
	if point.ValueType() == pmetric.NumberDataPointValueTypeInt {
		value = float64(point.IntValue())
	}
	return fmt.Sprintf("%s %v = %v %s", metric.Name(), point.Attributes().AsRaw(), value, metric.Unit())
}
