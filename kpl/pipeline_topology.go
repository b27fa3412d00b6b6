// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"time"
)

// setShards takes in a successful listing. It returns an error when listings are not trusted any more.
func (p *pipeline) setShards(now time.Time, shards *shardMap) error {
	judged, err := p.topology.listed(now, shards)
	p.follow(now)
	p.placeAll(now, judged)
	return err
}

// shardsFailed takes in that the shards could not be listed.
func (p *pipeline) shardsFailed(now time.Time, err error) {
	judged := p.topology.notListed(now, faultOfCall(err).code == codeNotFound)
	p.follow(now)
	p.placeAll(now, judged)
}

// placeAll ends records that were judged although the range of their shard is not known, or sends them again.
func (p *pipeline) placeAll(now time.Time, judged []judgedRecord) {
	for i := range judged {
		p.placed(now, judged[i], unknownRange)
	}
}

// setStream takes in how a DescribeStreamSummary call ended.
func (p *pipeline) setStream(now time.Time, d description) {
	p.topology.described(now, d)
	p.follow(now)
}

// streamMissing takes in that PutRecords found no stream.
func (p *pipeline) streamMissing(now time.Time) {
	p.topology.noStream(now)
	p.follow(now)
}

// follow makes the stages go by what the topology knows now. What waits is checked again before it is sent, and what is stored
// and waits to be judged is judged.
func (p *pipeline) follow(now time.Time) {
	kind, shards := p.topology.kindOfStream(), p.topology.predicting()
	newKind := kind != p.kind
	newShards := (shards != nil || p.router.shards != nil) && !sameShards(p.router.shards, shards)
	if kind.automatic != p.kind.automatic {
		p.effects.changeDistribution(kind)
	}
	p.kind = kind
	p.router.unknown.setShards(p.topology.shardsOfUnknown())
	var members []userRecord
	if newKind || newShards {
		members = p.aggregator.takeAll()
	}
	p.router.setShards(shards, p.limiter)
	p.aggregator.setShards(shards, kind.automatic)
	if newKind || newShards {
		p.reconsider(now, func(k *kinesisRecord) bool { return p.reroute(now, k) })
		p.addAll(now, members)
	}
	if newShards {
		p.limiter.keepLanes(shards)
	}
	for _, stored := range p.topology.takeWaiting() {
		p.judge(now, stored)
	}
}

// reroute sets the lane of a record. It reports false if the record has to be taken apart, because of what is known of the stream
// by now.
func (p *pipeline) reroute(now time.Time, k *kinesisRecord) bool {
	routed := p.router.route(k, now)
	if p.kind.automatic {
		return !k.framed()
	}
	return routed
}

// reconsider takes out what waits between aggregator and sender. Records to keep wait for their lane again; the members of the
// others are added anew.
func (p *pipeline) reconsider(now time.Time, keep func(*kinesisRecord) bool) {
	var dissolved []*kinesisRecord
	for _, k := range append(p.collector.takeAll(), p.limiter.takeAll()...) {
		if keep(k) {
			p.limit(now, k)
		} else {
			dissolved = append(dissolved, k)
		}
	}
	for _, k := range dissolved {
		p.dissolve(now, k)
	}
}

// judge decides whether readers will find a stored record.
func (p *pipeline) judge(now time.Time, stored storedRecord) {
	place := p.topology.judge(&stored)
	switch {
	case place != placeUnknown:
		p.placed(now, judgedRecord{stored, place}, "which does not serve the hash keys of all members")
	case p.aborted:
		p.placed(now, judgedRecord{stored, placeBad}, unknownRange)
	default:
		p.topology.keep(stored)
	}
}

// endWait sends stored records again of which a member has expired while they waited to be judged. Nobody knows whether readers
// find them, and their callers must not wait any longer.
func (p *pipeline) endWait(now time.Time) {
	for _, stored := range p.topology.takeWaiting() {
		if p.expired(now, stored.received) {
			p.placed(now, judgedRecord{stored, placeBad}, unknownRange)
		} else {
			p.topology.keep(stored)
		}
	}
}

// unknownRange is why a record is sent again although readers may well find it.
const unknownRange = "whose hash key range is not known"

// placed ends the members of a stored record, or sends them again if its place is bad. The text says why it is.
func (p *pipeline) placed(now time.Time, j judgedRecord, why string) {
	if j.place == placeGood {
		p.end(ending{members: j.members, stored: j.attempt, sequenceNumber: j.sequenceNumber, at: now})
		return
	}
	p.effects.misplace(FinishedEntry{
		UserRecords:    len(j.members),
		Bytes:          j.dataSize(),
		PredictedShard: j.predictedShard(),
		ShardID:        j.attempt.ShardID,
		Code:           CodeWrongShard,
	})
	attempt := j.attempt
	attempt.Code = CodeWrongShard
	attempt.Message = clip(fmt.Sprintf("stored on %s, %s", attempt.ShardID, why))
	addAttempt(j.members, attempt)
	for i := range j.members {
		j.members[i].countMisplacement()
	}
	p.addAll(now, j.members)
}
