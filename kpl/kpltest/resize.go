// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// UpdateShardCount splits and merges the open shards of a stream, given by name or ARN, until it has the given number of open
// shards with ranges of equal size. As the service does, it returns an error for less than half or more than twice as many
// shards as there are.
func (k *Kinesis) UpdateShardCount(stream string, shards int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, err := k.resize(parseReference(stream), shards)
	return err
}

// resize does what UpdateShardCount does, and returns how many open shards there were. The caller holds the mutex.
func (k *Kinesis) resize(ref reference, shards int) (before int, err error) {
	s, err := k.lookup(ref)
	if err != nil {
		return 0, err
	}
	before = len(s.open)
	if shards < 1 || shards < (before+1)/2 || shards > 2*before {
		return 0, newError(CodeInvalidArgument, "TargetShardCount %d must be from half to twice the %d open shards of stream %s.",
			shards, before, s.Name)
	}
	starts := evenStarts(shards)
	for _, start := range starts { // First every range gets its start, by a split where there is none.
		if holder := s.route(start); holder.start != start {
			if _, _, err := k.split(ref, holder.id, start.String()); err != nil {
				return 0, err
			}
		}
	}
	for i := 1; i < len(s.open); { // Then what lies between two starts is merged.
		if slices.Contains(starts, s.open[i].start) {
			i++
			continue
		}
		if _, err := k.merge(ref, s.open[i-1].id, s.open[i].id); err != nil {
			return 0, err
		}
	}
	return before, nil
}

func (k *Kinesis) updateShardCount(
	ctx context.Context, in *kinesis.UpdateShardCountInput,
) (*kinesis.UpdateShardCountOutput, error) {
	ref := referenceOf(in.StreamName, in.StreamARN)
	c := &Call{Operation: OpUpdateShardCount, Stream: ref.streamName()}
	return call(ctx, k, c, func([]string) (*kinesis.UpdateShardCountOutput, error) {
		if in.ScalingType != types.ScalingTypeUniformScaling {
			return nil, newError(CodeValidation, "1 validation error detected: Value '%s' at 'scalingType' failed to satisfy "+
				"constraint: Member must satisfy enum value set: [UNIFORM_SCALING]", in.ScalingType)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		s, err := k.lookup(ref)
		if err != nil {
			return nil, err
		}
		before, err := k.resize(ref, int(aws.ToInt32(in.TargetShardCount)))
		if err != nil {
			return nil, err
		}
		return &kinesis.UpdateShardCountOutput{
			StreamName:        &s.Name,
			StreamARN:         &s.arn,
			CurrentShardCount: aws.Int32(int32(before)),
			TargetShardCount:  in.TargetShardCount,
		}, nil
	})
}
