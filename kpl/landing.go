package kpl

import (
	"fmt"
	"slices"
	"time"
)

// remakeTime is less than it takes from the last answer of a stream that is deleted to the first of one that is made anew
// under its name: a stream being deleted answers until it is gone, and one being created does not before it is ready.
// Within it, answers are of one stream.
const remakeTime = 5 * time.Second

// stray is a record that was stored on a shard which, as far as we know, does not serve its hash key.
type stray struct {
	hash    hashKey
	attempt Attempt
}

// landed takes in where an answer says that records are stored, before any of them is judged.
func (p *pipeline) landed(r *request) {
	for i, k := range r.records {
		entry := r.entries[i]
		if entry.sequenceNumber == "" {
			continue
		}
		p.noteShard(entry.shard)
		p.effects.wantShards = p.effects.wantShards || p.missing // it is back
		a := r.attempt(entry.shard, "", "")
		if p.sureOf(&a) && a.Start.After(p.sure) {
			p.sure = a.Start
		}
		if p.router.shards.known() && entry.shard != k.predictedShard() {
			p.unexpected(k, &a)
		}
	}
}

// unexpected takes in that a record is stored on another shard than the one predicted. If that was no old news when it was
// sent, it asks for a new map. If the shard does not serve the record's hash key, nothing is sure until then.
func (p *pipeline) unexpected(k *kinesisRecord, a *Attempt) {
	news := a.Start.After(p.listed.listed)
	p.effects.wantShards = p.effects.wantShards || news
	keys, known := p.listed.keysOf(a)
	if !known || keys.contains(k.hash) {
		return
	}
	if p.stray == nil {
		p.stray = &stray{k.hash, *a}
	}
	if news {
		p.sure = time.Time{}
	}
}

// sureOf reports whether what was stored in an attempt is in the stream that is listed.
func (p *pipeline) sureOf(a *Attempt) bool { return p.listed.known() && a.End.Sub(p.sure) < remakeTime }

// askAhead wishes for a listing when a request goes out after a silence in which the stream may have been made anew: it
// is here about when the answer is, so that no verdict has to wait for it.
func (p *pipeline) askAhead(now time.Time, r *request) {
	if p.listed.known() && now.Sub(p.sure) >= remakeTime && slices.ContainsFunc(r.records, (*kinesisRecord).aggregated) {
		p.wishForSure()
	}
}

// wishForSure wishes for a listing, unless one is on its way for the same reason.
func (p *pipeline) wishForSure() {
	if !p.wished {
		p.wished, p.effects.wantShards = true, true
	}
}

// judge decides whether readers will find a stored record.
func (p *pipeline) judge(now time.Time, stored storedRecord) {
	verdict := verdictDelivered
	if stored.aggregated() {
		verdict = p.verdictOn(&stored)
	}
	switch {
	case verdict == verdictDelivered:
		p.end(ending{members: stored.members, stored: stored.attempt, sequenceNumber: stored.sequenceNumber, at: now})
	case verdict == verdictMisplaced:
		p.misplaced(now, stored, "which does not serve the hash keys of all members")
	case p.aborted:
		p.misplaced(now, stored, unknownKeys)
	default:
		p.unjudged = append(p.unjudged, stored)
	}
}

// unknownKeys is why a record is sent again that may well be where readers find it.
const unknownKeys = "and which hash keys that serves is not to be had"

// verdictOn decides about an aggregate. If it does not know yet, it wishes for what it needs.
func (p *pipeline) verdictOn(stored *storedRecord) verdict {
	sure := p.sureOf(&stored.attempt)
	verdict := verdictUnknown
	if sure {
		verdict = judgeStored(stored.kinesisRecord, &stored.attempt, p.listed, p.info.automatic)
	}
	switch {
	case verdict == verdictDelivered:
	case stored.movable() && p.keysCount() && (sure || !p.listed.known()):
		return verdictDelivered
	case stored.movable() && !p.asked:
		return verdictUnknown // what kind of stream it is will tell
	case verdict != verdictUnknown || !p.listed.known(): // without a list, one is being asked for
	case sure:
		p.effects.wantShards = true
	default:
		p.wishForSure()
	}
	return verdict
}

// keysCount reports whether the keys of a record decide about its shard, as far as can be known: if neither kind nor
// shards of the stream are to be had, they do.
func (p *pipeline) keysCount() bool {
	return !p.info.automatic && (p.info.described || p.asked && p.unlistable && !p.listed.known())
}

// misplaced sends the members of a record again that readers drop, or may drop.
func (p *pipeline) misplaced(now time.Time, stored storedRecord, why string) {
	p.effects.misplaced = append(p.effects.misplaced, FinishedEntry{
		UserRecords:    len(stored.members),
		Bytes:          stored.dataSize(),
		PredictedShard: stored.predictedShard(),
		ShardID:        stored.attempt.ShardID,
		Code:           CodeWrongShard,
	})
	attempt := stored.attempt
	attempt.Code = CodeWrongShard
	attempt.Message = clip(fmt.Sprintf("stored on %s, %s", attempt.ShardID, why))
	addAttempt(stored.members, attempt)
	p.addAll(now, stored.members)
}
