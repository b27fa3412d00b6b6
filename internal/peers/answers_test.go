// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
)

// calls are API calls that return a short text: the answer, or an error code.
type calls struct {
	ctx    context.Context //nolint:containedctx // The test's, for all of them.
	stream string
}

type call = func(client *kinesis.Client) string

// codeOf returns the error code that a client sees.
func codeOf(err error) string {
	if fault, ok := errors.AsType[smithy.APIError](err); ok {
		return fault.ErrorCode()
	}
	return err.Error()
}

// entry returns a record for put; explicitHashKey may be empty.
func entry(partitionKey, explicitHashKey string, size int) types.PutRecordsRequestEntry {
	e := types.PutRecordsRequestEntry{PartitionKey: &partitionKey, Data: make([]byte, size)}
	if explicitHashKey != "" {
		e.ExplicitHashKey = &explicitHashKey
	}
	return e
}

func (c calls) put(entries ...types.PutRecordsRequestEntry) call {
	return c.putTo(&kinesis.PutRecordsInput{StreamName: &c.stream, Records: entries})
}

// putTo returns how many records failed, and their error codes.
func (c calls) putTo(in *kinesis.PutRecordsInput) call {
	return func(client *kinesis.Client) string {
		out, err := client.PutRecords(c.ctx, in)
		if err != nil {
			return codeOf(err)
		}
		codes := map[string]bool{}
		for _, r := range out.Records {
			codes[aws.ToString(r.ErrorCode)] = true
		}
		return fmt.Sprintf("%d of %d failed %s", aws.ToInt32(out.FailedRecordCount), len(out.Records),
			strings.Join(slices.Sorted(maps.Keys(codes)), " "))
	}
}

// list returns the shards of a page, and whether there are more.
func (c calls) list(in *kinesis.ListShardsInput) call {
	return func(client *kinesis.Client) string {
		out, err := client.ListShards(c.ctx, in)
		if err != nil {
			return codeOf(err)
		}
		var numbers []string
		for _, s := range out.Shards {
			numbers = append(numbers, strings.TrimPrefix(*s.ShardId, "shardId-00000000000"))
		}
		return fmt.Sprintf("shards %s, more: %t", strings.Join(numbers, " "), out.NextToken != nil)
	}
}

// listNext lists the page after one of two shards.
func (c calls) listNext(in *kinesis.ListShardsInput) call {
	return func(client *kinesis.Client) string {
		out, err := client.ListShards(c.ctx, &kinesis.ListShardsInput{StreamName: &c.stream, MaxResults: aws.Int32(2)})
		if err != nil {
			return codeOf(err)
		}
		next := *in
		next.NextToken = out.NextToken
		return c.list(&next)(client)
	}
}

// other returns a call of which only the error matters.
func other[In, Out any](
	ctx context.Context,
	method func(*kinesis.Client, context.Context, *In, ...func(*kinesis.Options)) (*Out, error),
	in *In,
) call {
	return func(client *kinesis.Client) string {
		if _, err := method(client, ctx, in); err != nil {
			return codeOf(err)
		}
		return "done"
	}
}

// TestStandInsAnswerAlike makes calls that are at a limit or beyond it. kpltest answers as the service does. The table says
// where kinesis-mock is known to answer in another way.
func TestStandInsAnswerAlike(t *testing.T) {
	const (
		stream     = "asked"
		stored     = "0 of 1 failed "
		invalid    = "InvalidArgumentException"
		validation = "ValidationException"
		notFound   = "ResourceNotFoundException"
		crash      = "UnknownError" // an answer with status 500 and without a code
		maxHashKey = "340282366920938463463374607431768211455"
	)
	ctx := Context(t)
	both := startStandIns(ctx, t, Stream{stream, 3})
	c := calls{ctx, stream}
	name, noName := aws.String(stream), aws.String("none")
	arn := "arn:aws:kinesis:" + Region + ":000000000000:stream/"
	second, noShard := aws.String("shardId-000000000001"), aws.String("shardId-000000000099")
	filter := func(f types.ShardFilter) *kinesis.ListShardsInput {
		return &kinesis.ListShardsInput{StreamName: name, ShardFilter: &f}
	}
	tests := []struct {
		name   string
		call   call
		ours   string
		theirs string // empty if the same
	}{
		{name: "put no data", call: c.put(entry("k", "", 0)), ours: stored},
		{name: "put the longest key", call: c.put(entry(strings.Repeat("☃", 256), "", 1)), ours: stored},
		{name: "put the first hash key", call: c.put(entry("k", "0", 1)), ours: stored},
		{name: "put the last hash key", call: c.put(entry("k", maxHashKey, 1)), ours: stored},
		{
			name: "put 500 records", call: c.put(slices.Repeat([]types.PutRecordsRequestEntry{entry("k", "", 1)}, 500)...),
			ours: "0 of 500 failed ",
		},
		{name: "put the largest record", call: c.put(entry("k", "", 1<<20-1)), ours: stored},
		{name: "put by ARN", call: c.putTo(&kinesis.PutRecordsInput{
			StreamARN: aws.String(arn + stream), Records: []types.PutRecordsRequestEntry{entry("k", "", 1)},
		}), ours: stored},
		{
			name: "put a hash key over the last", call: c.put(entry("k", "340282366920938463463374607431768211456", 1)),
			ours: invalid,
		},
		{name: "put to no stream", call: c.putTo(&kinesis.PutRecordsInput{
			StreamName: noName, Records: []types.PutRecordsRequestEntry{entry("k", "", 1)},
		}), ours: notFound},
		// kinesis-mock has its own error code for inputs that break the constraints of the API's model.
		{name: "put an empty key", call: c.put(entry("", "", 1)), ours: validation, theirs: invalid},
		{name: "put too long a key", call: c.put(entry(strings.Repeat("k", 257), "", 1)), ours: validation, theirs: invalid},
		{name: "put a negative hash key", call: c.put(entry("k", "-1", 1)), ours: validation, theirs: invalid},
		{name: "put a hash key with leading zeros", call: c.put(entry("k", "01", 1)), ours: validation, theirs: invalid},
		{name: "put a word for a hash key", call: c.put(entry("k", "x", 1)), ours: validation, theirs: crash},
		// kinesis-mock has no limit of records, does not count the key, and rejects only the record that is too large.
		{
			name: "put 501 records", call: c.put(slices.Repeat([]types.PutRecordsRequestEntry{entry("k", "", 1)}, 501)...),
			ours: validation, theirs: "0 of 501 failed ",
		},
		{name: "put data and key over the limit", call: c.put(entry("kk", "", 1<<20-1)), ours: validation, theirs: stored},
		{
			name: "put data over the limit", call: c.put(entry("k", "", 1), entry("k", "", 1<<20+1)),
			ours: validation, theirs: "1 of 2 failed  " + invalid,
		},

		{name: "list all", call: c.list(&kinesis.ListShardsInput{StreamName: name}), ours: "shards 0 1 2, more: false"},
		{
			name: "list by ARN", call: c.list(&kinesis.ListShardsInput{StreamARN: aws.String(arn + stream)}),
			ours: "shards 0 1 2, more: false",
		},
		{
			name: "list the open", call: c.list(filter(types.ShardFilter{Type: types.ShardFilterTypeAtLatest})),
			ours: "shards 0 1 2, more: false",
		},
		{
			name: "list a page", call: c.list(&kinesis.ListShardsInput{StreamName: name, MaxResults: aws.Int32(2)}),
			ours: "shards 0 1, more: true",
		},
		{name: "list the next page", call: c.listNext(&kinesis.ListShardsInput{}), ours: "shards 2, more: false"},
		{name: "list the next page of a name", call: c.listNext(&kinesis.ListShardsInput{StreamName: name}), ours: invalid},
		{
			name: "list behind a shard", ours: "shards 2, more: false",
			call: c.list(&kinesis.ListShardsInput{StreamName: name, ExclusiveStartShardId: second}),
		},
		{
			name: "list with a filter behind a shard", ours: "shards 2, more: false",
			call: c.list(filter(types.ShardFilter{Type: types.ShardFilterTypeAfterShardId, ShardId: second})),
		},
		{name: "list no stream", call: c.list(&kinesis.ListShardsInput{StreamName: noName}), ours: notFound},
		{name: "list no ARN", call: c.list(&kinesis.ListShardsInput{StreamARN: aws.String(arn + "none")}), ours: notFound},
		{name: "list nothing", call: c.list(&kinesis.ListShardsInput{}), ours: invalid},
		{name: "list with no token", call: c.list(&kinesis.ListShardsInput{NextToken: aws.String("x")}), ours: invalid},
		{
			name: "list a page of 0", call: c.list(&kinesis.ListShardsInput{StreamName: name, MaxResults: aws.Int32(0)}),
			ours: validation, theirs: crash,
		},

		{name: "create a stream twice", ours: "ResourceInUseException", call: other(ctx, (*kinesis.Client).CreateStream,
			&kinesis.CreateStreamInput{StreamName: name, ShardCount: aws.Int32(1)})},
		{name: "delete no stream", ours: notFound, call: other(ctx, (*kinesis.Client).DeleteStream,
			&kinesis.DeleteStreamInput{StreamName: noName})},
		{name: "describe no stream", ours: notFound, call: other(ctx, (*kinesis.Client).DescribeStreamSummary,
			&kinesis.DescribeStreamSummaryInput{StreamName: noName})},
		{name: "split no shard", ours: notFound, call: other(ctx, (*kinesis.Client).SplitShard,
			&kinesis.SplitShardInput{StreamName: name, ShardToSplit: noShard, NewStartingHashKey: aws.String("7")})},
		{name: "split outside of a shard", ours: invalid, call: other(ctx, (*kinesis.Client).SplitShard,
			&kinesis.SplitShardInput{StreamName: name, ShardToSplit: second, NewStartingHashKey: aws.String("7")})},
		{name: "merge shards that are apart", ours: invalid, call: other(ctx, (*kinesis.Client).MergeShards,
			&kinesis.MergeShardsInput{
				StreamName: name, ShardToMerge: aws.String("shardId-000000000000"),
				AdjacentShardToMerge: aws.String("shardId-000000000002"),
			})},
		{name: "read no shard", ours: notFound, call: other(ctx, (*kinesis.Client).GetShardIterator,
			&kinesis.GetShardIteratorInput{
				StreamName: name, ShardId: noShard, ShardIteratorType: types.ShardIteratorTypeLatest,
			})},
		{name: "read with no iterator", ours: invalid, theirs: crash, call: other(ctx, (*kinesis.Client).GetRecords,
			&kinesis.GetRecordsInput{ShardIterator: aws.String("x")})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			theirs := test.theirs
			if theirs == "" {
				theirs = test.ours
			}
			assert.Equal(t, test.ours, test.call(both.ours), "kpltest")
			assert.Equal(t, theirs, test.call(both.theirs), "kinesis-mock")
		})
	}
}
