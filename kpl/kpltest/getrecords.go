// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"context"
	"sort"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Limits of GetRecords.
const (
	maxRecordsPerRead = 10_000
	maxBytesPerRead   = 10 << 20
)

// iterator is the content of a shard iterator.
type iterator struct {
	ARN      string
	Created  int64 // when the stream was created, in Unix nanoseconds
	ShardID  string
	Position int   // how many records of the shard come before the iterator
	Issued   int64 // when the iterator was returned, in Unix nanoseconds
}

func newIterator(s *stream, sh *shard, position int) *string {
	return aws.String(encodeToken(iterator{s.arn, s.created.UnixNano(), sh.id, position, time.Now().UnixNano()}))
}

func (k *Kinesis) getShardIterator(
	ctx context.Context, in *kinesis.GetShardIteratorInput,
) (*kinesis.GetShardIteratorOutput, error) {
	ref := referenceOf(in.StreamName, in.StreamARN)
	c := &Call{Operation: OpGetShardIterator, Stream: ref.streamName()}
	return call(ctx, k, c, func([]string) (*kinesis.GetShardIteratorOutput, error) {
		k.mu.Lock()
		defer k.mu.Unlock()
		s, err := k.lookup(ref)
		if err != nil {
			return nil, err
		}
		sh, err := s.shard(deref(in.ShardId))
		if err != nil {
			return nil, err
		}
		position, err := sh.position(in)
		if err != nil {
			return nil, err
		}
		return &kinesis.GetShardIteratorOutput{ShardIterator: newIterator(s, sh, position)}, nil
	})
}

// position returns how many records of the shard come before the place where an iterator starts.
func (sh *shard) position(in *kinesis.GetShardIteratorInput) (int, error) {
	firstThat := func(condition func(*Record) bool) int {
		return sort.Search(len(sh.records), func(i int) bool { return condition(sh.records[i]) })
	}
	switch in.ShardIteratorType {
	case types.ShardIteratorTypeTrimHorizon:
		return 0, nil
	case types.ShardIteratorTypeLatest:
		return len(sh.records), nil
	case types.ShardIteratorTypeAtSequenceNumber, types.ShardIteratorTypeAfterSequenceNumber:
		number := deref(in.StartingSequenceNumber)
		if _, ok := parseSequence(number); !ok {
			return 0, newError(CodeInvalidArgument, "StartingSequenceNumber %q is none of this stream.", number)
		}
		after := in.ShardIteratorType == types.ShardIteratorTypeAfterSequenceNumber
		return firstThat(func(r *Record) bool {
			return r.SequenceNumber > number || !after && r.SequenceNumber == number
		}), nil
	case types.ShardIteratorTypeAtTimestamp:
		if in.Timestamp == nil {
			return 0, newError(CodeInvalidArgument, "Timestamp must be given with ShardIteratorType AT_TIMESTAMP.")
		}
		return firstThat(func(r *Record) bool { return !r.Arrived.Before(*in.Timestamp) }), nil
	}
	return 0, newError(CodeValidation, "1 validation error detected: Value '%s' at 'shardIteratorType' failed to satisfy "+
		"constraint: Member must satisfy enum value set", in.ShardIteratorType)
}

func (k *Kinesis) getRecords(ctx context.Context, in *kinesis.GetRecordsInput) (*kinesis.GetRecordsOutput, error) {
	var it iterator
	ok := decodeToken(deref(in.ShardIterator), &it)
	c := &Call{Operation: OpGetRecords, Stream: reference{arn: it.ARN}.streamName()}
	return call(ctx, k, c, func([]string) (*kinesis.GetRecordsOutput, error) {
		if !ok {
			return nil, newError(CodeInvalidArgument, "ShardIterator is not one that was returned.")
		}
		if time.Since(time.Unix(0, it.Issued)) > tokenLife {
			return nil, newError(CodeExpiredIterator, "Iterator expired.")
		}
		limit := aws.ToInt32(in.Limit)
		if in.Limit == nil {
			limit = maxRecordsPerRead
		}
		if limit < 1 || limit > maxRecordsPerRead {
			return nil, newError(CodeValidation, "1 validation error detected: Value '%d' at 'limit' failed to satisfy "+
				"constraint: Member must have value from 1 to %d", limit, maxRecordsPerRead)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.readFrom(it, int(limit))
	})
}

// readFrom returns up to limit records from the place of an iterator on. The caller holds the mutex.
func (k *Kinesis) readFrom(it iterator, limit int) (*kinesis.GetRecordsOutput, error) {
	s, err := k.lookup(reference{arn: it.ARN})
	if err != nil {
		return nil, err
	}
	sh, err := s.shard(it.ShardID)
	if err != nil || it.Created != s.created.UnixNano() || it.Position > len(sh.records) {
		return nil, newError(CodeResourceNotFound, "Shard %s of the iterator's stream is no more.", it.ShardID)
	}
	out := &kinesis.GetRecordsOutput{Records: []types.Record{}, MillisBehindLatest: aws.Int64(0)}
	bytes := 0
	unread := sh.records[it.Position:]
	for len(unread) > 0 && len(out.Records) < limit {
		record := unread[0]
		if bytes += len(record.Data); bytes > maxBytesPerRead && len(out.Records) > 0 {
			break
		}
		unread = unread[1:]
		out.Records = append(out.Records, types.Record{
			Data:                        record.Data,
			PartitionKey:                partitionKeyOf(record),
			SequenceNumber:              aws.String(record.SequenceNumber),
			ApproximateArrivalTimestamp: aws.Time(record.Arrived),
		})
	}
	if len(unread) > 0 {
		out.MillisBehindLatest = aws.Int64(time.Since(unread[0].Arrived).Milliseconds())
	}
	if len(unread) == 0 && sh.last != 0 {
		out.ChildShards = s.children(sh)
		return out, nil
	}
	out.NextShardIterator = newIterator(s, sh, len(sh.records)-len(unread))
	return out, nil
}

// children returns the shards that a split or a merge opened in place of a shard.
func (s *stream) children(parent *shard) []types.ChildShard {
	var children []types.ChildShard
	for _, sh := range s.shards {
		if sh.parent != parent.id && sh.adjacentParent != parent.id {
			continue
		}
		child := types.ChildShard{ShardId: &sh.id, HashKeyRange: sh.hashKeyRange(), ParentShards: []string{sh.parent}}
		if sh.adjacentParent != "" {
			child.ParentShards = append(child.ParentShards, sh.adjacentParent)
		}
		children = append(children, child)
	}
	return children
}

// partitionKeyOf returns a record's partition key; nil if it has none.
func partitionKeyOf(record *Record) *string {
	if record.PartitionKey == "" {
		return nil
	}
	return &record.PartitionKey
}
