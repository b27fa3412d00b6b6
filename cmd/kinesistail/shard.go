// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// pollInterval is the shortest time from one GetRecords call on a shard to the next. The service allows 5 calls a second.
const pollInterval = 200 * time.Millisecond

// shardReader reads one shard.
type shardReader struct {
	*reader
	shard  types.Shard
	latest bool
	events chan<- event
	slots  chan struct{} // one is held while a batch is in memory

	last   *string   // sequence number of the last record; nil before the first
	opened time.Time // when reading began
	begun  bool      // there was an iterator; no record that arrived since may be missed
}

// run reads the shard and sends its events until ctx ends.
func (s *shardReader) run(ctx context.Context) {
	closed, err := s.read(ctx)
	if err != nil {
		err = fmt.Errorf("read %s: %w", aws.ToString(s.shard.ShardId), err)
	}
	s.report(ctx, event{batch: batch{shard: s.shard}, done: true, closed: closed, err: err})
}

// report sends an event, unless ctx ends first.
func (s *shardReader) report(ctx context.Context, e event) {
	select {
	case s.events <- e:
	case <-ctx.Done():
	}
}

// read reads the shard up to its newest record, or until ctx ends if it follows the stream. closed says whether the shard is
// closed and was read to its end.
func (s *shardReader) read(ctx context.Context) (closed bool, err error) {
	s.opened = time.Now()
	iterator, err := s.iterator(ctx)
	if err != nil {
		return false, err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for iterator != nil {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		timer.Reset(pollInterval)

		next, tip, err := s.poll(ctx, iterator)
		if _, expired := errors.AsType[*types.ExpiredIteratorException](err); expired {
			next, err = s.iterator(ctx) // An iterator is valid for 5 minutes. A slow consumer may take longer.
		}
		if err != nil {
			return false, err
		}
		if tip && !s.follow && next != nil {
			return false, nil
		}
		iterator = next
	}
	return true, nil
}

// poll makes one GetRecords call and sends its records. It returns the next iterator, which is nil at the end of a closed
// shard. tip says whether the shard was read up to its newest record.
func (s *shardReader) poll(ctx context.Context, iterator *string) (next *string, tip bool, err error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	out, err := s.client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: iterator, StreamARN: s.stream.arn()})
	if err != nil {
		return nil, false, err
	}
	if len(out.Records) > 0 {
		s.last = out.Records[len(out.Records)-1].SequenceNumber
	}
	lag := time.Duration(aws.ToInt64(out.MillisBehindLatest)) * time.Millisecond
	s.report(ctx, event{batch: batch{shard: s.shard, records: out.Records, lag: lag}})
	return out.NextShardIterator, s.atTip(out), nil
}

// atTip reports whether all records were read that were there when reading began. A call on a shard under load may always
// return records. So a record that arrived after reading began is enough.
func (s *shardReader) atTip(out *kinesis.GetRecordsOutput) bool {
	if aws.ToInt64(out.MillisBehindLatest) > 0 {
		return false
	}
	if len(out.Records) == 0 {
		return true
	}
	arrived := out.Records[len(out.Records)-1].ApproximateArrivalTimestamp
	return arrived != nil && arrived.After(s.opened)
}

// iterator returns an iterator that starts after the last record that was read, or where reading is to begin if there is none.
func (s *shardReader) iterator(ctx context.Context) (*string, error) {
	in := &kinesis.GetShardIteratorInput{
		StreamName:        s.stream.name(),
		StreamARN:         s.stream.arn(),
		ShardId:           s.shard.ShardId,
		ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	}
	switch {
	case s.last != nil:
		in.ShardIteratorType, in.StartingSequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, s.last
	case s.latest && s.begun:
		in.ShardIteratorType, in.Timestamp = types.ShardIteratorTypeAtTimestamp, &s.opened
	case !s.from.at.IsZero():
		in.ShardIteratorType, in.Timestamp = types.ShardIteratorTypeAtTimestamp, &s.from.at
	case s.latest:
		in.ShardIteratorType = types.ShardIteratorTypeLatest
	}
	out, err := s.client.GetShardIterator(ctx, in)
	if err != nil {
		return nil, err
	}
	s.begun = true
	return out.ShardIterator, nil
}
