// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// maxBatches is the largest number of batches in memory, for all shards together. A batch has 10 MiB at most.
const maxBatches = 16

// reader reads all shards of a stream. It starts to read the children of a reshard when their parents are read to the end.
// So the records of a partition key come in the order in which they were stored.
type reader struct {
	client client
	stream streamName
	from   start
	follow bool // go on reading after the newest record

	interval time.Duration         // from one tick to the next; 0 means no ticks
	tick     func(time.Time) error // is called by read between two batches

	answered bool // the service has answered a call
}

// batch is the records of one GetRecords call, perhaps none.
type batch struct {
	shard   types.Shard
	records []types.Record
	lag     time.Duration // how far behind its newest record the shard was read
	ended   bool          // the shard was read to its end; there are no records
}

// event is sent by the goroutine of a shard. It is a batch or, as the last one, the end of the goroutine.
type event struct {
	batch
	done   bool
	closed bool  // the shard is closed and was read to its end
	err    error // why reading failed
}

// read gives all batches to handle, one at a time. It returns nil when all shards are read up to their newest records. If it
// follows the stream, it returns nil when all shards are closed and read to their ends. Otherwise it returns the first error of
// a call, of handle, of tick or of ctx. All goroutines have ended when it returns.
func (r *reader) read(ctx context.Context, handle func(batch) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()

	events := make(chan event)
	slots := make(chan struct{}, maxBatches)
	family := newLineage()
	running, latest := 0, r.from.latest
	startReady := func() error {
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
		latest = false // A shard that is opened later has no record from before the start.
		return nil
	}

	if err := startReady(); err != nil {
		return err
	}
	ticks, stop := r.ticks()
	defer stop()
	for running > 0 {
		e, err := r.next(ctx, events, ticks)
		if err != nil {
			return err
		}
		switch {
		case !e.done:
			if err := handle(e.batch); err != nil {
				return err
			}
		case e.err != nil:
			return e.err
		default:
			running--
			if e.closed {
				if err := handle(batch{shard: e.shard, ended: true}); err != nil {
					return err
				}
				family.finish(aws.ToString(e.shard.ShardId))
				if err := startReady(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// ticks returns a channel of ticks, which is nil if none are wanted, and a function that ends them.
func (r *reader) ticks() (<-chan time.Time, func()) {
	if r.interval == 0 {
		return nil, func() {}
	}
	ticker := time.NewTicker(r.interval)
	return ticker.C, ticker.Stop
}

// next returns the next event. Until there is one, it calls tick for all ticks.
func (r *reader) next(ctx context.Context, events <-chan event, ticks <-chan time.Time) (event, error) {
	for {
		select {
		case e := <-events:
			return e, nil
		case now := <-ticks:
			if err := r.tick(now); err != nil {
				return event{}, err
			}
		case <-ctx.Done():
			return event{}, ctx.Err()
		}
	}
}

// listShards returns all shards, open and closed. Only the call for the first page names the stream. The others have a token,
// which stands for the stream.
func (r *reader) listShards(ctx context.Context) ([]types.Shard, error) {
	var shards []types.Shard
	in := &kinesis.ListShardsInput{StreamName: r.stream.name(), StreamARN: r.stream.arn()}
	for {
		var patience []func(*kinesis.Options)
		if !r.answered {
			patience = append(patience, firstCall)
		}
		out, err := r.client.ListShards(ctx, in, patience...)
		if err != nil {
			return nil, fmt.Errorf("list the shards of %s: %w", r.stream, err)
		}
		r.answered = true
		shards = append(shards, out.Shards...)
		if aws.ToString(out.NextToken) == "" {
			return shards, nil
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken}
	}
}

// lineage says which shards may be read, so that parents are read before their children. It has the ids of the shards whose
// reading was started and finished.
type lineage struct {
	started, finished map[string]bool
}

func newLineage() *lineage {
	return &lineage{started: map[string]bool{}, finished: map[string]bool{}}
}

// finish notes that a shard was read to its end.
func (l *lineage) finish(id string) { l.finished[id] = true }

// skipClosed marks all closed shards as finished.
func (l *lineage) skipClosed(shards []types.Shard) {
	for _, s := range shards {
		if s.SequenceNumberRange != nil && s.SequenceNumberRange.EndingSequenceNumber != nil {
			id := aws.ToString(s.ShardId)
			l.started[id], l.finished[id] = true, true
		}
	}
}

// ready returns the shards whose reading can start now, and marks them as started. These are the shards that are not
// started, and whose parents are finished or not there any more.
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
