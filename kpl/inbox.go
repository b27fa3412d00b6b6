// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"runtime"
	"time"
)

// inbox is what the loop of a stream has not taken up yet.
type inbox struct {
	records    [][]userRecord // in blocks; all but the last have blockSize
	received   time.Time      // when the first record of the last block came
	completed  []*request
	compressed []*kinesisRecord // that were being compressed
	news       []streamNews
	flushed    []chan<- struct{}    // of those who wait for a flush
	asked      []chan<- StreamStats // of those who wait for a snapshot
	flush      bool
	cancel     bool
	drain      bool
	abort      bool
}

// blockSize is how many records share a block. Each time a caller has filled blocksAhead of them, it lets the loop run: more
// of them would no longer be in the processor's caches when the loop gets to them. With fewer, the loops of many streams
// would take turns for a few records each.
const (
	blockSize   = 128
	blocksAhead = 4
)

// put leaves a copy of a record for the loop.
func (s *stream) put(r *userRecord) {
	s.mu.Lock()
	s.accepted++
	blocks := s.inbox.records
	first := len(blocks) == 0
	if first || len(blocks[len(blocks)-1]) == blockSize {
		blocks = append(blocks, s.shared.members.get(blockSize))
		s.inbox.records, s.inbox.received = blocks, time.Now()
	}
	r.received = s.inbox.received // the loop is about to run: another look at the clock is not worth it
	last := &blocks[len(blocks)-1]
	*last = append(*last, *r)
	ahead := len(*last) == blockSize && len(blocks)%blocksAhead == 0
	s.mu.Unlock()
	if first { // otherwise the caller before has woken the loop
		s.wake()
	}
	if ahead {
		runtime.Gosched()
	}
}

// post leaves something for the loop and wakes it.
func (s *stream) post(write func(*inbox)) {
	s.mu.Lock()
	write(&s.inbox)
	s.mu.Unlock()
	s.wake()
}

func (s *stream) wake() {
	select {
	case s.wakeUp <- struct{}{}:
	default:
	}
}

// complete leaves a request for the loop that a sender is done with.
func (s *stream) complete(r *request) {
	s.post(func(i *inbox) { i.completed = append(i.completed, r) })
}

// compressed leaves a record for the loop that has been compressed.
func (s *stream) compressed(k *kinesisRecord) {
	s.post(func(i *inbox) { i.compressed = append(i.compressed, k) })
}

// take empties the inbox, and leaves the slices of used for what comes next.
func (s *stream) take(used inbox) inbox {
	clear(used.records)
	clear(used.completed)
	clear(used.compressed)
	empty := inbox{records: used.records[:0], completed: used.completed[:0], compressed: used.compressed[:0]}
	s.mu.Lock()
	defer s.mu.Unlock()
	full := s.inbox
	s.inbox = empty
	return full
}

// received returns how many records were ever put into the inbox.
func (s *stream) received() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// unused reports whether no record of the stream is anywhere in the producer. The loop asks, when its pipeline has none.
func (s *stream) unused() bool {
	s.mu.Lock()
	empty := len(s.inbox.records) == 0
	s.mu.Unlock()
	return empty && s.delivery.idle()
}

// answer tells those who have asked how the stream is.
func (s *stream) answer(now time.Time, asked []chan<- StreamStats) {
	if len(asked) == 0 {
		return
	}
	stats := s.pipeline.stats(now)
	stats.Stream = s.name
	for _, answer := range asked {
		answer <- stats // it has room
	}
}
