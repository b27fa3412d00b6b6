// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package kplotel

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// What is counted for each record leaves no garbage. The race detector allocates too.
func TestEventsAllocateNothing(t *testing.T) {
	observer, err := NewObserver(newMetrics().provider)
	require.NoError(t, err)
	now := time.Now()
	record := kpl.RecordEvent{
		Stream: "logs", Bytes: 100, Received: now, Finished: now,
		Result: kpl.Result{ShardID: "shard", Attempts: []kpl.Attempt{{Start: now}}},
	}
	request := kpl.RequestEvent{Stream: "logs", Start: now, End: now, Entries: []kpl.FinishedEntry{
		{ShardID: "shard", Bytes: 100, UserRecords: 1}, {Code: kpl.CodeTimeout}, {Code: "NobodyKnows"},
	}}
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		observer.RecordFinished(record)
		observer.RequestFinished(request)
		observer.Flushed(kpl.FlushEvent{Stream: "logs", Stage: kpl.StageAggregator, Reason: kpl.FlushCommit})
	}))
}
