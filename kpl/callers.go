// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "sync/atomic"

// callers is what the loop knows about the goroutines that put records.
type callers struct {
	filling bool // somebody has put a part of a batch into the stream and does not wait for it yet
	blocked bool // somebody waits for room in the producer
}

// batches counts the batches of which a part is put into a stream, and for which nobody waits yet. The loop of the stream may
// hold back for them.
type batches struct {
	filling atomic.Int64
	held    atomic.Bool // the loop has to know when they are complete
}

// begin counts a batch.
func (b *batches) begin() { b.filling.Add(1) }

// end counts a batch that is complete. It reports whether the loop holds back for nothing now.
func (b *batches) end() bool { return b.filling.Add(-1) == 0 && b.held.Swap(false) }

// any reports whether there are such batches.
func (b *batches) any() bool { return b.filling.Load() > 0 }

// hold notes that the loop holds back. It reports whether the batches are there still. If they are, end reports when they are
// complete.
func (b *batches) hold() bool {
	b.held.Store(true)
	return b.any()
}
