// Package kinesiskplexporter is the Collector exporter kinesis_kpl. It sends logs, traces and metrics to Amazon Kinesis
// Data Streams through package kpl, which aggregates, limits, retries and reports each record as the Kinesis Producer
// Library does.
//
// # How data flows
//
// A push encodes its pdata as complete OTLP messages that each fit a user record (package marshaler), puts them into
// the producer and waits for the Result of each. It returns one error: nil, an error with the data that is worth another
// attempt, or a permanent error. Retries of single records happen inside the producer, until record_ttl; what the
// producer gives back is what sending_queue and retry_on_failure see.
//
// # What is shared
//
// The signals of one component share one producer and its connections. It runs from the first Start to the last
// Shutdown. Memory is bounded by the queue of each signal and by max_outstanding_bytes.
package kinesiskplexporter

//go:generate ./tools/mdatagen/generate.sh
