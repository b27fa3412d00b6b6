// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/embedded"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// What exporterhelper calls its metrics of the queue. If a version of the Collector changes one of these names, TestHelperView
// fails.
const (
	queueSizeMetric     = "otelcol_exporter_queue_size"
	queueCapacityMetric = "otelcol_exporter_queue_capacity"
	enqueueFailedMetric = "otelcol_exporter_enqueue_failed_"
)

// enqueueFailedItems are the ends of the names of enqueueFailedMetric.
var enqueueFailedItems = map[marshaler.Signal]string{
	marshaler.Logs: "log_records", marshaler.Traces: "spans", marshaler.Metrics: "metric_points",
	marshaler.Profiles: "profile_samples",
}

// enqueueFailed counts items that the budget has no room for, as exporterhelper counts those that its queue does not take.
func (v *helperView) enqueueFailed(ctx context.Context, signal marshaler.Signal, items int) {
	v.mu.Lock()
	counter := v.failed[enqueueFailedMetric+enqueueFailedItems[signal]]
	v.mu.Unlock()
	if counter != nil {
		counter.Add(ctx, int64(items), metric.WithAttributeSet(attribute.NewSet(attribute.String("exporter", v.id))))
	}
}

// viewProvider, viewMeter and viewGauge let the view keep the callback of the queue's size, and show the budget in its place.
type (
	viewProvider struct {
		metric.MeterProvider

		view *helperView
	}
	viewMeter struct {
		metric.Meter

		view   *helperView
		gauges *queueGauges
	}
	queueGauges struct{ size, capacity metric.Int64ObservableGauge } // nil until they are made
)

// Meter implements [metric.MeterProvider].
func (p viewProvider) Meter(name string, options ...metric.MeterOption) metric.Meter {
	return viewMeter{p.MeterProvider.Meter(name, options...), p.view, &queueGauges{}}
}

// Int64Counter implements [metric.Meter].
func (m viewMeter) Int64Counter(name string, options ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	counter, err := m.Meter.Int64Counter(name, options...)
	if strings.HasPrefix(name, enqueueFailedMetric) {
		m.view.mu.Lock()
		defer m.view.mu.Unlock()
		if m.view.failed == nil {
			m.view.failed = map[string]metric.Int64Counter{}
		}
		m.view.failed[name] = counter
	}
	return counter, err
}

// Int64ObservableGauge implements [metric.Meter].
func (m viewMeter) Int64ObservableGauge(
	name string, options ...metric.Int64ObservableGaugeOption,
) (metric.Int64ObservableGauge, error) {
	gauge, err := m.Meter.Int64ObservableGauge(name, options...)
	switch name {
	case queueSizeMetric:
		m.gauges.size = gauge
	case queueCapacityMetric:
		m.gauges.capacity = gauge
	}
	return gauge, err
}

// RegisterCallback implements [metric.Meter]. If the Collector has no metrics, all its instruments are equal. Then the first
// callback is the one: exporterhelper registers the queue's size before its capacity.
func (m viewMeter) RegisterCallback(f metric.Callback, instruments ...metric.Observable) (metric.Registration, error) {
	has := func(gauge metric.Int64ObservableGauge) bool {
		return gauge != nil && slices.Contains(instruments, metric.Observable(gauge))
	}
	b := m.view.budget
	switch {
	case has(m.gauges.size):
		m.view.mu.Lock()
		if m.view.size == nil {
			m.view.size = f
		}
		m.view.mu.Unlock()
		if b != nil {
			f = showing(f, b.used.Load)
		}
	case b != nil && has(m.gauges.capacity):
		f = showing(f, func() int64 { return b.capacity })
	}
	return m.Meter.RegisterCallback(f, instruments...)
}

// showing returns a callback that observes another value than f does, with the same attributes.
func showing(f metric.Callback, value func() int64) metric.Callback {
	return func(ctx context.Context, o metric.Observer) error { return f(ctx, valueObserver{o, value()}) }
}

// valueObserver observes its value in place of another one.
type valueObserver struct {
	metric.Observer

	value int64
}

// ObserveInt64 implements [metric.Observer].
func (o valueObserver) ObserveInt64(instrument metric.Int64Observable, _ int64, options ...metric.ObserveOption) {
	o.Observer.ObserveInt64(instrument, o.value, options...)
}

// sizeObserver keeps the last integer that a callback observes.
type sizeObserver struct {
	embedded.Observer

	value int64
}

// ObserveInt64 implements [metric.Observer].
func (o *sizeObserver) ObserveInt64(_ metric.Int64Observable, value int64, _ ...metric.ObserveOption) {
	o.value = value
}

// ObserveFloat64 implements [metric.Observer].
func (o *sizeObserver) ObserveFloat64(metric.Float64Observable, float64, ...metric.ObserveOption) {}
