package kpl

import (
	"context"
	"sync/atomic"
)

// Callers stands for a fixed number of callers that put records and wait for their Results, such as the consumers of a
// queue. Once all of them wait, no further record can arrive from them: what they wait for is then sent at once,
// whatever [Config.RecordMaxBufferedTime] says. So that time never limits their throughput.
type Callers struct {
	producer *Producer
	number   int64
	waiting  atomic.Int64
}

// Callers returns a group of n callers. With n of 0 their number is not known, and they are never taken to be all
// waiting.
func (p *Producer) Callers(n int) *Callers { return &Callers{producer: p, number: int64(n)} }

// Begin starts a batch for one of the callers.
func (c *Callers) Begin() *Batch {
	b := &Batch{callers: c, waiter: waiter{done: make(chan struct{}), waiting: &c.waiting}}
	b.missing.Store(1) // the call of Wait
	return b
}

// Batch is a number of records that one caller puts and waits for together. It is not safe for concurrent use.
type Batch struct {
	waiter

	callers *Callers
	filling bool
}

// Put accepts a record into the batch. It blocks and fails as [Producer.Put] does; a record that was not accepted is
// not part of the batch.
func (b *Batch) Put(ctx context.Context, record UserRecord) error {
	p := b.callers.producer
	r, err := newUserRecord(&record, p.config.MaxRecordSize)
	if err != nil {
		return err
	}
	if !b.filling {
		b.filling = true
		p.filling.Add(1)
	}
	b.mu.Lock()
	r.batch, r.index = &b.waiter, uint32(len(b.results)) //nolint:gosec // as many as fit into memory
	b.results = append(b.results, Result{})
	b.mu.Unlock()
	b.missing.Add(1)
	if err := p.put(ctx, record.Stream, &r); err != nil {
		b.missing.Add(-1)
		b.mu.Lock()
		b.results = b.results[:r.index]
		b.mu.Unlock()
		return err
	}
	return nil
}

// Wait returns the Results of the batch in the order of its Puts. When ctx ends, records that are in no PutRecords call
// yet end with [OutcomeCanceled], and Wait returns as soon as those in flight have their Result too, which takes
// [Config.RequestTimeout] at most. It must be called once, and the batch not used afterwards.
func (b *Batch) Wait(ctx context.Context) []Result {
	p := b.callers.producer
	if b.filling {
		p.filling.Add(-1)
	}
	waiting := b.callers.waiting.Add(1)
	if b.missing.Add(-1) == 0 {
		b.callers.waiting.Add(-1)
		return b.results
	}
	if waiting == b.callers.number {
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
