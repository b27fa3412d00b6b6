// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// load puts small batches of records until it is stopped. Each of its callers puts one batch after the other. Each record
// has its own key.
type load struct {
	stopped chan struct{}
	callers sync.WaitGroup

	mu      sync.Mutex
	puts    int
	shards  map[kpl.ShardID]bool // where the service stored something
	changed chan struct{}        // closed, and replaced, when shards grows
}

func startLoad(ctx context.Context, t *testing.T, producer *kpl.Producer, stream string) *load {
	t.Helper()
	const callers, batchSize = 3, 15
	l := &load{stopped: make(chan struct{}), shards: map[kpl.ShardID]bool{}, changed: make(chan struct{})}
	for range callers {
		l.callers.Go(func() {
			for !l.ended() {
				batch := producer.NewBatch()
				for range batchSize {
					if !assert.NoError(t, batch.Put(ctx, l.next(stream))) {
						return
					}
				}
				if !l.note(t, batch.Wait(ctx)) {
					return
				}
			}
		})
	}
	return l
}

func (l *load) ended() bool {
	select {
	case <-l.stopped:
		return true
	default:
		return false
	}
}

// next returns a record that differs from all others.
func (l *load) next(stream string) kpl.UserRecord {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.puts++
	name := fmt.Sprint("record-", l.puts)
	return kpl.UserRecord{Stream: stream, PartitionKey: name, Data: []byte(name)}
}

func (l *load) note(t *testing.T, results []kpl.Result) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, result := range results {
		if !assert.NoError(t, result.Err) {
			return false
		}
		if !l.shards[result.ShardID] {
			l.shards[result.ShardID] = true
			close(l.changed)
			l.changed = make(chan struct{})
		}
	}
	return true
}

// waitShards returns once records are stored in each of the shards.
func (l *load) waitShards(ctx context.Context, t *testing.T, shards []kpl.ShardID) {
	t.Helper()
	for {
		l.mu.Lock()
		missing := slices.IndexFunc(shards, func(s kpl.ShardID) bool { return !l.shards[s] })
		changed := l.changed
		l.mu.Unlock()
		if missing < 0 {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			require.NoError(t, ctx.Err(), "nothing is stored in %s", shards[missing])
		}
	}
}

// stop ends the load and returns how many records it put.
func (l *load) stop() int {
	close(l.stopped)
	l.callers.Wait()
	return l.puts
}

// TestNothingIsLostInReshards splits, merges and rescales a stream under load, and reads it as the Kinesis Client Library
// does, which drops aggregates that are in the wrong shard.
func TestNothingIsLostInReshards(t *testing.T) {
	const stream = "resharded"
	mock := StartKinesisMock(t, Stream{stream, 2})
	ctx := Context(t)
	producer, _ := newProducer(t, smallPages{mock.Client}, patientConfig())
	load := startLoad(ctx, t, producer, stream)
	open := openShards(ctx, t, mock.Client, stream)
	require.Len(t, open, 2)
	load.waitShards(ctx, t, ids(open))

	reshards := []struct {
		name    string
		reshard func(open []types.Shard) error
		want    int // open shards
	}{
		{"split", func(open []types.Shard) error {
			first := open[0].HashKeyRange
			middle := number(t, *first.StartingHashKey)
			middle = middle.Add(middle, number(t, *first.EndingHashKey)).Rsh(middle, 1)
			_, err := mock.Client.SplitShard(ctx, &kinesis.SplitShardInput{
				StreamName: aws.String(stream), ShardToSplit: open[0].ShardId, NewStartingHashKey: aws.String(middle.String()),
			})
			return err
		}, 3},
		{"merge", func(open []types.Shard) error {
			_, err := mock.Client.MergeShards(ctx, &kinesis.MergeShardsInput{
				StreamName: aws.String(stream), ShardToMerge: open[0].ShardId, AdjacentShardToMerge: open[1].ShardId,
			})
			return err
		}, 2},
		{"rescale", func([]types.Shard) error {
			_, err := mock.Client.UpdateShardCount(ctx, &kinesis.UpdateShardCountInput{
				StreamName: aws.String(stream), TargetShardCount: aws.Int32(4),
				ScalingType: types.ScalingTypeUniformScaling,
			})
			return err
		}, 4},
	}
	for _, r := range reshards {
		require.NoError(t, r.reshard(open), r.name)
		mock.WaitActive(ctx, t, stream)
		open = openShards(ctx, t, mock.Client, stream)
		require.Len(t, open, r.want, r.name)
		load.waitShards(ctx, t, ids(open))
	}
	puts := load.stop()

	stored := ReadStream(ctx, t, mock.Client, stream)
	copies := map[string]int{}
	dropped, aggregated := 0, 0
	for _, s := range stored {
		if s.Aggregated() {
			aggregated++
		}
		if s.Dropped {
			dropped++
			continue
		}
		for _, r := range s.UserRecords {
			require.Equal(t, r.PartitionKey, string(r.Data))
			copies[r.PartitionKey]++
		}
	}
	t.Logf("%d user records in %d Kinesis records, %d aggregated, %d of them in a wrong shard",
		puts, len(stored), aggregated, dropped)
	assert.Positive(t, aggregated)
	require.Zero(t, puts-len(copies), "user records lost")
	for key, n := range copies {
		require.Equal(t, 1, n, "copies of %s that readers see", key)
	}
}

// openShards returns the open shards by hash key.
func openShards(ctx context.Context, t *testing.T, client *kinesis.Client, stream string) []types.Shard {
	t.Helper()
	open := slices.DeleteFunc(ListShards(ctx, t, client, stream), func(s types.Shard) bool {
		return s.SequenceNumberRange.EndingSequenceNumber != nil
	})
	slices.SortFunc(open, func(a, b types.Shard) int {
		return number(t, *a.HashKeyRange.StartingHashKey).Cmp(number(t, *b.HashKeyRange.StartingHashKey))
	})
	return open
}

func ids(shards []types.Shard) []kpl.ShardID {
	all := make([]kpl.ShardID, len(shards))
	for i, s := range shards {
		all[i] = kpl.ShardID(*s.ShardId)
	}
	return all
}
