// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kplotel

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// prefix starts the names of all metrics.
const prefix = "kinesis_kpl_"

// waits are the buckets of the time that records wait.
var waits = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

// instruments are what events are recorded with.
type instruments struct {
	bufferingTime               metric.Float64Histogram
	errorsByCode                metric.Int64Counter
	flushes                     metric.Int64Counter
	kinesisRecordsDataPut       metric.Int64Counter
	kinesisRecordsPerRequest    metric.Int64Histogram
	kinesisRecordsPut           metric.Int64Counter
	openShards                  metric.Int64Gauge
	putUnits                    metric.Int64Counter
	rateLimitTime               metric.Float64Histogram
	requestTime                 metric.Float64Histogram
	retriesPerRecord            metric.Int64Histogram
	shardMapRefreshes           metric.Int64Counter
	userRecordsDataPut          metric.Int64Counter
	userRecordTime              metric.Float64Histogram
	userRecordsPerKinesisRecord metric.Int64Histogram
	userRecordsPut              metric.Int64Counter
	userRecordsResent           metric.Int64Counter
}

// create makes all instruments. Their names, descriptions, units and buckets are those of the exporter's metadata.yaml.
func (i *instruments) create(meter metric.Meter) error {
	var errs []error
	counter := func(name, description, unit string) metric.Int64Counter {
		made, err := meter.Int64Counter(prefix+name, metric.WithDescription(description), metric.WithUnit(unit))
		errs = append(errs, err)
		return made
	}
	gauge := func(name, description, unit string) metric.Int64Gauge {
		made, err := meter.Int64Gauge(prefix+name, metric.WithDescription(description), metric.WithUnit(unit))
		errs = append(errs, err)
		return made
	}
	counts := func(name, description, unit string, buckets ...float64) metric.Int64Histogram {
		made, err := meter.Int64Histogram(prefix+name, metric.WithDescription(description), metric.WithUnit(unit),
			metric.WithExplicitBucketBoundaries(buckets...))
		errs = append(errs, err)
		return made
	}
	seconds := func(name, description string, buckets ...float64) metric.Float64Histogram {
		made, err := meter.Float64Histogram(prefix+name, metric.WithDescription(description), metric.WithUnit("s"),
			metric.WithExplicitBucketBoundaries(buckets...))
		errs = append(errs, err)
		return made
	}
	i.bufferingTime = seconds("buffering_time",
		"Time from the acceptance of a user record to its first PutRecords call, or to its end without one.",
		waits...)
	i.errorsByCode = counter("errors_by_code",
		"Kinesis records that failed one by one, and PutRecords calls that failed as a whole.", "{error}")
	i.flushes = counter("flushes", "Aggregated records and requests that were closed, by what closed them.", "{flush}")
	i.kinesisRecordsDataPut = counter("kinesis_records_data_put",
		"Bytes of data in the Kinesis records that were stored.", "By")
	i.kinesisRecordsPerRequest = counts("kinesis_records_per_put_records_request",
		"Kinesis records in a PutRecords call.", "{record}", 1, 2, 5, 10, 20, 50, 100, 200, 500)
	i.kinesisRecordsPut = counter("kinesis_records_put",
		"Kinesis records in PutRecords calls, by whether they were stored.", "{record}")
	i.openShards = gauge("open_shards", "Open shards of the stream, as last listed.", "{shard}")
	i.putUnits = counter("put_units",
		"PUT payload units of the Kinesis records that were stored: what a provisioned stream is billed for.", "{unit}")
	i.rateLimitTime = seconds("rate_limit_time",
		"How long the limits of its shard held a Kinesis record back before a PutRecords call.", waits...)
	i.requestTime = seconds("request_time", "Duration of a PutRecords call.",
		0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
	i.retriesPerRecord = counts("retries_per_record",
		"PutRecords calls that a user record was in, beyond the first.", "{retry}", 0, 1, 2, 3, 5, 10, 20, 50, 100)
	i.shardMapRefreshes = counter("shard_map_refreshes", "Attempts to list the shards of the stream.", "{refresh}")
	i.userRecordsDataPut = counter("user_records_data_put",
		"Bytes of data in the user records that were stored.", "By")
	i.userRecordTime = seconds("user_record_time", "Time from the acceptance of a user record to its outcome.", waits...)
	i.userRecordsPerKinesisRecord = counts("user_records_per_kinesis_record",
		"User records in a Kinesis record.", "{record}", 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
	i.userRecordsPut = counter("user_records_put", "User records by outcome.", "{record}")
	i.userRecordsResent = counter("user_records_resent",
		"User records that were sent again although an earlier call may have stored them. Readers may see them twice.", "{record}")
	return errors.Join(errs...)
}
