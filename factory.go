// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/exporter/xexporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
)

// NewFactory returns the factory of the kinesis_kpl exporter. If one factory makes several exporters for the same
// configuration, these share a producer.
func NewFactory() exporter.Factory { return newFactory(connect) }

// newFactory returns a factory whose exporters get their client of Kinesis from connect.
func newFactory(connect connectFunc) exporter.Factory {
	f := &factory{sessions: newSessions(connect)}
	return xexporter.NewFactory(metadata.Type, createDefaultConfig,
		xexporter.WithLogs(f.createLogs, metadata.LogsStability),
		xexporter.WithTraces(f.createTraces, metadata.TracesStability),
		xexporter.WithMetrics(f.createMetrics, metadata.MetricsStability),
		xexporter.WithProfiles(f.createProfiles, metadata.ProfilesStability),
	)
}

// factory creates the exporters of all signals.
type factory struct{ sessions *sessions }

func (f *factory) createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	c := cfg.(*Config)
	p, err := newPusher(c, set, logsSignal.name)
	if err != nil {
		return nil, err
	}
	helper, err := xexporterhelper.NewLogsRequest(
		ctx, p.view.settings(set), convert[plog.Logs], p.push, p.helperOptions(set)...,
	)
	if err != nil {
		return nil, err
	}
	e := &logsExporter{lifecycle: newLifecycle(f.sessions, set, c, helper, p)}
	e.encoder = newEncoder(logsSignal, p, set, helper.ConsumeLogs)
	return e, nil
}

func (f *factory) createTraces(
	ctx context.Context, set exporter.Settings, cfg component.Config,
) (exporter.Traces, error) {
	c := cfg.(*Config)
	p, err := newPusher(c, set, tracesSignal.name)
	if err != nil {
		return nil, err
	}
	helper, err := xexporterhelper.NewTracesRequest(
		ctx, p.view.settings(set), convert[ptrace.Traces], p.push, p.helperOptions(set)...,
	)
	if err != nil {
		return nil, err
	}
	e := &tracesExporter{lifecycle: newLifecycle(f.sessions, set, c, helper, p)}
	e.encoder = newEncoder(tracesSignal, p, set, helper.ConsumeTraces)
	return e, nil
}

func (f *factory) createMetrics(
	ctx context.Context, set exporter.Settings, cfg component.Config,
) (exporter.Metrics, error) {
	c := cfg.(*Config)
	p, err := newPusher(c, set, metricsSignal.name)
	if err != nil {
		return nil, err
	}
	helper, err := xexporterhelper.NewMetricsRequest(
		ctx, p.view.settings(set), convert[pmetric.Metrics], p.push, p.helperOptions(set)...,
	)
	if err != nil {
		return nil, err
	}
	e := &metricsExporter{lifecycle: newLifecycle(f.sessions, set, c, helper, p)}
	e.encoder = newEncoder(metricsSignal, p, set, helper.ConsumeMetrics)
	return e, nil
}

func (f *factory) createProfiles(
	ctx context.Context, set exporter.Settings, cfg component.Config,
) (xexporter.Profiles, error) {
	c := cfg.(*Config)
	p, err := newPusher(c, set, profilesSignal.name)
	if err != nil {
		return nil, err
	}
	helper, err := xexporterhelper.NewProfilesRequest(
		ctx, p.view.settings(set), convert[pprofile.Profiles], p.push, p.helperOptions(set)...,
	)
	if err != nil {
		return nil, err
	}
	e := &profilesExporter{lifecycle: newLifecycle(f.sessions, set, c, helper, p)}
	e.encoder = newEncoder(profilesSignal, p, set, helper.ConsumeProfiles)
	return e, nil
}

// helperOptions returns the timeout, retry and queue of the configuration, which exporterhelper provides.
func (p *pusher) helperOptions(set exporter.Settings) []exporterhelper.Option {
	settings := xexporterhelper.QueueBatchSettings{
		Encoding:         storageEncoding{p, set.Logger},
		ReferenceCounter: releaser{},
	}
	if p.shares != nil && !p.config.Queue.Get().Batch.HasValue() {
		settings.Partitioner = p
	}
	return []exporterhelper.Option{
		exporterhelper.WithTimeout(p.config.Timeout),
		exporterhelper.WithRetry(p.config.Retry),
		xexporterhelper.WithQueueBatch(p.config.helperQueue(), settings),
	}
}
