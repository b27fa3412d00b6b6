// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kplotel"
)

// metrics are those of a producer, in the text format of Prometheus.
type metrics struct {
	http.Handler

	provider *sdkmetric.MeterProvider
	observer kpl.Observer
}

func newMetrics() (*metrics, error) {
	registry := prometheus.NewRegistry() // of its own, so that nothing else is in it
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry),
		otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo())
	if err != nil {
		return nil, err
	}
	m := &metrics{
		Handler:  promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		provider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter)),
	}
	if m.observer, err = kplotel.NewObserver(m.provider); err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

// watch adds what the producer holds.
func (m *metrics) watch(producer *kpl.Producer) error {
	_, err := kplotel.RegisterStats(m.provider, producer.Stats)
	return err
}

func (m *metrics) close() error { return m.provider.Shutdown(context.Background()) }
