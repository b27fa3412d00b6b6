// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package kinesiskplexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadatatest"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// What is counted for each record leaves no garbage. The race detector allocates too.
func TestCountingAllocatesNothing(t *testing.T) {
	set := metadatatest.NewSettings(componenttest.NewTelemetry())
	counts, err := newTelemetry(set, directConfig(), func(string, error) {})
	require.NoError(t, err)
	defer counts.close()
	now := time.Now()
	finished := kpl.RecordEvent{
		Result: kpl.Result{ShardID: "shard", Attempts: []kpl.Attempt{{Start: now}}}, Bytes: 100, Received: now, Finished: now,
	}
	request := kpl.RequestEvent{
		Start: now, End: now, Entries: []kpl.FinishedEntry{{ShardID: "shard", Bytes: 100, UserRecords: 1}},
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		counts.recordFinished(finished)
		counts.requestFinished(request)
		counts.flushed(kpl.FlushEvent{Stream: testStream, Stage: kpl.StageAggregator, Reason: kpl.FlushCommit})
		counts.messageStored(marshaler.Logs, 10, 100)
	}))
}
