// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

const (
	retentionHours   = 24  // as descriptions say; no record is ever trimmed
	defaultListLimit = 100 // of DescribeStream and ListStreams
)

// DescribeStreamSummary describes a stream as the service does. Its errors are those of the SDK's client. It ignores options.
func (k *Kinesis) DescribeStreamSummary(
	ctx context.Context, in *kinesis.DescribeStreamSummaryInput, _ ...func(*kinesis.Options),
) (*kinesis.DescribeStreamSummaryOutput, error) {
	out, err := k.describeStreamSummary(ctx, in)
	return out, sdkError(OpDescribeStreamSummary, err)
}

func (k *Kinesis) describeStreamSummary(
	ctx context.Context, in *kinesis.DescribeStreamSummaryInput,
) (*kinesis.DescribeStreamSummaryOutput, error) {
	return onStream(ctx, k, OpDescribeStreamSummary, referenceOf(in.StreamName, in.StreamARN),
		func(s *stream) (*kinesis.DescribeStreamSummaryOutput, error) {
			return &kinesis.DescribeStreamSummaryOutput{StreamDescriptionSummary: &types.StreamDescriptionSummary{
				StreamName:                 &s.Name,
				StreamARN:                  &s.arn,
				StreamStatus:               types.StreamStatusActive,
				StreamModeDetails:          &types.StreamModeDetails{StreamMode: types.StreamModeProvisioned},
				StreamCreationTimestamp:    &s.created,
				RetentionPeriodHours:       aws.Int32(retentionHours),
				EnhancedMonitoring:         []types.EnhancedMetrics{{ShardLevelMetrics: []types.MetricsName{}}},
				EncryptionType:             types.EncryptionTypeNone,
				OpenShardCount:             aws.Int32(int32(len(s.open))),
				ConsumerCount:              aws.Int32(0),
				MaxRecordSizeInKiB:         aws.Int32(int32(s.MaxRecordSize / 1024)),
				RecordDistributionStrategy: s.Distribution,
			}}, nil
		})
}

func (k *Kinesis) describeStream(
	ctx context.Context, in *kinesis.DescribeStreamInput,
) (*kinesis.DescribeStreamOutput, error) {
	return onStream(ctx, k, OpDescribeStream, referenceOf(in.StreamName, in.StreamARN),
		func(s *stream) (*kinesis.DescribeStreamOutput, error) {
			limit, err := listLimit(in.Limit)
			if err != nil {
				return nil, err
			}
			limit = min(limit, k.config.MaxShardsPerPage)
			shards := []types.Shard{}
			more := false
			for _, sh := range s.shards {
				if sh.id <= deref(in.ExclusiveStartShardId) {
					continue
				}
				if more = len(shards) == limit; more {
					break
				}
				shards = append(shards, sh.describe())
			}
			return &kinesis.DescribeStreamOutput{StreamDescription: &types.StreamDescription{
				StreamName:              &s.Name,
				StreamARN:               &s.arn,
				StreamStatus:            types.StreamStatusActive,
				StreamModeDetails:       &types.StreamModeDetails{StreamMode: types.StreamModeProvisioned},
				StreamCreationTimestamp: &s.created,
				RetentionPeriodHours:    aws.Int32(retentionHours),
				EnhancedMonitoring:      []types.EnhancedMetrics{{ShardLevelMetrics: []types.MetricsName{}}},
				EncryptionType:          types.EncryptionTypeNone,
				Shards:                  shards,
				HasMoreShards:           aws.Bool(more),
			}}, nil
		})
}

// onStream runs a call that reads a stream and changes nothing.
func onStream[T any](
	ctx context.Context, k *Kinesis, operation Operation, ref reference, act func(*stream) (T, error),
) (T, error) {
	return call(ctx, k, &Call{Operation: operation, Stream: ref.streamName()}, func([]string) (T, error) {
		k.mu.Lock()
		defer k.mu.Unlock()
		s, err := k.lookup(ref)
		if err != nil {
			var none T
			return none, err
		}
		return act(s)
	})
}

func listLimit(limit *int32) (int, error) {
	if limit == nil {
		return defaultListLimit, nil
	}
	if *limit < 1 || *limit > 10_000 {
		return 0, newError(CodeValidation, "1 validation error detected: Value '%d' at 'limit' failed to satisfy "+
			"constraint: Member must have value from 1 to 10000", *limit)
	}
	return int(*limit), nil
}

func (k *Kinesis) listStreams(ctx context.Context, in *kinesis.ListStreamsInput) (*kinesis.ListStreamsOutput, error) {
	return call(ctx, k, &Call{Operation: OpListStreams}, func([]string) (*kinesis.ListStreamsOutput, error) {
		limit, err := listLimit(in.Limit)
		if err != nil {
			return nil, err
		}
		after := deref(in.ExclusiveStartStreamName)
		if in.NextToken != nil && !decodeToken(*in.NextToken, &after) {
			return nil, newError(CodeInvalidArgument, "NextToken is not one that ListStreams returned.")
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		names := slices.Sorted(maps.Keys(k.streams))
		names = slices.DeleteFunc(names, func(name string) bool { return name <= after })
		out := &kinesis.ListStreamsOutput{HasMoreStreams: aws.Bool(len(names) > limit)}
		if len(names) > limit {
			names = names[:limit]
			out.NextToken = aws.String(encodeToken(names[limit-1]))
		}
		out.StreamNames = names
		for _, name := range names {
			s := k.streams[name]
			out.StreamSummaries = append(out.StreamSummaries, types.StreamSummary{
				StreamName:              &s.Name,
				StreamARN:               &s.arn,
				StreamStatus:            types.StreamStatusActive,
				StreamModeDetails:       &types.StreamModeDetails{StreamMode: types.StreamModeProvisioned},
				StreamCreationTimestamp: &s.created,
			})
		}
		return out, nil
	})
}

// onDemandShards is the number of shards of a new stream with on-demand capacity.
const onDemandShards = 4

func (k *Kinesis) createStream(
	ctx context.Context, in *kinesis.CreateStreamInput,
) (*kinesis.CreateStreamOutput, error) {
	s := Stream{
		Name:          deref(in.StreamName),
		Shards:        int(aws.ToInt32(in.ShardCount)),
		MaxRecordSize: int(aws.ToInt32(in.MaxRecordSizeInKiB)) * 1024,
		Distribution:  in.RecordDistributionStrategy,
	}
	if in.StreamModeDetails != nil && in.StreamModeDetails.StreamMode == types.StreamModeOnDemand {
		s.Shards = onDemandShards
	}
	c := &Call{Operation: OpCreateStream, Stream: s.Name}
	return call(ctx, k, c, func([]string) (*kinesis.CreateStreamOutput, error) {
		return &kinesis.CreateStreamOutput{}, k.CreateStream(s)
	})
}

func (k *Kinesis) deleteStream(
	ctx context.Context, in *kinesis.DeleteStreamInput,
) (*kinesis.DeleteStreamOutput, error) {
	ref := referenceOf(in.StreamName, in.StreamARN)
	c := &Call{Operation: OpDeleteStream, Stream: ref.streamName()}
	return call(ctx, k, c, func([]string) (*kinesis.DeleteStreamOutput, error) {
		k.mu.Lock()
		defer k.mu.Unlock()
		_, err := k.remove(ref)
		return &kinesis.DeleteStreamOutput{}, err
	})
}

func (k *Kinesis) splitShard(ctx context.Context, in *kinesis.SplitShardInput) (*kinesis.SplitShardOutput, error) {
	ref := referenceOf(in.StreamName, in.StreamARN)
	c := &Call{Operation: OpSplitShard, Stream: ref.streamName()}
	return call(ctx, k, c, func([]string) (*kinesis.SplitShardOutput, error) {
		if deref(in.NewStartingHashKey) == "" {
			return nil, newError(CodeValidation, "1 validation error detected: Value at 'newStartingHashKey' is missing")
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		_, _, err := k.split(ref, deref(in.ShardToSplit), *in.NewStartingHashKey)
		return &kinesis.SplitShardOutput{}, err
	})
}

func (k *Kinesis) mergeShards(ctx context.Context, in *kinesis.MergeShardsInput) (*kinesis.MergeShardsOutput, error) {
	ref := referenceOf(in.StreamName, in.StreamARN)
	c := &Call{Operation: OpMergeShards, Stream: ref.streamName()}
	return call(ctx, k, c, func([]string) (*kinesis.MergeShardsOutput, error) {
		k.mu.Lock()
		defer k.mu.Unlock()
		_, err := k.merge(ref, deref(in.ShardToMerge), deref(in.AdjacentShardToMerge))
		return &kinesis.MergeShardsOutput{}, err
	})
}
