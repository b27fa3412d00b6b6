package kpl

import (
	"time"
)

// setShards takes in a new snapshot of the shards; nil if they are not known any more. What waits is checked against
// it before it is sent, and what was stored on a shard nobody knew is judged.
func (p *pipeline) setShards(now time.Time, shards *shardMap) {
	anew := madeAnew(p.listed, shards)
	p.wished = false
	if shards.known() {
		if p.everListed && !sameShards(p.listed, shards) {
			p.effects.wantStream = true
		}
		p.everListed, p.unlistable, p.missing = true, false, false
		if shards.listed.After(p.sure) {
			p.sure = shards.listed
		}
	} else {
		p.sure, p.stray = time.Time{}, nil
	}
	p.listed = shards
	if p.reconsiderKind(now, anew) {
		return // this was called again with what was learned
	}
	if p.info.automatic { // the number of shards is all that is of use
		if shards.known() {
			p.limiter.setShards(p.router.unknown, len(shards.open))
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
// is sent again if readers may drop it, by hash key, so that it cannot be misplaced once more.
func (p *pipeline) shardsFailed(now time.Time, err error) {
	p.missing, p.wished = faultOfCall(err).code == codeNotFound, false
	p.unlistable = !p.missing
	if p.missing {
		p.gone(now)
	}
	if len(p.unjudged) == 0 || !p.asked {
		return
	}
	unjudged, listed := p.unjudged, p.listed
	p.unjudged = nil
	p.setShards(now, nil)
	for _, stored := range unjudged {
		keys, known := listed.keysOf(&stored.attempt)
		if stored.movable() && p.keysCount() && (!known || keys.contains(stored.hash)) {
			p.judge(now, stored)
		} else {
			p.misplaced(now, stored, unknownKeys)
		}
	}
}

// gone notes that there is no such stream: one of that name may come back with other shards, and of another kind.
func (p *pipeline) gone(now time.Time) {
	if p.listed.known() {
		p.setShards(now, nil)
		p.reconsiderKind(now, true)
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

// reconsider takes what waits between aggregator and sender out, lets what is to be kept wait for its lane again, and adds
// the members of the rest anew.
func (p *pipeline) reconsider(now time.Time, keep func(*kinesisRecord) bool) {
	var dissolved []*kinesisRecord
	for _, k := range append(p.collector.takeAll(), p.limiter.takeAll()...) {
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
		p.limiter.setShards(p.router.unknown, len(p.answered))
	}
}
