package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// maxBatches bounds the batches in memory, each of 10 MiB at most, however many shards the stream has.
const maxBatches = 16

// reader reads all shards of a stream: children of a reshard once their parents are read to the end, so that records of
// a partition key come in the order in which they were stored.
type reader struct {
	client client
	stream streamName
	latest bool // start at the tip rather than the horizon
	follow bool // keep reading at the tip rather than stop there
}

// batch is what one call brought from a shard. It is never empty.
type batch struct {
	shard   types.Shard
	records []types.Record
}

// event is what the goroutine of a shard tells: a batch, or, last, that it has ended.
type event struct {
	batch
	ended  bool
	closed bool  // the shard was read to its very end
	err    error // why reading ended before its time
}

// read hands all batches to handle, one at a time. It returns nil at the tip of all shards, or at their ends if it
// follows the stream; else the first error of a call or of handle, or ctx's. No goroutine is left then.
func (r *reader) read(ctx context.Context, handle func(batch) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()

	events := make(chan event)
	slots := make(chan struct{}, maxBatches)
	family := newLineage()
	running, latest := 0, r.latest
	start := func() error {
		shards, err := r.listShards(ctx)
		if err != nil {
			return err
		}
		if latest {
			family.skipClosed(shards)
		}
		for _, s := range family.ready(shards) {
			sr := &shardReader{reader: r, shard: s, latest: latest, events: events, slots: slots}
			running++
			group.Go(func() { sr.run(ctx) })
		}
		latest = false // What appears later has nothing from before the start.
		return nil
	}

	if err := start(); err != nil {
		return err
	}
	for running > 0 {
		var e event
		select {
		case e = <-events:
		case <-ctx.Done():
			return ctx.Err()
		}
		switch {
		case !e.ended:
			if err := handle(e.batch); err != nil {
				return err
			}
		case e.err != nil:
			return e.err
		default:
			running--
			if e.closed {
				family.finish(aws.ToString(e.shard.ShardId))
				if err := start(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// listShards lists all shards, open and closed. The pages after the first name no stream: their token does.
func (r *reader) listShards(ctx context.Context) ([]types.Shard, error) {
	var shards []types.Shard
	in := &kinesis.ListShardsInput{StreamName: r.stream.name(), StreamARN: r.stream.arn()}
	for {
		out, err := r.client.ListShards(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list the shards of %s: %w", r.stream, err)
		}
		shards = append(shards, out.Shards...)
		if aws.ToString(out.NextToken) == "" {
			return shards, nil
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken}
	}
}

// lineage knows which shards were started and which are finished, by their ids.
type lineage struct {
	started, finished map[string]bool
}

func newLineage() *lineage {
	return &lineage{started: map[string]bool{}, finished: map[string]bool{}}
}

// finish notes that nothing more is to be read from a shard.
func (l *lineage) finish(id string) { l.finished[id] = true }

// skipClosed takes shards that accept no records any more for finished.
func (l *lineage) skipClosed(shards []types.Shard) {
	for _, s := range shards {
		if s.SequenceNumberRange != nil && s.SequenceNumberRange.EndingSequenceNumber != nil {
			id := aws.ToString(s.ShardId)
			l.started[id], l.finished[id] = true, true
		}
	}
}

// ready returns the shards to start now, and takes them for started: those not started yet whose parents are finished
// or beyond the horizon.
func (l *lineage) ready(shards []types.Shard) []types.Shard {
	listed := make(map[string]bool, len(shards))
	for _, s := range shards {
		listed[aws.ToString(s.ShardId)] = true
	}
	unread := func(parent *string) bool {
		id := aws.ToString(parent)
		return (listed[id] || l.started[id]) && !l.finished[id]
	}
	var ready []types.Shard
	for _, s := range shards {
		if l.started[aws.ToString(s.ShardId)] || unread(s.ParentShardId) || unread(s.AdjacentParentShardId) {
			continue
		}
		ready = append(ready, s)
	}
	for _, s := range ready {
		l.started[aws.ToString(s.ShardId)] = true
	}
	return ready
}
