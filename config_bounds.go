// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"cmp"

	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// What the producer may hold if nothing else limits it.
const (
	defaultOutstandingRecords = 100_000
	defaultOutstandingBytes   = 64 << 20
)

// boundedProducer returns the configuration of the producer, with its bounds where the keys leave them open.
//
// A queue in memory that counts bytes is the only budget: what is on its way still counts for it. So the producer takes all that
// the queues of the signals let in. If its own bound were lower, one shard that takes nothing would fill the producer and stop
// all others.
func (c *Config) boundedProducer() ProducerConfig {
	p, bytes, records := c.Producer, defaultOutstandingBytes, defaultOutstandingRecords
	if c.queueIsBudget() {
		bytes = max(bytes, len(signals)*c.queueBytes())
		records = max(records, bytes/messageOverhead)
	}
	p.MaxOutstandingBytes = cmp.Or(p.MaxOutstandingBytes, bytes)
	p.MaxOutstandingRecords = cmp.Or(p.MaxOutstandingRecords, records)
	return p
}

// queueIsBudget reports whether the size of the queue limits what the exporter holds in memory.
func (c *Config) queueIsBudget() bool { return c.queueBytes() > 0 && c.Delivery == Confirmed }

// sharesQueue reports whether shards or streams have shares of the queue of a signal.
func (c *Config) sharesQueue(s marshaler.Signal) bool {
	return (c.partitionKey(s).differs() || c.Streams.routes()) && c.queueBytes() > 0
}

// maxQueueBytes is more than any memory, and few enough to count with.
const maxQueueBytes = 1 << 60

// queueBytes returns the size of a queue in memory that counts bytes. It returns 0 for any other queue, and for none.
func (c *Config) queueBytes() int {
	if !c.Queue.HasValue() || c.storesRequests() || c.Queue.Get().Sizer != exporterhelper.RequestSizerTypeBytes {
		return 0
	}
	return int(min(c.Queue.Get().QueueSize, maxQueueBytes))
}

// storesRequests reports whether the queue has a storage.
func (c *Config) storesRequests() bool { return c.Queue.HasValue() && c.Queue.Get().StorageID != nil }
