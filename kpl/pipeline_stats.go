// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"cmp"
	"slices"
	"time"
)

// stats says what the pipeline holds. It looks at all that waits, so it is for questions that are asked now and then.
func (p *pipeline) stats(now time.Time) StreamStats {
	stats := StreamStats{Requests: p.inFlight.requests, Oldest: p.oldest(), LastStored: p.limiter.lastStored}
	for _, g := range p.retrier.groups {
		stats.Retrying += len(g.members)
	}
	for _, l := range p.limiter.busy {
		stats.HeldRecords += len(l.waiting)
		stats.HeldBytes += l.waitingBytes
		stats.Busiest = append(stats.Busiest, ShardStats{
			ShardID: l.id, HeldRecords: len(l.waiting), HeldBytes: l.waitingBytes, Share: l.share, Delay: l.load(now),
		})
	}
	slices.SortFunc(stats.Busiest, func(a, b ShardStats) int {
		return cmp.Or(cmp.Compare(b.HeldBytes, a.HeldBytes), cmp.Compare(a.ShardID, b.ShardID))
	})
	stats.Busiest = slices.Clip(stats.Busiest[:min(len(stats.Busiest), MaxBusiest)])
	return stats
}

// oldest is when the oldest record in the pipeline was received; zero if there is none.
func (p *pipeline) oldest() time.Time {
	var oldest time.Time
	consider := func(received time.Time) {
		if oldest.IsZero() || received.Before(oldest) {
			oldest = received
		}
	}
	p.aggregator.eachOpen(func(k *kinesisRecord) { consider(k.received) })
	for _, l := range p.limiter.busy {
		consider(l.waiting[0].received)
	}
	for _, k := range p.collector.pending {
		consider(k.received)
	}
	for _, r := range p.collector.ready {
		r.each(consider)
	}
	for r := range p.inFlight.sending {
		r.each(consider)
	}
	for _, g := range p.retrier.groups {
		for i := range g.members {
			consider(g.members[i].received)
		}
	}
	if received, ok := p.topology.oldest(); ok {
		consider(received)
	}
	return oldest
}

// each calls see for the time at which each record's oldest member was received.
func (r *request) each(see func(time.Time)) {
	for _, k := range r.records {
		see(k.received)
	}
}
