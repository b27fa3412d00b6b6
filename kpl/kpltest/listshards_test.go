// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shardIDs returns the ids of the shards that in asks for, from all pages.
func shardIDs(t *testing.T, k *Kinesis, in *kinesis.ListShardsInput) (ids []string, pages int) {
	t.Helper()
	for {
		out, err := k.ListShards(t.Context(), in)
		require.NoError(t, err)
		pages++
		for _, sh := range out.Shards {
			ids = append(ids, *sh.ShardId)
		}
		if out.NextToken == nil {
			return ids, pages
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken, MaxResults: in.MaxResults}
	}
}

// requireCode requires an error of the service with a code.
func requireCode(t *testing.T, code string, err error) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, code, api.ErrorCode())
}

func TestListShardsPages(t *testing.T) {
	tests := []struct {
		name       string
		shards     int
		perPage    int // of the Config
		maxResults *int32
		pages      int
	}{
		{"one page by default", 1000, 0, nil, 1},
		{"1,000 a page by default", 1001, 0, nil, 2},
		{"as many as asked for", 10, 0, aws.Int32(4), 3},
		{"no empty last page", 8, 0, aws.Int32(4), 2},
		{"more than there are", 3, 0, aws.Int32(10_000), 1},
		{"no more than configured", 10, 3, aws.Int32(1000), 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := New(Config{MaxShardsPerPage: tt.perPage}, Stream{Name: events, Shards: tt.shards})
			ids, pages := shardIDs(t, k, &kinesis.ListShardsInput{
				StreamName: aws.String(events), MaxResults: tt.maxResults,
				ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeAtLatest},
			})
			assert.Equal(t, tt.pages, pages)
			require.Len(t, ids, tt.shards)
			assert.IsIncreasing(t, ids)
			assert.Len(t, k.Calls(OpListShards), tt.pages)
			assert.Equal(t, events, k.Calls(OpListShards)[tt.pages-1].Stream, "a token stands for the stream")
		})
	}
}

func TestListShardsDescribes(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 2})
	low, high, err := k.SplitShard(events, "shardId-000000000001", "")
	require.NoError(t, err)
	merged, err := k.MergeShards(events, low, "shardId-000000000000")
	require.NoError(t, err)
	assert.Equal(t, []string{"shardId-000000000002", "shardId-000000000003", "shardId-000000000004"},
		[]string{low, high, merged})

	out, err := k.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(events)})
	require.NoError(t, err)
	const (
		half          = "170141183460469231731687303715884105728"
		beforeHalf    = "170141183460469231731687303715884105727"
		threeQuarters = "255211775190703847597530955573826158592"
		beforeThree   = "255211775190703847597530955573826158591"
		last          = "340282366920938463463374607431768211455"
	)
	describe := func(id, start, end, first, last, parent, adjacent string) types.Shard {
		text := func(s string) *string {
			if s == "" {
				return nil
			}
			return &s
		}
		number := func(s string) *string {
			if s == "" {
				return nil
			}
			return aws.String("4959033827149025660800000000000000000000000000000000000" + s)
		}
		return types.Shard{
			ShardId:      aws.String("shardId-00000000000" + id),
			HashKeyRange: &types.HashKeyRange{StartingHashKey: &start, EndingHashKey: &end},
			SequenceNumberRange: &types.SequenceNumberRange{
				StartingSequenceNumber: number(first), EndingSequenceNumber: number(last),
			},
			ParentShardId:         text(parent),
			AdjacentParentShardId: text(adjacent),
		}
	}
	assert.Equal(t, []types.Shard{
		describe("0", "0", beforeHalf, "1", "7", "", ""),
		describe("1", half, last, "2", "3", "", ""),
		describe("2", half, beforeThree, "4", "6", "shardId-000000000001", ""),
		describe("3", threeQuarters, last, "5", "", "shardId-000000000001", ""),
		describe("4", "0", beforeThree, "8", "", "shardId-000000000002", "shardId-000000000000"),
	}, out.Shards)
}

func TestListShardsFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Config{}, Stream{Name: events, Shards: 2})
		created := time.Now()
		require.NoError(t, pause(t.Context(), time.Hour))
		_, _, err := k.SplitShard(events, "shardId-000000000000", "")
		require.NoError(t, err)
		split := time.Now()

		tests := []struct {
			name   string
			filter *types.ShardFilter
			after  *string
			want   []string
		}{
			{"none", nil, nil, []string{"0", "1", "2", "3"}},
			{"none, after a shard", nil, aws.String("shardId-000000000001"), []string{"2", "3"}},
			{"AT_LATEST", &types.ShardFilter{Type: types.ShardFilterTypeAtLatest}, nil, []string{"1", "2", "3"}},
			{"AT_TRIM_HORIZON", &types.ShardFilter{Type: types.ShardFilterTypeAtTrimHorizon}, nil, []string{"0", "1"}},
			{
				"FROM_TRIM_HORIZON",
				&types.ShardFilter{Type: types.ShardFilterTypeFromTrimHorizon},
				nil,
				[]string{"0", "1", "2", "3"},
			},
			{
				"AFTER_SHARD_ID",
				&types.ShardFilter{Type: types.ShardFilterTypeAfterShardId, ShardId: aws.String("shardId-000000000002")},
				nil,
				[]string{"3"},
			},
			{
				"AT_TIMESTAMP of the creation",
				&types.ShardFilter{Type: types.ShardFilterTypeAtTimestamp, Timestamp: &created},
				nil,
				[]string{"0", "1"},
			},
			{
				"AT_TIMESTAMP of the split",
				&types.ShardFilter{Type: types.ShardFilterTypeAtTimestamp, Timestamp: &split},
				nil,
				[]string{"1", "2", "3"},
			},
			{
				"FROM_TIMESTAMP of the creation",
				&types.ShardFilter{Type: types.ShardFilterTypeFromTimestamp, Timestamp: &created},
				nil,
				[]string{"0", "1", "2", "3"},
			},
			{
				"FROM_TIMESTAMP of the split",
				&types.ShardFilter{Type: types.ShardFilterTypeFromTimestamp, Timestamp: &split},
				nil,
				[]string{"1", "2", "3"},
			},
		}
		for _, tt := range tests {
			var want []string
			for _, digit := range tt.want {
				want = append(want, "shardId-00000000000"+digit)
			}
			ids, _ := shardIDs(t, k, &kinesis.ListShardsInput{
				StreamName: aws.String(events), ShardFilter: tt.filter, ExclusiveStartShardId: tt.after, MaxResults: aws.Int32(1),
			})
			assert.Equal(t, want, ids, tt.name)
		}
	})
}

func TestListShardsErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Config{MaxShardsPerPage: 1}, Stream{Name: events, Shards: 2})
		out, err := k.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(events)})
		require.NoError(t, err)
		token := out.NextToken
		name, arn := aws.String(events), aws.String("arn:aws:kinesis:us-east-1:000000000000:stream/events")
		latest := &types.ShardFilter{Type: types.ShardFilterTypeAtLatest}
		iterator := aws.String(encodeToken(iterator{ARN: *arn}))
		tests := []struct {
			name string
			in   kinesis.ListShardsInput
			code string
		}{
			{"no stream", kinesis.ListShardsInput{}, CodeInvalidArgument},
			{"no such stream", kinesis.ListShardsInput{StreamName: aws.String("x")}, CodeResourceNotFound},
			{"token with name", kinesis.ListShardsInput{NextToken: token, StreamName: name}, CodeInvalidArgument},
			{"token with ARN", kinesis.ListShardsInput{NextToken: token, StreamARN: arn}, CodeInvalidArgument},
			{"token with filter", kinesis.ListShardsInput{NextToken: token, ShardFilter: latest}, CodeInvalidArgument},
			{"token with start", kinesis.ListShardsInput{NextToken: token, ExclusiveStartShardId: name}, CodeInvalidArgument},
			{"made-up token", kinesis.ListShardsInput{NextToken: name}, CodeInvalidArgument},
			{"token of another kind", kinesis.ListShardsInput{NextToken: iterator}, CodeInvalidArgument},
			{"changed token", kinesis.ListShardsInput{NextToken: aws.String(*token + "=")}, CodeInvalidArgument},
			{"no results", kinesis.ListShardsInput{StreamName: name, MaxResults: aws.Int32(0)}, CodeValidation},
			{"no filter type", kinesis.ListShardsInput{StreamName: name, ShardFilter: &types.ShardFilter{}}, CodeValidation},
			{
				"filter without its time",
				kinesis.ListShardsInput{StreamName: name, ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeAtTimestamp}},
				CodeInvalidArgument,
			},
			{
				"filter without its shard",
				kinesis.ListShardsInput{StreamName: name, ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeAfterShardId}},
				CodeInvalidArgument,
			},
		}
		for _, tt := range tests {
			_, err := k.ListShards(t.Context(), &tt.in)
			requireCode(t, tt.code, err)
		}
		require.NoError(t, pause(t.Context(), 5*time.Minute))
		_, err = k.ListShards(t.Context(), &kinesis.ListShardsInput{NextToken: token})
		require.NoError(t, err, "tokens live for five minutes")
		require.NoError(t, pause(t.Context(), 1))
		_, err = k.ListShards(t.Context(), &kinesis.ListShardsInput{NextToken: token})
		requireCode(t, CodeExpiredNextToken, err)
	})
}

func TestListShardsTokenOfDeletedStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Config{MaxShardsPerPage: 1}, Stream{Name: events, Shards: 2})
		out, err := k.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(events)})
		require.NoError(t, err)
		require.NoError(t, k.DeleteStream(events))
		require.NoError(t, pause(t.Context(), time.Second))
		require.NoError(t, k.CreateStream(Stream{Name: events, Shards: 2}))
		_, err = k.ListShards(t.Context(), &kinesis.ListShardsInput{NextToken: out.NextToken})
		requireCode(t, CodeResourceNotFound, err)
	})
}
