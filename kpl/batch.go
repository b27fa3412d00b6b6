// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"slices"
)

// Batch is a number of records that one caller puts and waits for together. It is not safe for concurrent use.
type Batch struct {
	waiter

	producer *Producer
	// filling has the streams that hold back for more records of the batch.
	filling []*stream
	first   [1]*stream // memory for filling
}

// NewBatch returns an empty batch. Put records into it and then call [Batch.Wait]. Until then the producer takes it that more
// records come, and sends those of the batch when [Config.RecordMaxBufferedTime] is over.
func (p *Producer) NewBatch() *Batch {
	b := &Batch{producer: p, waiter: waiter{done: make(chan struct{})}}
	b.filling = b.first[:0]
	b.missing.Store(1) // the call of Wait
	return b
}

// OnResult lets the producer call f with each Result as soon as it is there, before Wait returns. The index is as in the Results
// of Wait. F is not called for records that were not accepted. From then on the caller may change or reuse the data of the
// record. Call OnResult before the first Put. F is called from other goroutines, one call at a time for a stream, and must not
// block, as with [Producer.Put].
func (b *Batch) OnResult(f func(index int, result Result)) { b.each = f }

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
	r, err := newUserRecord(record, b.producer.config.largestUserRecord())
	if err != nil {
		return err
	}
	r.batch, r.index = &b.waiter, uint32(index) //nolint:gosec // as many as fit into memory
	b.missing.Add(1)
	err = b.producer.put(ctx, record.Stream, &r, b)
	if err != nil {
		b.missing.Add(-1)
	}
	return err
}

// fill makes a stream hold back for more records of the batch.
func (b *Batch) fill(s *stream) {
	if !slices.Contains(b.filling, s) {
		b.filling = append(b.filling, s)
		s.batches.begin()
	}
}

// Wait returns the Results of the batch. The Result at index i is that of the i-th Put.
//
// When ctx ends, records that are in no request yet end with [OutcomeCanceled]. Wait returns once those in flight have
// their Results too, which takes [Config.RequestTimeout] at most. Call it once, and do not use the batch afterwards.
func (b *Batch) Wait(ctx context.Context) []Result {
	for _, s := range b.filling {
		s.filled()
	}
	if b.missing.Add(-1) == 0 {
		return b.results
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		b.canceled.Store(true)
		b.producer.cancel()
		<-b.done
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.results
}
