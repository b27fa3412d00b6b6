// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// TestOnlyTheRejectedRecordFails puts good records and one that is larger than the stream accepts. kinesis-mock
// answers the request with success and rejects only that record.
func TestOnlyTheRejectedRecordFails(t *testing.T) {
	const stream, goodRecords = "rejected", 40
	mock := StartKinesisMock(t, Stream{stream, 2})
	ctx := Context(t)
	config := patientConfig()
	// Aggregation and the rate limit would both put the large record into a call of its own.
	config.AggregationFormat = kpl.AggregationNone
	config.RateLimit = 1_000
	config.MaxRecordSize = kpl.MaxServiceRecordSize // More than the stream accepts, so that the producer sends the record.
	config.CollectionMaxSize = kpl.MaxRequestSize
	producer, watcher := newProducer(t, mock.Client, config)

	records := []kpl.UserRecord{{Stream: stream, PartitionKey: "first", Data: []byte("first")}}
	results := []kpl.Result{putFirst(ctx, t, producer, watcher, records[0], 2)}
	for i := range goodRecords {
		name := fmt.Sprint("good-", i)
		records = append(records, kpl.UserRecord{Stream: stream, PartitionKey: name, Data: []byte(name)})
	}
	bad := len(records)
	records = append(records, kpl.UserRecord{Stream: stream, PartitionKey: "bad", Data: make([]byte, 1<<20+1)})
	batch := producer.NewBatch()
	for _, r := range records[1:] {
		require.NoError(t, batch.Put(ctx, r))
	}
	results = append(results, batch.Wait(ctx)...)

	var rejected *kpl.RecordError
	require.ErrorAs(t, results[bad].Err, &rejected)
	assert.Equal(t, kpl.OutcomeRejected, rejected.Outcome)
	assert.Equal(t, "InvalidArgumentException", rejected.Code)
	assert.Equal(t, 1, rejected.Attempts)
	assert.False(t, rejected.Retryable())

	for i, result := range results[:bad] {
		require.NoError(t, result.Err, "record %d", i)
		require.Len(t, result.Attempts, 1, "record %d", i)
	}
	checkStored(t, records[:bad], results[:bad], ReadStream(ctx, t, mock.Client, stream))

	watcher.mu.Lock()
	defer watcher.mu.Unlock()
	assert.True(t, slices.ContainsFunc(watcher.requests, func(entries []kpl.FinishedEntry) bool {
		failed := slices.ContainsFunc(entries, func(e kpl.FinishedEntry) bool { return e.Code != "" })
		return failed && slices.ContainsFunc(entries, func(e kpl.FinishedEntry) bool { return e.Code == "" })
	}), "the rejected record was in no call with others: %v", watcher.requests)
}
