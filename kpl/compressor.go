// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"bytes"
	"context"
	"runtime"
	"sync"
)

// compressor compresses the Kinesis records of a stream. Its workers start when there is something to compress, and end when
// there is nothing. A worker owns a record until it has handed it back.
type compressor struct {
	ctx      context.Context //nolint:containedctx // when it ends, nothing is compressed any more
	compress func(dst, data []byte) []byte
	memory   *sync.Pool // of *compressorMemory
	done     func(*kinesisRecord)
	most     int // workers at a time
	running  sync.WaitGroup

	mu      sync.Mutex
	waiting []*kinesisRecord // guarded by mu
	workers int              // guarded by mu
}

// compressorMemory is what a worker needs for a record.
type compressorMemory struct{ plain, compressed []byte }

// newCompressor returns the compressor of a stream. It calls done for each record once it is compressed, or once ctx has ended.
func newCompressor(ctx context.Context, shared *shared, done func(*kinesisRecord)) *compressor {
	return &compressor{
		ctx: ctx, compress: shared.config.Compress, memory: &shared.compressors, done: done,
		most: runtime.GOMAXPROCS(0), // it is all computing
	}
}

// add takes in records. It does not block.
func (c *compressor) add(records []*kinesisRecord) {
	if len(records) == 0 {
		return
	}
	c.mu.Lock()
	c.waiting = append(c.waiting, records...)
	more := min(len(records), c.most-c.workers)
	c.workers += more
	c.mu.Unlock()
	for range more {
		c.running.Go(c.run)
	}
}

// wait waits until nothing is left to compress. Nobody may add anything any more.
func (c *compressor) wait() { c.running.Wait() }

// run compresses what waits.
func (c *compressor) run() {
	for k := c.next(); k != nil; k = c.next() {
		if c.ctx.Err() == nil {
			c.compressRecord(k)
		}
		c.done(k)
	}
}

// next takes the record that has waited longest. If there is none, it returns nil, and the worker has to end.
func (c *compressor) next() *kinesisRecord {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.waiting = nil
		c.workers--
		return nil
	}
	k := c.waiting[0]
	c.waiting[0] = nil
	c.waiting = c.waiting[1:]
	return k
}

// compressRecord compresses the data of k.
func (c *compressor) compressRecord(k *kinesisRecord) {
	m, _ := c.memory.Get().(*compressorMemory)
	if m == nil {
		m = new(compressorMemory)
	}
	defer c.memory.Put(m)
	data := k.member(0).data
	if k.joined() {
		m.plain = appendConcatenated(m.plain[:0], k)
		data = m.plain
	}
	m.compressed = c.compress(m.compressed[:0], data)
	k.setCompressed(bytes.Clone(m.compressed))
}
