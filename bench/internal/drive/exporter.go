// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package drive

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
)

// running is an exporter of one signal that has been started.
type running struct {
	component.Component

	consume  func(context.Context, load.Request) error
	outcomes *outcomes
}

// start creates and starts an exporter as a collector does, from its factory and the keys of its configuration. Metrics are on.
func start(
	ctx context.Context, factory exporter.Factory, keys map[string]any, signal load.Signal,
) (*running, error) {
	config := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(keys).Unmarshal(config); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if err := confmap.Validate(config); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	outcomes := newOutcomes(sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())))
	settings := exportertest.NewNopSettings(factory.Type())
	settings.MeterProvider = outcomes
	e, err := create(ctx, factory, settings, config, signal)
	if err != nil {
		return nil, err
	}
	e.outcomes = outcomes
	if err := e.Start(ctx, componenttest.NewNopHost()); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	return e, nil
}

func create(
	ctx context.Context, factory exporter.Factory, settings exporter.Settings, config component.Config, signal load.Signal,
) (*running, error) {
	switch signal {
	case load.Logs:
		e, err := factory.CreateLogs(ctx, settings, config)
		if err != nil {
			return nil, err
		}
		return &running{Component: e, consume: func(ctx context.Context, r load.Request) error {
			return e.ConsumeLogs(ctx, r.Logs)
		}}, nil
	case load.Traces:
		e, err := factory.CreateTraces(ctx, settings, config)
		if err != nil {
			return nil, err
		}
		return &running{Component: e, consume: func(ctx context.Context, r load.Request) error {
			return e.ConsumeTraces(ctx, r.Traces)
		}}, nil
	default:
		e, err := factory.CreateMetrics(ctx, settings, config)
		if err != nil {
			return nil, err
		}
		return &running{Component: e, consume: func(ctx context.Context, r load.Request) error {
			return e.ConsumeMetrics(ctx, r.Metrics)
		}}, nil
	}
}
