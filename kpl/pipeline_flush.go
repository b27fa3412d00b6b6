// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

// flush commits. If done is not nil, it is closed when everything that was put before has its Result.
func (p *pipeline) flush(now time.Time, done chan<- struct{}) {
	p.commit(now, FlushRequest)
	p.retrier.skipLinger()
	if done != nil {
		p.epochs.next(done)
	}
}

// drain commits, and from now on lets nothing wait for other records.
func (p *pipeline) drain(now time.Time) {
	p.flush(now, nil)
	p.draining = true
}

// endEpochs ends the calls of FlushWait whose records are all done.
func (p *pipeline) endEpochs() {
	for flushed, ok := p.epochs.done(); ok; flushed, ok = p.epochs.done() {
		p.effects.end(ending{flushed: flushed})
	}
}
