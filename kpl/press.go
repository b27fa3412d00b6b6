// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"bytes"
	"context"
	"runtime"
	"sync"
)

// press compresses the Kinesis records of a stream. Its workers start when there is something to compress, and end when there is
// nothing. A worker owns a record until it has handed it back.
type press struct {
	ctx      context.Context //nolint:containedctx // when it ends, nothing is compressed any more
	compress func(dst, data []byte) []byte
	memory   *sync.Pool // of *pressMemory
	done     func(*kinesisRecord)
	most     int // workers at a time
	running  sync.WaitGroup

	mu      sync.Mutex
	waiting []*kinesisRecord // guarded by mu
	workers int              // guarded by mu
}

// pressMemory is what a worker needs for a record.
type pressMemory struct{ plain, packed []byte }

// newPress returns the press of a stream. It calls done for each record once it is compressed, or once ctx has ended.
func newPress(ctx context.Context, shared *shared, done func(*kinesisRecord)) *press {
	return &press{
		ctx: ctx, compress: shared.config.Compress, memory: &shared.presses, done: done,
		most: runtime.GOMAXPROCS(0), // it is all computing
	}
}

// add takes in records. It does not block.
func (p *press) add(records []*kinesisRecord) {
	if len(records) == 0 {
		return
	}
	p.mu.Lock()
	p.waiting = append(p.waiting, records...)
	more := min(len(records), p.most-p.workers)
	p.workers += more
	p.mu.Unlock()
	for range more {
		p.running.Go(p.run)
	}
}

// wait waits until nothing is left to compress. Nobody may add anything any more.
func (p *press) wait() { p.running.Wait() }

// run compresses what waits.
func (p *press) run() {
	for k := p.next(); k != nil; k = p.next() {
		if p.ctx.Err() == nil {
			p.pack(k)
		}
		p.done(k)
	}
}

// next takes the record that has waited longest. If there is none, it returns nil, and the worker has to end.
func (p *press) next() *kinesisRecord {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		p.waiting = nil
		p.workers--
		return nil
	}
	k := p.waiting[0]
	p.waiting[0] = nil
	p.waiting = p.waiting[1:]
	return k
}

// pack compresses the data of k.
func (p *press) pack(k *kinesisRecord) {
	m, _ := p.memory.Get().(*pressMemory)
	if m == nil {
		m = new(pressMemory)
	}
	defer p.memory.Put(m)
	data := k.member(0).data
	if k.joined() {
		m.plain = appendConcatenated(m.plain[:0], k)
		data = m.plain
	}
	m.packed = p.compress(m.packed[:0], data)
	k.pack(bytes.Clone(m.packed))
}
