// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"sync/atomic"
)

// CallerGroup stands for a fixed number of callers that put records and wait for their Results, such as the consumers of
// a queue. While all of them wait, no further record can arrive from them. The records that they wait for are then sent at
// once, before [Config.RecordMaxBufferedTime] is over. So this time never limits their throughput.
type CallerGroup struct {
	producer *Producer
	number   int64
	waiting  atomic.Int64
}

// NewCallerGroup returns a group of n callers. If n is 0, their number is unknown. The producer then never assumes that all
// of them wait.
func (p *Producer) NewCallerGroup(n int) *CallerGroup {
	return &CallerGroup{producer: p, number: int64(n)}
}

// NewBatch returns an empty batch for one of the callers.
func (g *CallerGroup) NewBatch() *Batch {
	b := &Batch{group: g, waiter: waiter{done: make(chan struct{}), waiting: &g.waiting}}
	b.missing.Store(1) // the call of Wait
	return b
}

// Batch is a number of records that one caller puts and waits for together. It is not safe for concurrent use.
type Batch struct {
	waiter

	group   *CallerGroup
	filling bool
}

// Put adds a record to the batch. It blocks and fails as [Producer.Put] does. A record that was not accepted is part of
// the batch too: its Result has the error that Put returns.
func (b *Batch) Put(ctx context.Context, record UserRecord) error {
	index := b.reserve()
	err := b.put(ctx, &record, index)
	if err == nil {
		return nil
	}
	failure := notAccepted(err)
	b.set(index, Result{Err: failure})
	return failure
}

// put gives a record to the producer. Its Result has an index in the batch. The error is why it was not accepted.
func (b *Batch) put(ctx context.Context, record *UserRecord, index int) error {
	p := b.group.producer
	r, err := newUserRecord(record, p.config.MaxRecordSize)
	if err != nil {
		return err
	}
	if !b.filling {
		b.filling = true
		p.filling.Add(1)
	}
	r.batch, r.index = &b.waiter, uint32(index) //nolint:gosec // as many as fit into memory
	b.missing.Add(1)
	err = p.put(ctx, record.Stream, &r)
	if err != nil {
		b.missing.Add(-1)
	}
	return err
}

// Wait returns the Results of the batch. The Result at index i is that of the i-th Put.
//
// When ctx ends, records that are in no request yet end with [OutcomeCanceled]. Wait returns once those in flight have
// their Results too, which takes [Config.RequestTimeout] at most. Call it once, and do not use the batch afterwards.
func (b *Batch) Wait(ctx context.Context) []Result {
	p := b.group.producer
	if b.filling {
		p.filling.Add(-1)
	}
	waiting := b.group.waiting.Add(1)
	if b.missing.Add(-1) == 0 {
		b.group.waiting.Add(-1)
		return b.results
	}
	if waiting == b.group.number {
		p.commit()
	} else if !p.config.buffers() {
		p.wake() // the streams may have held back for the rest of the batch
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		b.canceled.Store(true)
		p.cancel()
		<-b.done
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.results
}
