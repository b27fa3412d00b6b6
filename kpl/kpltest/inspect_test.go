// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Config{}, Stream{Name: events, Shards: 1})
		k.Inject(ForOperation(OpPutRecords, Latency(time.Second)))
		start := time.Now()
		var calls sync.WaitGroup
		for i := range 3 {
			calls.Go(func() {
				assert.NoError(t, pause(t.Context(), time.Duration(i)*400*time.Millisecond))
				_, err := k.PutRecords(t.Context(), putInput(entry("ab", "", "x"), entry("c", "", "yz")))
				assert.NoError(t, err)
			})
		}
		require.NoError(t, pause(t.Context(), 100*time.Millisecond))
		assert.Equal(t, []CallInfo{{Operation: OpPutRecords, Stream: events, Start: start, Records: 2, Bytes: 6}},
			k.Calls(""), "a call is there from its start")
		calls.Wait()
		_, err := k.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String("x")})
		require.Error(t, err)

		at := func(d time.Duration) time.Time { return start.Add(d * time.Millisecond) }
		put := func(from, to time.Duration) CallInfo {
			return CallInfo{Operation: OpPutRecords, Stream: events, Start: at(from), End: at(to), Records: 2, Bytes: 6}
		}
		list := CallInfo{Operation: OpListShards, Stream: "x", Start: at(1800), End: at(1800), Code: CodeResourceNotFound}
		assert.Equal(t, []CallInfo{put(0, 1000), put(400, 1400), put(800, 1800), list}, k.Calls(""))
		assert.Equal(t, []CallInfo{list}, k.Calls(OpListShards))
		assert.Equal(t, 3, k.MaxConcurrentCalls(OpPutRecords))
		assert.Equal(t, 1, k.MaxConcurrentCalls(OpListShards))
		assert.Equal(t, 0, k.MaxConcurrentCalls(OpGetRecords))
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Config{}, Stream{Name: events, Shards: 1})
		k.Inject(Latency(time.Second))
		start := time.Now()
		var waiters sync.WaitGroup
		waitFor := func(seconds time.Duration, wait func(ctx context.Context) error) {
			waiters.Go(func() {
				assert.NoError(t, wait(t.Context()))
				assert.Equal(t, seconds*time.Second, time.Since(start))
			})
		}
		waitFor(0, func(ctx context.Context) error { return k.WaitRecords(ctx, events, 0) })
		waitFor(1, func(ctx context.Context) error { return k.WaitRecords(ctx, events, 1) })
		waitFor(2, func(ctx context.Context) error { return k.WaitRecords(ctx, events, 3) })
		waitFor(2, func(ctx context.Context) error {
			return k.WaitRecords(ctx, "arn:aws:kinesis:us-east-1:000000000000:stream/events", 4)
		})
		waitFor(3, func(ctx context.Context) error { return k.WaitCalls(ctx, OpPutRecords, 3) })
		waitFor(4, func(ctx context.Context) error { return k.WaitCalls(ctx, OpListShards, 1) })

		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		waiters.Go(func() {
			assert.ErrorIs(t, k.WaitRecords(ctx, events, 100), context.DeadlineExceeded)
			assert.Equal(t, 1500*time.Millisecond, time.Since(start))
		})
		for range 3 {
			_, err := k.PutRecords(t.Context(), putInput(entry("a", "", "x"), entry("a", "", "y")))
			require.NoError(t, err)
		}
		_, err := k.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(events)})
		require.NoError(t, err)
		waiters.Wait()
		assert.Empty(t, k.waiters)
	})
}

func TestWaitSeesRecordsOfACallThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Config{}, Stream{Name: events, Shards: 1})
		k.Inject(Break(ConnectionHangsStored))
		ctx, cancel := context.WithCancel(t.Context())
		var put sync.WaitGroup
		put.Go(func() {
			_, err := k.PutRecords(ctx, putInput(entry("a", "", "x")))
			assert.ErrorIs(t, err, context.Canceled)
		})
		require.NoError(t, k.WaitRecords(t.Context(), events, 1))
		assert.Zero(t, k.Calls(OpPutRecords)[0].End)
		cancel()
		put.Wait()
	})
}
