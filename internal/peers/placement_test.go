// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// standIns are two stand-ins for Kinesis that were written independently: kpltest, which the tests of this project use, and
// kinesis-mock.
type standIns struct{ ours, theirs *kinesis.Client }

func startStandIns(ctx context.Context, t *testing.T, streams ...Stream) standIns {
	t.Helper()
	server := httptest.NewServer(kpltest.New(kpltest.Config{}).Handler())
	t.Cleanup(server.Close)
	s := standIns{NewClient(t, server.URL), StartKinesisMock(t, streams...).Client}
	for _, stream := range streams {
		_, err := s.ours.CreateStream(ctx, &kinesis.CreateStreamInput{
			StreamName: &stream.Name, ShardCount: aws.Int32(int32(stream.Shards)),
		})
		require.NoError(t, err)
	}
	return s
}

// waitActive waits until a stream accepts calls after a reshard.
func (s standIns) waitActive(ctx context.Context, t *testing.T, stream string) {
	t.Helper()
	for _, client := range []*kinesis.Client{s.ours, s.theirs} {
		(&KinesisMock{Client: client}).WaitActive(ctx, t, stream)
	}
}

// describeShards returns a line for each shard, without what a stand-in may choose freely.
func describeShards(shards []types.Shard) []string {
	lines := make([]string, len(shards))
	for i, s := range shards {
		lines[i] = fmt.Sprintf("%s: %s to %s, parents %q %q, closed: %t", *s.ShardId,
			*s.HashKeyRange.StartingHashKey, *s.HashKeyRange.EndingHashKey,
			aws.ToString(s.ParentShardId), aws.ToString(s.AdjacentParentShardId),
			s.SequenceNumberRange.EndingSequenceNumber != nil)
	}
	return lines
}

// shardsOf returns the shard of each record of a PutRecords call.
func shardsOf(
	ctx context.Context, t *testing.T, client *kinesis.Client, stream string, records []types.PutRecordsRequestEntry,
) []string {
	t.Helper()
	out, err := client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &stream, Records: records})
	require.NoError(t, err)
	assert.Equal(t, int32(0), aws.ToInt32(out.FailedRecordCount))
	shards := make([]string, len(out.Records))
	for i, r := range out.Records {
		assert.NotEmpty(t, aws.ToString(r.SequenceNumber))
		shards[i] = aws.ToString(r.ShardId)
	}
	return shards
}

// keysToPlace returns records with keys of all kinds. Some are the first and the last hash keys of shards.
func keysToPlace(t *testing.T, shards []types.Shard) []types.PutRecordsRequestEntry {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	var records []types.PutRecordsRequestEntry
	add := func(partitionKey, explicitHashKey string) {
		r := types.PutRecordsRequestEntry{PartitionKey: &partitionKey, Data: []byte(partitionKey)}
		if explicitHashKey != "" {
			r.ExplicitHashKey = &explicitHashKey
		}
		records = append(records, r)
	}
	for i := range 150 {
		add(fmt.Sprint("key-", i), "")
		add(fmt.Sprint("Schlüssel ☃ ", i), "")
		add("key", randomHashKey(random))
	}
	for _, s := range shards {
		add("border", *s.HashKeyRange.StartingHashKey)
		add("border", *s.HashKeyRange.EndingHashKey)
	}
	require.LessOrEqual(t, len(records), 500)
	return records
}

// TestStandInsPlaceRecordsAlike puts the same records into both, before and after reshards.
func TestStandInsPlaceRecordsAlike(t *testing.T) {
	const stream = "placed"
	ctx := Context(t)
	both := startStandIns(ctx, t, Stream{stream, 5})
	compare := func(step string) []types.Shard {
		ours, theirs := ListShards(ctx, t, both.ours, stream), ListShards(ctx, t, both.theirs, stream)
		require.Equal(t, describeShards(theirs), describeShards(ours), step)
		keys := keysToPlace(t, ours)
		require.Equal(t, shardsOf(ctx, t, both.theirs, stream, keys), shardsOf(ctx, t, both.ours, stream, keys), step)
		return ours
	}
	shards := compare("new")
	split := number(t, *shards[2].HashKeyRange.StartingHashKey)
	split.Add(split, big.NewInt(123_456_789))
	for _, client := range []*kinesis.Client{both.ours, both.theirs} {
		_, err := client.SplitShard(ctx, &kinesis.SplitShardInput{
			StreamName: aws.String(stream), ShardToSplit: shards[2].ShardId, NewStartingHashKey: aws.String(split.String()),
		})
		require.NoError(t, err)
	}
	both.waitActive(ctx, t, stream)
	compare("after a split")
	for _, client := range []*kinesis.Client{both.ours, both.theirs} {
		_, err := client.MergeShards(ctx, &kinesis.MergeShardsInput{
			StreamName: aws.String(stream), ShardToMerge: shards[0].ShardId, AdjacentShardToMerge: shards[1].ShardId,
		})
		require.NoError(t, err)
	}
	both.waitActive(ctx, t, stream)
	compare("after a merge")

	ours, theirs := ReadStream(ctx, t, both.ours, stream), ReadStream(ctx, t, both.theirs, stream)
	require.Len(t, ours, len(theirs))
	for i := range ours { // Both are in the order of the shards, and within a shard in the order of the puts.
		assert.Equal(t, *theirs[i].Shard.ShardId, *ours[i].Shard.ShardId)
		assert.Equal(t, theirs[i].UserRecords, ours[i].UserRecords)
	}
}
