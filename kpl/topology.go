// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

// topology is what a producer knows about one stream: its shards, its kind, and the stored records whose place is not
// judged yet.
//
// The pipeline tells it what was listed, what was described, which calls failed, and where records were stored. It answers
// three questions: which shards to predict from, what to ask the service next, and what the place of a stored record means.
// It is a pure stage: it does no I/O, reads no clock and knows no other stage. No other file touches its fields.
//
// A stream changes while the producer runs. It is resharded, deleted and created again, or switched between the two ways of
// choosing shards. So nothing that was learned counts for a record unless the topology knows that it was still true when the
// record was stored.
type topology struct {
	// kind is what kind of stream it is, as far as the producer knows.
	kind streamKind
	// describedAt is when the DescribeStreamSummary call began that kind is from. It is zero if there is none for this stream.
	describedAt time.Time
	// createdSince is when the first description with the creation time in kind was here. The stream has not been recreated
	// since then, up to describedAt. It means nothing without that time in kind.
	createdSince time.Time
	// describing is how the last DescribeStreamSummary call ended.
	describing describeOutcome
	// automaticSince is when the record was stored that proved that the stream ignores keys. An older description that says
	// otherwise does not count.
	automaticSince time.Time
	// agreement notices that keys choose the shards of an automatic stream again.
	agreement agreement

	// shards is the last successful listing. It is nil if there was none, or if it may describe an older stream of that name.
	shards *shardMap
	// lastListing is how the last ListShards call ended. It tells a stream that does not exist from a missing permission.
	lastListing listingOutcome
	// everListed is set by the first successful listing. A later listing with other shards requests a new description.
	everListed bool
	// goneAt is when the stream was last found missing. What was asked before is about an older stream.
	goneAt time.Time

	// confirmed is the last time at which the stream that answers was known to be the stream that was listed or described. It is
	// zero if that is not known. A recreated stream has the same name and shard ids, and other ranges.
	confirmed time.Time
	// confirming is set while a listing is requested that renews confirmed, so that it is requested once.
	confirming bool
	// unexplained is a record on a shard that does not serve its hash key, as far as we know. The next listing explains it: the
	// shards are new, the stream is new, or the stream ignores keys. It is nil if there is nothing to explain.
	unexplained *storedPlace

	// proven has the hash keys that shards were proven to serve while no listing was to be had.
	proven provenKeys
	// answered has the shards that have stored records while no listing was to be had. Their number limits the sending rate.
	answered map[ShardID]struct{}
	// unknownShards is how many shards take the records whose shard cannot be predicted, at least 1.
	unknownShards int

	// trust notices that listings name other shards than answers do. Such listings are not used.
	trust listingTrust

	// waiting has the stored records that can only be judged after the next listing or description. oldestWaiting is when
	// the oldest of their members was received.
	waiting       []storedRecord
	oldestWaiting time.Time

	// wantListing and wantDescription are requests to the service that nobody has taken yet.
	wantListing, wantDescription bool
}

// listingOutcome is how a ListShards call ended.
type listingOutcome uint8

const (
	listingNone     listingOutcome = iota // no call has ended yet
	listingDone                           // it returned the shards
	listingFailed                         // it failed, although the stream exists; or its answer is not trusted
	listingNoStream                       // the stream does not exist
)

func newTopology() topology {
	return topology{unknownShards: 1, agreement: agreement{needed: firstAgreement}, proven: provenKeys{}}
}

// listed takes in a successful listing. If the listing is not trusted, it counts as one that failed, and listed returns what
// notListed does. The error is set when the trust is lost.
func (t *topology) listed(now time.Time, shards *shardMap) ([]judgedRecord, error) {
	t.confirming = false
	trusted := t.trust.lost.IsZero()
	if !t.trust.check(shards, t.answered) {
		var err error
		if trusted {
			t.dropListing()
			t.answered, err = nil, errListingNotTrusted
		}
		return t.notListed(now, false), err
	}
	recreated := recreated(t.shards, shards)
	if t.everListed && !sameShards(t.shards, shards) {
		t.wantDescription = true
	}
	t.everListed, t.lastListing, t.proven = true, listingDone, provenKeys{}
	t.confirm(shards.listed)
	t.shards = shards
	if recreated {
		t.forgetKind()
	}
	t.inferAutomatic()
	if t.kind.automatic {
		t.unknownShards = len(shards.open)
	}
	return nil, nil
}

// notListed takes in that a listing failed, because the stream does not exist or for another reason. Records that wait for
// it would now wait for an unknown time. So it decides about them and returns those that are decided. The listing before is
// dropped then: what is sent again is grouped by hash key, and cannot be misplaced a second time.
func (t *topology) notListed(now time.Time, noStream bool) []judgedRecord {
	t.confirming, t.lastListing = false, listingFailed
	if noStream {
		t.lastListing = listingNoStream
		t.gone(now)
	}
	if len(t.waiting) == 0 {
		return nil
	}
	t.dropListing()
	var judged []judgedRecord
	for _, stored := range t.takeWaiting() {
		place := placeBad
		if !noStream && stored.movable() {
			place = t.judgeWithoutListing(&stored)
		}
		if place == placeUnknown {
			t.keep(stored)
		} else {
			judged = append(judged, judgedRecord{stored, place})
		}
	}
	return judged
}

// noStream takes in that PutRecords found no stream. A listing then tells when there is one again.
func (t *topology) noStream(now time.Time) {
	t.gone(now)
	t.wantListing = true
}

// gone forgets the stream. Another stream with that name may have other shards, and may be of another kind.
func (t *topology) gone(now time.Time) {
	t.goneAt = now
	t.dropListing()
	t.forgetKind()
	t.proven, t.describedAt, t.describing = provenKeys{}, time.Time{}, describeNone
}

// dropListing forgets the listing, and what depends on it.
func (t *topology) dropListing() {
	t.shards, t.confirmed, t.confirming, t.unexplained = nil, time.Time{}, false, nil
}

// described takes in how a DescribeStreamSummary call ended.
func (t *topology) described(now time.Time, d description) {
	if d.outcome == describeNoStream {
		t.gone(now)
		return
	}
	if !d.asked.After(t.goneAt) { // about an older stream
		t.wantDescription = true
		return
	}
	switch d.outcome {
	case describeDone:
		t.describing = describeDone
	case describeDenied:
		t.describing = describeDenied
		return
	default: // it is as if nobody had asked
		return
	}
	if before := t.kind.created; !before.IsZero() && !d.kind.created.Equal(before) { // the stream was recreated
		t.dropListing()
		t.proven, t.wantListing = provenKeys{}, true
	}
	if !t.kind.created.Equal(d.kind.created) {
		t.createdSince = now
	}
	automatic := t.kind.automatic && !t.kind.described && !d.asked.After(t.automaticSince)
	t.kind, t.describedAt = d.kind, d.asked
	if automatic && !d.kind.automatic { // the proof is newer
		t.kind.automatic, t.kind.described, t.wantDescription = true, false, true
	}
	if !t.shards.known() {
		t.confirm(d.asked)
	}
	t.inferAutomatic()
	if t.kind.automatic && t.shards.known() {
		t.unknownShards = len(t.shards.open)
	}
}

// forgetKind takes in that the stream may have been recreated. What the service said of the old stream is only the best guess
// now; what was inferred from its shards is worth nothing.
func (t *topology) forgetKind() {
	t.kind = streamKind{automatic: t.kind.automatic && t.kind.described}
}

// inferAutomatic sets the kind to automatic if the listing and the place of a record prove it.
func (t *topology) inferAutomatic() {
	u := t.unexplained
	if t.provenAutomatic() && !t.kind.automatic {
		t.kind.automatic, t.kind.described = true, false
		t.automaticSince = u.attempt.End
		t.wantDescription = true // the permission may be there by now
	}
}

// provenAutomatic reports whether the service ignores keys when it chooses a shard. The proof is a record on a shard that
// does not serve its hash key, where the same shard was listed before the record was sent and after it was stored. A
// reshard does not explain that, because the range of a shard never changes. A recreated stream does not explain it either,
// because its shards have other first sequence numbers.
func (t *topology) provenAutomatic() bool {
	u := t.unexplained
	if u == nil || !t.shards.known() || !t.shards.listed.After(u.attempt.End) {
		return false
	}
	t.unexplained = nil
	found := t.shards.byID[u.attempt.ShardID]
	return !found.since.IsZero() && !found.since.After(u.attempt.Start) && !found.keys.contains(u.hash)
}

// stored takes in where a record was stored. For all records of an answer this comes before the first judge.
func (t *topology) stored(k *kinesisRecord, a *Attempt) {
	t.countAnswer(a)
	if t.lastListing == listingNoStream { // it exists again
		t.wantListing = true
	}
	if t.confirms(a) {
		t.confirm(a.Start)
	}
	if !t.shards.known() {
		return
	}
	keys, known := t.shards.keysOf(a)
	t.trust.stored(a, known, t.shards.byID[a.ShardID].open)
	if t.kind.automatic && t.agreement.count(known && keys.contains(k.hash)) {
		t.doubtAutomatic()
	}
	if t.predicting().known() && a.ShardID != k.predictedShard() {
		t.unexpected(k, a, known && !keys.contains(k.hash))
	}
}

// unexpected takes in that a record was stored on another shard than the predicted one. If the record was sent after the
// listing began, it requests a new listing. If the shard does not serve the record's hash key, nothing is confirmed until then.
func (t *topology) unexpected(k *kinesisRecord, a *Attempt, contradicts bool) {
	news := a.Start.After(t.shards.listed)
	t.wantListing = t.wantListing || news
	if !contradicts {
		return
	}
	if t.unexplained == nil {
		t.unexplained = &storedPlace{k.hash, *a}
	}
	if news {
		t.confirmed = time.Time{}
	}
}

// doubtAutomatic takes in that keys seem to choose the shards again. It requests a description. If there is none to be had,
// it believes what the places of records say. If that is wrong it costs duplicates, but no record, because each aggregate
// is judged by its place.
func (t *topology) doubtAutomatic() {
	t.wantDescription = true
	if t.describing == describeDenied {
		t.kind.automatic, t.kind.described = false, false
	}
}

// countAnswer counts the shards that have answered while there is no listing.
func (t *topology) countAnswer(a *Attempt) {
	if t.shards.known() {
		return
	}
	if t.trust.retry(a.End) {
		t.wantListing = true
	}
	if t.answered == nil {
		t.answered = map[ShardID]struct{}{}
	}
	if _, known := t.answered[a.ShardID]; !known && len(t.answered) < maxShards {
		t.answered[a.ShardID] = struct{}{}
		t.unknownShards = len(t.answered)
	}
}

// sending takes in that a request is sent, and whether it has aggregates. After a silence in which the stream may have been
// recreated, it requests a listing. The listing is then here at about the time of the answer, and no verdict waits for it.
func (t *topology) sending(now time.Time, aggregates bool) {
	if aggregates && t.shards.known() && now.Sub(t.confirmed) >= recreateTime {
		t.requestConfirmation()
	}
}

// requestConfirmation requests a listing, unless one is on its way for the same reason.
func (t *topology) requestConfirmation() {
	if !t.confirming {
		t.confirming, t.wantListing = true, true
	}
}

// confirm takes in that the stream was the listed or described one at the given time.
func (t *topology) confirm(at time.Time) {
	if at.After(t.confirmed) {
		t.confirmed = at
	}
}

// confirms reports whether a record that was stored in an attempt is in the stream that was listed or described.
func (t *topology) confirms(a *Attempt) bool {
	return !t.confirmed.IsZero() && a.End.Sub(t.confirmed) < recreateTime
}

// judge says what the place of a stored record means for its members. If the answer is placeUnknown, it has requested what it
// needs to know.
func (t *topology) judge(stored *storedRecord) placement {
	switch {
	case !stored.framed():
		return placeGood
	case t.shards.known():
		return t.judgeByListing(stored)
	case t.lastListing == listingFailed && stored.movable():
		return t.judgeWithoutListing(stored)
	}
	t.wantListing = t.wantListing || t.lastListing != listingNone // the first one is on its way
	return placeUnknown
}

// judgeByListing judges an aggregate by the listed range of its shard. The kind of the stream does not matter: what counts is
// whether the range has the keys.
func (t *topology) judgeByListing(stored *storedRecord) placement {
	if !t.confirms(&stored.attempt) {
		t.requestConfirmation()
		return placeUnknown
	}
	if stored.mayPredateListing(t.shards) {
		return placeBad // its shard was one of an older stream, whose ranges are not known any more
	}
	place := judgePlace(stored.kinesisRecord, &stored.attempt, t.shards, t.kind.automatic)
	if place == placeUnknown {
		t.wantListing = true
	}
	return place
}

// judgeWithoutListing judges an aggregate whose members have one hash key, while no listing is to be had. If keys choose the
// shard, readers find all members. Only a description says whether they do, and only if it was asked for after the record was
// stored, because the service can change that at any time. What it says is remembered for the hash key and shard: a
// record of that key on that shard is then in the right place, whoever has chosen it. Without any description, the producer
// assumes that keys choose.
func (t *topology) judgeWithoutListing(stored *storedRecord) placement {
	a := &stored.attempt
	older := t.mayPredateDescription(a)
	switch {
	case !older && t.proven.has(a.ShardID, stored.hash) && t.confirms(a):
		return placeGood
	case t.kind.automatic:
		return placeBad
	case t.describing == describeDenied:
		t.wantDescription = true // the permission may be there by now
		return placeGood
	case older:
		return placeBad
	case t.describing == describeDone && !t.describedAt.Before(a.End):
		t.proven.add(a.ShardID, stored.hash)
		return placeGood
	}
	t.wantDescription = true
	return placeUnknown
}

// mayPredateDescription reports whether the stream may have been recreated after an attempt that stored a record, and before the
// last description. Without the time of creation nobody can tell, and it reports false.
func (t *topology) mayPredateDescription(a *Attempt) bool {
	if t.kind.created.IsZero() || !t.createdSince.After(a.Start) {
		return false
	}
	return t.describedAt.Sub(a.End) >= recreateTime
}

// keep makes a stored record wait for the next listing or description.
func (t *topology) keep(stored storedRecord) {
	if len(t.waiting) == 0 || stored.received.Before(t.oldestWaiting) {
		t.oldestWaiting = stored.received
	}
	t.waiting = append(t.waiting, stored)
}

// takeWaiting returns the records that wait, and forgets them.
func (t *topology) takeWaiting() []storedRecord {
	waiting := t.waiting
	t.waiting, t.oldestWaiting = nil, time.Time{}
	return waiting
}

// oldest is when the oldest member of a record that waits was received; false if none waits.
func (t *topology) oldest() (time.Time, bool) { return t.oldestWaiting, len(t.waiting) > 0 }

// predicting returns the shards to predict from. It is nil if they are not known, or if the stream ignores keys.
func (t *topology) predicting() *shardMap {
	if t.kind.automatic {
		return nil
	}
	return t.shards
}

// checkSize says whether a record is larger than the stream takes. If the description that says so is not of late, a new one is
// requested, because the limit may have been raised.
func (t *topology) checkSize(now time.Time, size int) sizeCheck {
	switch {
	case t.kind.maxRecordSize == 0 || size <= t.kind.maxRecordSize || t.describing == describeDenied:
		return sizeFits
	case now.Sub(t.describedAt) < describeInterval:
		return sizeTooLarge
	}
	t.wantDescription = true
	return sizeUnknown
}

// takeRequests returns whether a listing and a description are wanted, and forgets that.
func (t *topology) takeRequests() (listing, description bool) {
	listing, description = t.wantListing, t.wantDescription
	t.wantListing, t.wantDescription = false, false
	return listing, description
}

// kindOfStream returns what kind of stream it is, as far as the producer knows.
func (t *topology) kindOfStream() streamKind { return t.kind }

// shardsOfUnknown returns how many shards take the records whose shard cannot be predicted.
func (t *topology) shardsOfUnknown() int { return t.unknownShards }
