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

// pollInterval is the least time from one GetRecords call on a shard to the next: the service allows 5 a second.
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
	begun  bool      // there was an iterator; what came since must not be missed
}

// run reads the shard and tells its events, until ctx ends.
func (s *shardReader) run(ctx context.Context) {
	closed, err := s.read(ctx)
	if err != nil {
		err = fmt.Errorf("read %s: %w", aws.ToString(s.shard.ShardId), err)
	}
	s.tell(ctx, event{batch: batch{shard: s.shard}, ended: true, closed: closed, err: err})
}

// tell hands over an event, unless ctx ends first.
func (s *shardReader) tell(ctx context.Context, e event) {
	select {
	case s.events <- e:
	case <-ctx.Done():
	}
}

// read reads up to the tip, or for ever if it follows the stream. It reports whether the shard is closed and nothing is
// left in it.
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
			next, err = s.iterator(ctx) // Iterators live for 5 minutes, which a consumer that stalls outlasts.
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

// poll reads once and hands over what it gets. It returns the iterator to go on with, nil at the end of a closed shard,
// and whether this is the tip.
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
		s.tell(ctx, event{batch: batch{shard: s.shard, records: out.Records}})
	}
	return out.NextShardIterator, s.atTip(out), nil
}

// atTip reports whether everything was read that was there when reading began. A shard under load may never be found
// empty, so a record that came later will do as well.
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

// iterator returns an iterator after the last record, or at the start if there was none.
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
