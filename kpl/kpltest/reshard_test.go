// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReshardRoutes(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 1})
	shardOf := func(explicitHashKey string) string {
		out, err := k.PutRecords(t.Context(), putInput(entry("a", explicitHashKey, "x")))
		require.NoError(t, err)
		return *out.Records[0].ShardId
	}
	low, high, err := k.SplitShard(events, "shardId-000000000000", "100")
	require.NoError(t, err)
	assert.Equal(t, low, shardOf("99"))
	assert.Equal(t, high, shardOf("100"))
	merged, err := k.MergeShards(events, high, low)
	require.NoError(t, err)
	assert.Equal(t, merged, shardOf("0"))
	assert.Equal(t, merged, shardOf(maxHashKey.String()))

	records := k.Records(events)
	for i := range records[1:] {
		assert.Less(t, records[i].SequenceNumber, records[i+1].SequenceNumber)
	}
}

func TestReshardErrors(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 3})
	const first, second, third = "shardId-000000000000", "shardId-000000000001", "shardId-000000000002"
	split := func(stream, shard, at string) error {
		_, _, err := k.SplitShard(stream, shard, at)
		return err
	}
	merge := func(a, b string) error {
		_, err := k.MergeShards(events, a, b)
		return err
	}
	require.ErrorContains(t, split("x", first, ""), CodeResourceNotFound)
	require.ErrorContains(t, split(events, "x", ""), CodeResourceNotFound)
	require.ErrorContains(t, split(events, first, "0"), CodeInvalidArgument, "the lower shard would be empty")
	require.ErrorContains(t, split(events, second, "0"), CodeInvalidArgument)
	require.ErrorContains(t, split(events, first, maxHashKey.String()), CodeInvalidArgument)
	require.ErrorContains(t, split(events, first, "x"), CodeInvalidArgument)
	require.ErrorContains(t, merge(first, third), CodeInvalidArgument, "the space is no ring")
	require.ErrorContains(t, merge(third, first), CodeInvalidArgument)
	require.ErrorContains(t, merge(first, first), CodeInvalidArgument)
	require.ErrorContains(t, merge(first, "x"), CodeResourceNotFound)

	require.NoError(t, split(events, first, "1"))
	require.ErrorContains(t, split(events, first, ""), CodeResourceInUse)
	require.ErrorContains(t, merge(first, second), CodeResourceInUse)
	require.ErrorContains(t, split(events, "shardId-000000000003", ""), CodeInvalidArgument, "a single hash key")
}

func TestUpdateShardCount(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 4})
	c := sdkClient(t, k)
	parents := func(shards []types.Shard) (with int) {
		for _, sh := range shards {
			if sh.ParentShardId != nil {
				with++
			}
		}
		return with
	}
	for _, target := range []int{8, 5, 3, 6, 3, 2, 1, 2} {
		before := len(k.OpenShards(events))
		out, err := c.UpdateShardCount(t.Context(), &kinesis.UpdateShardCountInput{
			StreamName: aws.String(events), TargetShardCount: aws.Int32(int32(target)), ScalingType: types.ScalingTypeUniformScaling,
		})
		require.NoError(t, err, target)
		assert.Equal(t, int32(before), *out.CurrentShardCount)
		assert.Equal(t, int32(target), *out.TargetShardCount)

		listed, err := c.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(events)})
		require.NoError(t, err)
		var open []string
		for _, sh := range listed.Shards {
			if sh.SequenceNumberRange.EndingSequenceNumber == nil {
				open = append(open, *sh.HashKeyRange.StartingHashKey)
			}
		}
		var want []string
		for _, start := range evenStarts(target) {
			want = append(want, start.String())
		}
		assert.ElementsMatch(t, want, open)
		assert.Equal(t, len(listed.Shards)-4, parents(listed.Shards), "new shards have parents")
	}
	for _, target := range []int{0, -1, 5} {
		require.ErrorContains(t, k.UpdateShardCount(events, target), CodeInvalidArgument)
	}
	require.ErrorContains(t, k.UpdateShardCount("other", 2), CodeResourceNotFound)
	_, err := c.UpdateShardCount(t.Context(), &kinesis.UpdateShardCountInput{
		StreamName: aws.String(events), TargetShardCount: aws.Int32(4), ScalingType: "OTHER",
	})
	requireCode(t, CodeValidation, err)
}
