// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kplotel_test

import (
	"context"
	"fmt"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kplotel"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

func ExampleNewObserver() {
	ctx := context.Background()
	reader := sdkmetric.NewManualReader() // a program has one that exports, and often otel.GetMeterProvider()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))

	observer, err := kplotel.NewObserver(provider)
	if err != nil {
		panic(err)
	}
	observer.AvailabilityChanged = func(e kpl.AvailabilityEvent) { fmt.Println(e.Stream, "is available:", e.Err == nil) }
	client := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: "events", Shards: 1}) // a stand-in for the service
	producer, err := kpl.New(client, kpl.Config{Observer: observer})
	if err != nil {
		panic(err)
	}
	if _, err := producer.PutWait(ctx, kpl.UserRecord{Stream: "events", Data: []byte("hello")}); err != nil {
		panic(err)
	}
	if err := producer.Close(ctx); err != nil {
		panic(err)
	}

	var collected metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &collected); err != nil {
		panic(err)
	}
	for _, m := range collected.ScopeMetrics[0].Metrics {
		if m.Name == "kinesis_kpl_user_records_put" {
			fmt.Println(m.Data.(metricdata.Sum[int64]).DataPoints[0].Value, "user record put")
		}
	}
	// Output: 1 user record put
}
