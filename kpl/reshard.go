package kpl

import (
	"slices"
	"time"
)

// setShards takes in a new snapshot of the shards; nil if they are not known any more. What waits is checked against
// it before it is sent, and what was stored on a shard nobody knew is judged.
func (p *pipeline) setShards(now time.Time, shards *shardMap) {
	if shards.known() {
		if p.everListed && !sameShards(p.listed, shards) {
			p.effects.wantStream = true
		}
		p.everListed = true
	}
	p.listed = shards
	if p.info.automatic { // the number of shards is all that is of use
		if shards.known() {
			p.limiter.setRate(p.router.unknown, len(shards.open))
		}
		shards = nil
	}
	if shards == nil && p.router.shards == nil {
		p.judgeAgain(now)
		return
	}
	changed := !sameShards(p.router.shards, shards)
	p.router.setShards(shards, p.limiter)
	if changed {
		members := p.aggregator.setShards(shards)
		p.reconsider(now, func(k *kinesisRecord) bool { return p.router.route(k, now) })
		p.addAll(now, members)
		p.limiter.keepLanes(shards)
	}
	p.aggregator.shards = shards
	p.judgeAgain(now)
}

// shardsFailed notes that the shards cannot be listed. What waits to be judged would wait for nobody knows how long: it
// is sent again, by hash key, so that it cannot be misplaced once more.
func (p *pipeline) shardsFailed(now time.Time) {
	if len(p.unjudged) == 0 || !p.asked {
		return
	}
	unjudged := p.unjudged
	p.unjudged = nil
	p.setShards(now, nil)
	for _, stored := range unjudged {
		p.misplaced(now, stored)
	}
}

// judgeAgain judges what was stored on shards that the map did not know.
func (p *pipeline) judgeAgain(now time.Time) {
	unjudged := p.unjudged
	p.unjudged = nil
	for _, stored := range unjudged {
		p.judge(now, stored)
	}
}

// reconsider takes what waits between aggregator and sender out, puts back what is to be kept, and adds the members of
// the rest anew.
func (p *pipeline) reconsider(now time.Time, keep func(*kinesisRecord) bool) {
	collected, limited := p.collector.takeAll(), p.limiter.takeAll()
	var dissolved []*kinesisRecord
	for _, k := range collected {
		if keep(k) {
			p.collector.add(k)
		} else {
			dissolved = append(dissolved, k)
		}
	}
	for _, k := range limited {
		if keep(k) {
			p.limiter.push(k)
		} else {
			dissolved = append(dissolved, k)
		}
	}
	for _, k := range dissolved {
		p.dissolve(now, k)
	}
}

// noteShard counts the shards that have answered. While they cannot be listed, that is all we know of how much the
// stream can take.
func (p *pipeline) noteShard(id ShardID) {
	if p.listed.known() {
		return
	}
	if p.answered == nil {
		p.answered = map[ShardID]struct{}{}
	}
	if _, known := p.answered[id]; !known && len(p.answered) < maxShards {
		p.answered[id] = struct{}{}
		p.limiter.setRate(p.router.unknown, len(p.answered))
	}
}

// sameShards reports whether both snapshots have the same open shards.
func sameShards(a, b *shardMap) bool {
	return a != nil && b != nil && slices.Equal(a.open, b.open)
}
