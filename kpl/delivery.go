// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"sync"
	"sync/atomic"
)

// delivery hands Results to those who put the records, in the order in which the pipeline produced them. It has a goroutine
// of its own, so that a slow callback delays only other Results of the stream.
type delivery struct {
	admission *admission
	delivered *atomic.Int64
	observer  *Observer
	members   *memberPool
	stream    string
	wakeUp    chan struct{}

	mu      sync.Mutex
	pending []ending
	busy    bool // Results are being handed over
	closed  bool
}

// idle reports whether everything added is delivered.
func (d *delivery) idle() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.pending) == 0 && !d.busy
}

// newDelivery returns the delivery of a stream, whose goroutine does not run yet.
func newDelivery(shared *shared, stream string) *delivery {
	return &delivery{
		admission: &shared.admission, delivered: &shared.delivered, observer: &shared.config.Observer, members: &shared.members,
		stream: stream, wakeUp: make(chan struct{}, 1),
	}
}

// add takes over a copy of what ended.
func (d *delivery) add(ended []ending) {
	if len(ended) == 0 {
		return
	}
	d.mu.Lock()
	d.pending = append(d.pending, ended...)
	d.mu.Unlock()
	d.wake()
}

// close makes run end once everything added is delivered.
func (d *delivery) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.wake()
}

func (d *delivery) wake() {
	select {
	case d.wakeUp <- struct{}{}:
	default:
	}
}

// run delivers until close.
func (d *delivery) run() {
	var batch []ending
	for range d.wakeUp {
		for {
			batch = emptied(batch)
			d.mu.Lock()
			batch, d.pending = d.pending, batch
			closed := d.closed
			d.busy = len(batch) > 0
			d.mu.Unlock()
			if len(batch) == 0 && closed {
				return
			}
			if len(batch) == 0 {
				break
			}
			for i := range batch {
				d.deliver(&batch[i])
			}
		}
	}
}

// deliver hands over Results. It gives back the room of the records first, so that their owners find room for the next ones.
func (d *delivery) deliver(e *ending) {
	if e.flushed != nil {
		close(e.flushed)
	}
	if len(e.members) == 0 {
		return
	}
	if e.outcome == OutcomeSuccess {
		d.delivered.Add(int64(len(e.members)))
		addAttempt(e.members, e.stored)
	}
	bytes := 0
	for i := range e.members {
		r := &e.members[i]
		bytes += r.size()
	}
	d.admission.leave(len(e.members), bytes)
	for i := range e.members {
		r := &e.members[i]
		result := r.result(e)
		if d.observer.RecordFinished != nil {
			d.observer.RecordFinished(RecordEvent{
				Stream: d.stream, Result: result, Bytes: len(r.data), Received: r.received, Finished: e.at,
			})
		}
		if r.done != nil {
			r.done(result)
		}
		if r.batch != nil {
			r.batch.deliver(int(r.index), result)
		}
	}
	d.members.put(e.members)
}

// result makes the record's Result.
func (r *userRecord) result(e *ending) Result {
	trips := r.trips()
	if e.outcome == OutcomeSuccess {
		return Result{ShardID: e.stored.ShardID, SequenceNumber: e.sequenceNumber, Attempts: trips}
	}
	failure := &RecordError{Outcome: e.outcome, Code: e.fault.code, Message: e.fault.message, Attempts: len(trips)}
	if n := len(trips); n > 0 {
		last := &trips[n-1]
		failure.RequestID = last.RequestID
		if failure.Code == "" {
			failure.Code, failure.Message = last.Code, last.Message
		}
	}
	return Result{Err: failure, Attempts: trips}
}
