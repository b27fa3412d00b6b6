// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command otelsdk sends items of one signal with an exporter of the OpenTelemetry SDK for Go, and ends when they are delivered or
// given up. Its exit code is 1 if an export failed. What the SDK reports, such as a partial success, is on stderr.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// options say what is sent.
type options struct {
	protocol, signal string
	name             string // of the items, with a number behind it
	items            int
	large            int // bytes of one more log record
	batch            int // log records in an export; 0 means all
}

func main() {
	var o options
	flag.StringVar(&o.protocol, "protocol", "http", "http or grpc; the environment has the endpoint and the compression")
	flag.StringVar(&o.signal, "signal", "logs", "logs, traces or metrics")
	flag.StringVar(&o.name, "name", "item", "what the names of the items begin with")
	flag.IntVar(&o.items, "items", 100, "how many")
	flag.IntVar(&o.large, "large", 0, "bytes of one more log record; none if 0")
	flag.IntVar(&o.batch, "batch", 0, "log records in an export, which are written to stdout when it succeeds; all, unwritten, if 0")
	flag.Parse()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { fmt.Fprintln(os.Stderr, "reported:", err) }))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := o.send(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

func (o options) nameOf(i int) string { return fmt.Sprint(o.name, " ", i) }

func (o options) send(ctx context.Context) error {
	switch o.signal {
	case "logs":
		return o.logs(ctx)
	case "traces":
		return o.traces(ctx)
	case "metrics":
		return o.metrics(ctx)
	}
	return fmt.Errorf("there is no signal %q", o.signal)
}

func (o options) logs(ctx context.Context) error {
	var exporter sdklog.Exporter
	var err error
	if o.protocol == "grpc" {
		exporter, err = otlploggrpc.New(ctx)
	} else {
		exporter, err = otlploghttp.New(ctx)
	}
	if err != nil {
		return err
	}
	batch := o.items + 1
	if o.batch > 0 {
		exporter, batch = reporting{exporter}, o.batch
	}
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(
		sdklog.NewBatchProcessor(exporter, sdklog.WithExportMaxBatchSize(batch), sdklog.WithMaxQueueSize(2*o.items+2)),
	))
	logger := provider.Logger("otelsdk")
	emit := func(body string) {
		var record log.Record
		record.SetBody(attribute.StringValue(body))
		record.SetTimestamp(time.Now())
		logger.Emit(ctx, record)
	}
	for i := range o.items {
		emit(o.nameOf(i))
	}
	if o.large > 0 {
		emit(strings.Repeat("x", o.large))
	}
	return errors.Join(provider.ForceFlush(ctx), provider.Shutdown(ctx))
}

// reporting is an exporter that writes what was exported.
type reporting struct{ sdklog.Exporter }

// Export exports records.
func (r reporting) Export(ctx context.Context, records []sdklog.Record) error {
	if err := r.Exporter.Export(ctx, records); err != nil {
		return err
	}
	for i := range records {
		fmt.Println("exported:", records[i].Body().AsString())
	}
	return nil
}

func (o options) traces(ctx context.Context) error {
	var exporter sdktrace.SpanExporter
	var err error
	if o.protocol == "grpc" {
		exporter, err = otlptracegrpc.New(ctx)
	} else {
		exporter, err = otlptracehttp.New(ctx)
	}
	if err != nil {
		return err
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter, sdktrace.WithMaxExportBatchSize(o.items)))
	for i := range o.items {
		_, span := provider.Tracer("otelsdk").Start(ctx, o.nameOf(i))
		span.End()
	}
	return errors.Join(provider.ForceFlush(ctx), provider.Shutdown(ctx))
}

func (o options) metrics(ctx context.Context) error {
	var exporter sdkmetric.Exporter
	var err error
	if o.protocol == "grpc" {
		exporter, err = otlpmetricgrpc.New(ctx)
	} else {
		exporter, err = otlpmetrichttp.New(ctx)
	}
	if err != nil {
		return err
	}
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	counter, err := provider.Meter("otelsdk").Int64Counter("items")
	if err != nil {
		return err
	}
	for i := range o.items {
		counter.Add(ctx, 1, metric.WithAttributes(attribute.String("name", o.nameOf(i))))
	}
	var data metricdata.ResourceMetrics
	return errors.Join(reader.Collect(ctx, &data), exporter.Export(ctx, &data), exporter.Shutdown(ctx))
}
