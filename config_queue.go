// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// helperVersion is the version of exporterhelper whose behavior this file describes.
const helperVersion = "exporterhelper v0.165.0"

// largestRequest is the most bytes that an OTLP receiver takes in a request by default: 20 MiB by HTTP. By gRPC it is 4 MiB.
const largestRequest = 20 << 20

// validateQueue finds settings of the queue with which data would be lost. By default its unit is bytes here, but the number of
// requests in most other exporters. So a size that is meant for the other unit is a likely mistake.
func (c *Config) validateQueue(errs *keyErrors) {
	if !c.Queue.HasValue() {
		return
	}
	queue := c.Queue.Get()
	inBytes := queue.Sizer == exporterhelper.RequestSizerTypeBytes
	least := int64(c.Producer.MaxRecordSize)
	switch {
	case inBytes && queue.QueueSize > 0 && queue.QueueSize < least:
		errs.add("sending_queue::queue_size", []string{"max_record_size"}, "is in bytes unless sending_queue::sizer is set, and must "+
			"be at least %d then (max_record_size), found %d: the default is %d", least, queue.QueueSize, defaultQueueSize)
	case !inBytes && queue.QueueSize == defaultQueueSize:
		errs.add("sending_queue::queue_size", nil, "must be set along with sending_queue::sizer: its default, %d, is in bytes",
			defaultQueueSize)
	}
	if !queue.Batch.HasValue() {
		return
	}
	batch := queue.Batch.Get()
	if batch.Sizer == exporterhelper.RequestSizerTypeBytes && batch.MaxSize > 0 && batch.MaxSize < least {
		errs.add("sending_queue::batch::max_size", []string{"max_record_size"}, "must be at least %d bytes (max_record_size), or be "+
			"left out, found %d: %s drops every item that is larger, and the exporter cuts requests itself",
			least, batch.MaxSize, helperVersion)
	}
}

// warnings returns what is allowed but hardly meant, a sentence or two for each. They do not depend on the signal.
func (c *Config) warnings() []string {
	var found []string
	if ttl, timeout := c.Producer.RecordTTL, c.Producer.RequestTimeout; timeout > ttl {
		found = append(found, fmt.Sprintf("request_timeout (%v) is more than record_ttl (%v): after a call without an answer, no "+
			"second one is made. Set request_timeout to a fifth of record_ttl or less.", timeout, ttl))
	}
	if !c.Queue.HasValue() {
		return found
	}
	queue := c.Queue.Get()
	if queue.Sizer == exporterhelper.RequestSizerTypeBytes && queue.QueueSize < largestRequest {
		found = append(found, fmt.Sprintf("sending_queue::queue_size is %d bytes. Larger requests never fit and are rejected for "+
			"good. OTLP receivers take requests of up to 4 MiB by gRPC and 20 MiB by HTTP: set at least %d.",
			queue.QueueSize, largestRequest))
	}
	if queue.StorageID != nil && !c.Retry.Enabled {
		found = append(found, fmt.Sprintf("sending_queue::storage is set and retry_on_failure::enabled is false: with %s, what is "+
			"not delivered within record_ttl or at shutdown is dropped, not kept. Set retry_on_failure::enabled to true.",
			helperVersion))
	}
	if batch := queue.Batch; batch.HasValue() && batch.Get().Sizer == exporterhelper.RequestSizerTypeBytes &&
		batch.Get().MinSize < kpl.PutUnit {
		found = append(found, fmt.Sprintf("sending_queue::batch::min_size is %d bytes, which makes very small batches. Its "+
			"default, 8192, is meant in items. Set at least %d, or leave batch out: the exporter gathers records itself.",
			batch.Get().MinSize, kpl.PutUnit))
	}
	return found
}

// warningsOf returns what is allowed but hardly meant for one signal.
func (c *Config) warningsOf(signal marshaler.Signal) []string {
	if signal != marshaler.Metrics || !c.Queue.HasValue() || !c.Queue.Get().Batch.HasValue() {
		return nil
	}
	batch := c.Queue.Get().Batch.Get()
	if batch.Sizer != exporterhelper.RequestSizerTypeBytes || batch.MaxSize == 0 {
		return nil
	}
	return []string{fmt.Sprintf("sending_queue::batch::max_size is %d bytes: if a data point is larger, %s drops all that are "+
		"behind it in the request. Leave max_size out: the exporter cuts requests itself.", batch.MaxSize, helperVersion)}
}

// warnOf logs warnings.
func warnOf(logger *zap.Logger, warnings []string) {
	for _, warning := range warnings {
		logger.Warn("A setting is probably not meant like this", zap.String("warning", warning))
	}
}
