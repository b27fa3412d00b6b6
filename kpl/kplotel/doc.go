// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package kplotel turns what a [kpl.Producer] tells its Observer into OpenTelemetry metrics:
//
//	observer, err := kplotel.NewObserver(otel.GetMeterProvider())
//	...
//	producer, err := kpl.NewFromConfig(awsConfig, kpl.Config{Observer: observer})
//
// The metrics are those of the Collector exporter built on kpl, with the same names, units and buckets. They have the
// attribute stream, which is the name of the stream, and where it helps outcome, error_code, stage or reason.
//
// [RegisterStats] adds the counts of [kpl.Producer.Stats], and [RegisterStreams] what waits for each stream and for its busiest
// shards.
package kplotel
