// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"time"
)

// compresses reports whether records are compressed before they are sent.
func (p *pipeline) compresses() bool { return p.aggregator.compresses }

// compress lets a closed record be compressed. Nothing behind the aggregator has to guess sizes: a record goes on when its size
// is known.
func (p *pipeline) compress(k *kinesisRecord) {
	p.inFlight.compresses()
	p.effects.compress(k)
}

// compressPart lets a part of a record be compressed that was not accepted. Then it goes in a request of its own.
func (p *pipeline) compressPart(k *kinesisRecord) {
	k.setPart()
	p.compress(k)
}

// compressed takes in a record that was being compressed, and passes it on. Much may have happened in the meantime.
func (p *pipeline) compressed(now time.Time, k *kinesisRecord) {
	p.inFlight.compressed()
	p.aggregator.compressed(k)
	switch {
	case p.aborted:
		p.finish(now, OutcomeClosed, fault{}, k.members...)
	case k.canceled() || !k.part && !p.reroute(now, k):
		p.dissolve(now, k)
	case k.size() > p.mostRecordSize() && p.tooLarge(now, k):
	case k.part:
		p.collector.addReady(alone(k))
	default:
		p.limit(now, k)
	}
}

// mostRecordSize is the largest size of a record that the stream takes, as far as that is known.
func (p *pipeline) mostRecordSize() int {
	if p.kind.maxRecordSize > 0 {
		return min(p.kind.maxRecordSize, p.config.MaxRecordSize)
	}
	return p.config.MaxRecordSize
}

// tooLarge decides about a record that is too large after compression: it is taken apart, sent without compression if that makes
// it small enough, or held. It reports false if the record may be sent.
func (p *pipeline) tooLarge(now time.Time, k *kinesisRecord) bool {
	if k.joined() {
		half := len(k.members) / 2
		p.recompress(k, k.members[:half])
		p.recompress(k, k.members[half:])
		return true
	}
	r := k.member(0)
	if r.size() < k.size() {
		k.setCompressed(nil)
	}
	switch size := k.size(); {
	case size <= p.mostRecordSize():
		return false
	case size > p.config.MaxRecordSize:
		p.finish(now, OutcomeRejected, fault{code: CodeTooLarge, message: fmt.Sprintf(
			"%d bytes with its partition key after compression, the limit is %d", size, p.config.MaxRecordSize)}, k.members...)
		return true
	default:
		return p.heldForSize(now, r, size)
	}
}

// recompress lets some members of a record be compressed together that has come out too large.
func (p *pipeline) recompress(of *kinesisRecord, members []userRecord) {
	k := p.part(of, members)
	if of.part {
		k.setPart()
	}
	p.compress(k)
}
