// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc/codes"
)

// budget is the memory that a queue may hold, sending_queue::queue_size. A request takes its size when it is accepted. Each of
// its messages gives its part back as soon as it is delivered, although others of the request may take a while. exporterhelper
// would wait for the last one. So its queue has no limit of its own, and its metrics show the budget.
type budget struct {
	capacity int64 // bytes
	blocks   bool  // callers wait for room
	room     *semaphore.Weighted
	used     atomic.Int64 // bytes
}

func newBudget(capacity int, blocks bool) *budget {
	return &budget{capacity: int64(capacity), blocks: blocks, room: semaphore.NewWeighted(int64(capacity))}
}

// take makes a request count. It fails if there is no room, or when ctx ends before there is.
func (b *budget) take(ctx context.Context, r *request) error {
	size := int64(r.size)
	if b.blocks {
		if err := b.room.Acquire(ctx, size); err != nil {
			return err
		}
	} else if !b.room.TryAcquire(size) {
		return exporterhelper.ErrQueueIsFull
	}
	b.used.Add(size)
	r.budget, r.kept = b, r.size
	for _, m := range r.messages {
		m.budget = b
		r.kept -= m.size
	}
	return nil
}

// giveBack ends the count of so many bytes.
func (b *budget) giveBack(size int) {
	b.used.Add(-int64(size))
	b.room.Release(int64(size))
}

// crowdedPatience is how long a shard has no room before data for it is dropped. At the beginning of a burst, a shard with more
// keys than others holds more, and has room again at once.
const crowdedPatience = time.Second

// enter lets a request into the queue, if there is room. With shard_overflow: drop, messages for a shard that holds its share are
// dropped once it has held it for a while. They still count as items of the request, as items that are too large do, because
// exporterhelper counts what was accepted.
func (p *pusher) enter(ctx context.Context, r *request) error {
	if p.budget == nil {
		return nil
	}
	if err := p.budget.take(ctx, r); err != nil {
		p.session.telemetry.queueFull(p.signal, r.items, err)
		p.view.enqueueFailed(ctx, p.signal, r.items)
		return err
	}
	if p.shares == nil {
		return nil
	}
	over := p.shares.accept(r, time.Now())
	if len(over) == 0 {
		return nil
	}
	overflow := p.config.ShardOverflow
	for i := range over {
		if over[i].lasted < crowdedPatience {
			overflow = RetryOverflow
		}
	}
	err := &pushError{code: codes.Unavailable, cause: &over[0]}
	if overflow == RetryOverflow {
		r.release()
		p.session.telemetry.notAcceptedFor(p.signal, r.items, &over[0])
		return err
	}
	items := 0
	for i := range over {
		items += over[i].message.Items
		over[i].message.finish()
	}
	p.session.telemetry.overflowed(p.signal, items, &over[0])
	if len(over) == len(r.messages) {
		r.release()
		return consumererror.NewPermanent(err)
	}
	return nil
}
