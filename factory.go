// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
)

// NewFactory returns the factory of the kinesis_kpl exporter. If one factory makes several exporters for the same
// configuration, these share a producer.
func NewFactory() exporter.Factory { return newFactory(connect) }

// newFactory returns a factory whose exporters get their client of Kinesis from connect.
func newFactory(connect connectFunc) exporter.Factory {
	f := &factory{sessions: newSessions(connect)}
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithLogs(f.createLogs, metadata.LogsStability),
		exporter.WithTraces(f.createTraces, metadata.TracesStability),
		exporter.WithMetrics(f.createMetrics, metadata.MetricsStability),
	)
}

// factory creates the exporters of all signals.
type factory struct{ sessions *sessions }

func (f *factory) createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	c := cfg.(*Config)
	p, err := newPusher(c, set, logsSignal)
	if err != nil {
		return nil, err
	}
	view := &helperView{}
	helper, err := exporterhelper.NewLogs(ctx, view.settings(set), c, p.push, helperOptions(c)...)
	if err != nil {
		return nil, err
	}
	sizer := plog.ProtoMarshaler{}
	fit := newQueueFit(c, set.Logger, sizer.LogsSize, plog.Logs.LogRecordCount)
	return &logsExporter{&fittingLogs{helper, fit}, newLifecycle(f.sessions, set, c, helper, view, p)}, nil
}

func (f *factory) createTraces(
	ctx context.Context, set exporter.Settings, cfg component.Config,
) (exporter.Traces, error) {
	c := cfg.(*Config)
	p, err := newPusher(c, set, tracesSignal)
	if err != nil {
		return nil, err
	}
	view := &helperView{}
	helper, err := exporterhelper.NewTraces(ctx, view.settings(set), c, p.push, helperOptions(c)...)
	if err != nil {
		return nil, err
	}
	sizer := ptrace.ProtoMarshaler{}
	fit := newQueueFit(c, set.Logger, sizer.TracesSize, ptrace.Traces.SpanCount)
	return &tracesExporter{&fittingTraces{helper, fit}, newLifecycle(f.sessions, set, c, helper, view, p)}, nil
}

func (f *factory) createMetrics(
	ctx context.Context, set exporter.Settings, cfg component.Config,
) (exporter.Metrics, error) {
	c := cfg.(*Config)
	p, err := newPusher(c, set, metricsSignal)
	if err != nil {
		return nil, err
	}
	view := &helperView{}
	helper, err := exporterhelper.NewMetrics(ctx, view.settings(set), c, p.push, helperOptions(c)...)
	if err != nil {
		return nil, err
	}
	sizer := pmetric.ProtoMarshaler{}
	fit := newQueueFit(c, set.Logger, sizer.MetricsSize, pmetric.Metrics.DataPointCount)
	return &metricsExporter{&fittingMetrics{helper, fit}, newLifecycle(f.sessions, set, c, helper, view, p)}, nil
}

// helperOptions returns the timeout, retry and queue of the configuration, which exporterhelper provides.
func helperOptions(c *Config) []exporterhelper.Option {
	return []exporterhelper.Option{
		exporterhelper.WithTimeout(c.Timeout),
		exporterhelper.WithRetry(c.Retry),
		exporterhelper.WithQueue(c.Queue),
	}
}
