// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package kinesiskplexporter is the Collector exporter kinesis_kpl. It sends logs, traces, metrics and profiles to Amazon Kinesis
// Data Streams through package kpl, which aggregates, limits, retries and reports each record as the Kinesis Producer
// Library does.
//
// # How data flows
//
// The Collector hands over pdata of one signal. Package marshaler encodes it as messages, in the goroutine of the caller. A
// message is a complete OTLP request that fits one user record. The messages wait in sending_queue as a request. A push puts the
// messages of a request into the producer and waits for the Result of each. It returns nil, or an error if some of them should
// be sent again, or a permanent error.
//
// The producer retries single records until record_ttl. Only data of records that fail then comes back to sending_queue and
// retry_on_failure.
//
// # What is shared
//
// The signals of one component share one producer and its connections. The producer runs from the first Start to the last
// Shutdown. The queue of each signal limits how much memory is used.
package kinesiskplexporter

//go:generate ./tools/mdatagen/generate.sh
