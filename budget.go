// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"golang.org/x/sync/semaphore"
)

// budget is the memory that a queue may hold, sending_queue::queue_size. A request takes its size when it is accepted. Each of its
// messages gives its part back as soon as it is delivered, although others of the request may take a while. exporterhelper would
// wait for the last one. So its queue has no limit of its own, and its metrics show those of the budget.
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
