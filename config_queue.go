// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// helperVersion is the version of exporterhelper whose behavior this file describes.
const helperVersion = "exporterhelper v0.165.0"

// largestRequest is the most bytes that an OTLP receiver takes in a request by default: 20 MiB by HTTP. By gRPC it is 4 MiB.
const largestRequest = 20 << 20

// A push occupies a goroutine until all its messages are stored. There are so many that the whole queue can be on its way at
// the same time. Then a push that waits for a shard which takes nothing keeps no other waiting. To make that cheap, small
// requests are merged behind the queue until they have mergedSize bytes, or until mergeTime is over. exporterhelper's batcher
// does that. It also starts the goroutines when they are needed, where a queue without it would keep all of them.
const (
	defaultConsumers = defaultQueueSize / mergedSize
	mergedSize       = 64 << 10
	mergeTime        = 20 * time.Millisecond
)

// helperQueue returns the queue as exporterhelper makes it.
func (c *Config) helperQueue() configoptional.Optional[exporterhelper.QueueBatchConfig] {
	if !c.Queue.HasValue() {
		return c.Queue
	}
	queue := *c.Queue.Get()
	queue.NumConsumers = c.helperConsumers()
	if c.queueBytes() > 0 {
		queue.QueueSize = math.MaxInt64 // what the queue holds is limited by a budget, in front of it
	}
	if !queue.Batch.HasValue() {
		batch := exporterhelper.BatchConfig{
			Sizer: exporterhelper.RequestSizerTypeBytes, MinSize: mergedSize, FlushTimeout: mergeTime,
			Partition: exporterhelper.NewDefaultPartitionConfig(),
		}
		batch.Partition.IdleTimeout = c.longestPush()
		if queue.WaitForResult || queue.StorageID != nil {
			// Nothing is merged: each caller gets the result of its own request, and a storage keeps no delivered request for
			// another one that is not.
			batch.MinSize, batch.FlushTimeout = 0, time.Hour
		}
		queue.Batch = configoptional.Some(batch)
	}
	return configoptional.Some(queue)
}

// helperConsumers returns how many consumers the queue has.
func (c *Config) helperConsumers() int {
	queue := c.Queue.Get()
	if bytes := c.queueBytes(); queue.NumConsumers == defaultConsumers && bytes > defaultQueueSize {
		return bytes / mergedSize
	}
	return queue.NumConsumers
}

// longestPush is longer than a push lasts with all its retries. exporterhelper forgets a partition that is idle for so long. At a
// stop it would not wait for a push of a partition that it has forgotten.
func (c *Config) longestPush() time.Duration {
	retries := c.Retry.MaxElapsedTime
	switch {
	case !c.Retry.Enabled:
		retries = 0
	case retries == 0:
		return math.MaxInt64 // for ever
	}
	longest := time.Minute
	for _, d := range []time.Duration{c.Timeout.Timeout, c.Producer.RecordTTL, retries} {
		longest += min(d, math.MaxInt64-longest)
	}
	return longest
}

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
	if key := c.Streams.FromMetadataKey; key != "" && c.storesRequests() && !hasMetadataKey(batch.Partition.MetadataKeys, key) {
		errs.add("sending_queue::batch::partition::metadata_keys", nil, "must have %q (streams::from_metadata_key), or "+
			"sending_queue::batch be left out, found %q: requests of a storage are merged before their streams are known",
			key, batch.Partition.MetadataKeys)
	}
	if c.storesRequests() {
		for _, s := range signals {
			c.partitionKey(s).validateMerging(errs, batch.Partition.MetadataKeys)
		}
	}
	if batch.Sizer == exporterhelper.RequestSizerTypeBytes && batch.MaxSize > 0 && batch.MaxSize < least {
		errs.add("sending_queue::batch::max_size", []string{"max_record_size"}, "must be at least %d bytes (max_record_size), or be "+
			"left out, found %d: a message may be as large as a record, and the exporter cuts requests itself",
			least, batch.MaxSize)
	}
}

// hasMetadataKey reports whether a key of metadata is in a list. Upper and lower case are the same, as in HTTP.
func hasMetadataKey(list []string, key string) bool {
	return slices.ContainsFunc(list, func(other string) bool { return strings.EqualFold(other, key) })
}

// warnings returns what is allowed but hardly meant, a sentence or two for each. They do not depend on the signal.
func (c *Config) warnings() []string {
	var found []string
	if ttl, timeout := c.Producer.RecordTTL, c.Producer.RequestTimeout; timeout > ttl {
		found = append(found, fmt.Sprintf("request_timeout (%v) is more than record_ttl (%v): after a call without an answer, no "+
			"second one is made. Set request_timeout to a fifth of record_ttl or less.", timeout, ttl))
	}
	if c.ShardOverflow == DropOverflow && !slices.ContainsFunc(signals[:], c.sharesQueue) {
		found = append(found, "shard_overflow is drop and has no effect: shards have shares of a queue in memory that counts bytes, "+
			"with partition keys that the data decides, or with streams. Leave shard_overflow out.")
	}
	for _, s := range []marshaler.Signal{marshaler.Metrics, marshaler.Profiles} {
		if own := &c.ofSignal(s).PartitionKey; own.HasValue() && own.Get().TraceID {
			found = append(found, fmt.Sprintf("%s::partition_key::trace_id is true and has no effect: only spans and log records "+
				"have trace ids. Leave it out.", s))
		}
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
	if bytes := c.Producer.MaxOutstandingBytes; c.queueIsBudget() && bytes > 0 && bytes < c.queueBytes() {
		found = append(found, fmt.Sprintf("max_outstanding_bytes (%d) is less than sending_queue::queue_size (%d): one shard that "+
			"takes nothing can fill the producer and stop all others. Leave it out: queue_size limits the memory.",
			bytes, queue.QueueSize))
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

// warnOf logs warnings.
func warnOf(logger *zap.Logger, warnings []string) {
	for _, warning := range warnings {
		logger.Warn("A setting is probably not meant like this", zap.String("warning", warning))
	}
}
