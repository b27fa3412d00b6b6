// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import "sync"

// shardPush counts one push, with its retries, for each shard that it still waits for. The pushes of a shard occupy consumers, so
// a shard may have as many of them as consumers are free.
type shardPush struct {
	shares *shardShares

	mu      sync.Mutex
	waiting map[*shardShare]int // messages that are not finished; guarded by mu
}

// beginPush counts a push of messages.
func (s *shardShares) beginPush(messages []*message) {
	var p *shardPush
	for _, m := range messages {
		switch {
		case m.share == nil || m.push != nil: // nobody counts, or this is a retry
			continue
		case p == nil:
			p = &shardPush{shares: s, waiting: map[*shardShare]int{}}
			s.pushes.Add(1)
		}
		p.waiting[m.share]++
		if p.waiting[m.share] == 1 {
			m.share.pushes.Add(1)
			s.all.pushes.Add(1)
		}
		m.push = p
	}
}

// finished takes a message for a shard out of the count.
func (p *shardPush) finished(share *shardShare) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[share]--
	if p.waiting[share] > 0 {
		return
	}
	share.pushes.Add(-1)
	p.shares.all.pushes.Add(-1)
	delete(p.waiting, share)
	if len(p.waiting) == 0 {
		p.shares.pushes.Add(-1)
	}
}
