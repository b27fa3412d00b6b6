package kpl

import "time"

// topology is what a producer knows about one stream: its shards, its kind, and the stored records whose place is not judged yet.
//
// The pipeline tells it what was listed, what was described, which calls failed, and where records were stored. It answers
// three questions: which shards to predict from, what to ask the service next, and what the place of a stored record means.
// It is a pure stage: it does no I/O, reads no clock and knows no other stage. No other file touches its fields.
type topology struct {
	// kind is what kind of stream it is, as far as the producer knows.
	kind streamKind
	// kindAsked is set when the first DescribeStreamSummary call has ended, with or without an answer. Until then, some
	// aggregates are not judged, because the answer may change the verdict.
	kindAsked bool

	// shards is the last successful listing. It is nil if there was none, or if it may describe an older stream of that name.
	shards *shardMap
	// lastListing is how the last ListShards call ended. It tells a stream that does not exist from a missing permission.
	lastListing listingOutcome
	// everListed is set by the first successful listing. A later listing with other shards requests a new description.
	everListed bool

	// confirmed is the last time at which the stream that answers was known to be the stream in shards. It is zero if that is
	// not known. A stream can be deleted and created again under the same name, with the same shard ids and other ranges.
	confirmed time.Time
	// confirming is set while a listing is requested that renews confirmed, so that it is requested once.
	confirming bool
	// unexplained is a record on a shard that does not serve its hash key, as far as we know. The next listing explains it: the
	// shards are new, the stream is new, or the stream ignores keys. It is nil if there is nothing to explain.
	unexplained *storedPlace

	// answered has the shards that have stored records while no listing was to be had. Their number limits the sending rate.
	answered map[ShardID]struct{}
	// unknownShards is how many shards take the records whose shard cannot be predicted, at least 1.
	unknownShards int

	// waiting has the stored records that can only be judged after the next listing or description.
	waiting []storedRecord

	// wantListing and wantDescription are requests to the service that nobody has taken yet.
	wantListing, wantDescription bool
}

// listingOutcome is how a ListShards call ended.
type listingOutcome uint8

const (
	listingNone     listingOutcome = iota // no call has ended yet
	listingDone                           // it returned the shards
	listingFailed                         // it failed, although the stream exists
	listingNoStream                       // the stream does not exist
)

// recreateTime is shorter than the time between the last answer of a stream that is deleted and the first answer of a stream
// that is created under its name. A stream being deleted answers until it is gone; one being created does not answer until
// it is ready. So if a stream answers at least once every recreateTime, it cannot have been recreated in between.
const recreateTime = 5 * time.Second

func newTopology() topology { return topology{unknownShards: 1} }

// listed takes in a successful listing.
func (t *topology) listed(shards *shardMap) {
	recreated := recreated(t.shards, shards)
	if t.everListed && !sameShards(t.shards, shards) {
		t.wantDescription = true
	}
	t.everListed, t.lastListing, t.confirming = true, listingDone, false
	if shards.listed.After(t.confirmed) {
		t.confirmed = shards.listed
	}
	t.shards = shards
	if recreated {
		t.forgetKind()
	}
	t.inferKind()
	if t.kind.automatic {
		t.unknownShards = len(shards.open)
	}
}

// notListed takes in that a listing failed, because the stream does not exist or for another reason. Records that wait would
// now wait for an unknown time, so it decides about them: each is good or bad. It also drops the old listing for them. What is
// sent again is then grouped by hash key, and cannot be misplaced a second time.
func (t *topology) notListed(noStream bool) []judgedRecord {
	t.confirming, t.lastListing = false, listingFailed
	if noStream {
		t.lastListing = listingNoStream
		t.gone()
	}
	if len(t.waiting) == 0 || !t.kindAsked {
		return nil
	}
	shards := t.shards
	t.dropListing()
	var judged []judgedRecord
	for _, stored := range t.takeWaiting() {
		keys, known := shards.keysOf(&stored.attempt)
		place := placeBad
		if stored.movable() && t.keysChoose() && (!known || keys.contains(stored.hash)) {
			place = placeGood
		}
		judged = append(judged, judgedRecord{stored, place})
	}
	return judged
}

// noStream takes in that PutRecords found no stream. A listing then tells when there is one again.
func (t *topology) noStream() {
	t.gone()
	t.wantListing = true
}

// gone forgets the stream. Another stream with that name may have other shards, and may be of another kind.
func (t *topology) gone() {
	if t.shards.known() {
		t.dropListing()
		t.forgetKind()
	}
}

// dropListing forgets the listing, and what depends on it.
func (t *topology) dropListing() {
	t.shards, t.confirmed, t.confirming, t.unexplained = nil, time.Time{}, false, nil
}

// described takes in the answer of DescribeStreamSummary. A kind that is not described means that there was no answer.
func (t *topology) described(kind streamKind) {
	first := !t.kindAsked
	t.kindAsked = true
	if kind.described && kind != t.kind {
		t.kind = kind
		t.inferKind()
	} else if first {
		t.inferKind()
	}
	if t.kind.automatic && t.shards.known() {
		t.unknownShards = len(t.shards.open)
	}
}

// forgetKind takes in that the stream may have been recreated. What the service said of the old stream is only the best guess
// now; what was inferred from its shards is worth nothing.
func (t *topology) forgetKind() {
	t.kind = streamKind{automatic: t.kind.automatic && t.kind.described}
}

// inferKind sets the kind to automatic if the listing and the place of a record prove it.
func (t *topology) inferKind() {
	if t.kindAsked && t.provenAutomatic() && !t.kind.automatic {
		t.kind.automatic, t.kind.described = true, false
		t.wantDescription = true // the permission may be there by now
	}
}

// provenAutomatic reports whether the service ignores keys when it chooses a shard. The proof is a record on a shard that does
// not serve its hash key, where the same shard was listed before the record was sent and after it was stored. A reshard does not
// explain that, because the range of a shard never changes. A recreated stream does not explain it either, because its shards
// have other first sequence numbers.
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
	t.countAnswer(a.ShardID)
	if t.lastListing == listingNoStream { // it exists again
		t.wantListing = true
	}
	if t.confirms(a) && a.Start.After(t.confirmed) {
		t.confirmed = a.Start
	}
	if t.predicting().known() && a.ShardID != k.predictedShard() {
		t.unexpected(k, a)
	}
}

// unexpected takes in that a record was stored on another shard than the predicted one. If the record was sent after the
// listing began, it requests a new listing. If the shard does not serve the record's hash key, nothing is confirmed until then.
func (t *topology) unexpected(k *kinesisRecord, a *Attempt) {
	news := a.Start.After(t.shards.listed)
	t.wantListing = t.wantListing || news
	keys, known := t.shards.keysOf(a)
	if !known || keys.contains(k.hash) {
		return
	}
	if t.unexplained == nil {
		t.unexplained = &storedPlace{k.hash, *a}
	}
	if news {
		t.confirmed = time.Time{}
	}
}

// countAnswer counts the shards that have answered while there is no listing.
func (t *topology) countAnswer(id ShardID) {
	if t.shards.known() {
		return
	}
	if t.answered == nil {
		t.answered = map[ShardID]struct{}{}
	}
	if _, known := t.answered[id]; !known && len(t.answered) < maxShards {
		t.answered[id] = struct{}{}
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

// confirms reports whether a record that was stored in an attempt is in the stream that is listed.
func (t *topology) confirms(a *Attempt) bool {
	return t.shards.known() && a.End.Sub(t.confirmed) < recreateTime
}

// judge says what the place of a stored record means for its members. If the answer is placeUnknown, it has requested what it
// needs to know.
func (t *topology) judge(stored *storedRecord) placement {
	if !stored.aggregated() {
		return placeGood
	}
	confirmed := t.confirms(&stored.attempt)
	place := placeUnknown
	if confirmed {
		place = judgePlace(stored.kinesisRecord, &stored.attempt, t.shards, t.kind.automatic)
	}
	switch {
	case place == placeGood:
	case stored.movable() && t.keysChoose() && (confirmed || !t.shards.known()):
		return placeGood
	case stored.movable() && !t.kindAsked:
		return placeUnknown // the kind of the stream will tell
	case place != placeUnknown || !t.shards.known(): // without a listing, one is requested already
	case confirmed:
		t.wantListing = true
	default:
		t.requestConfirmation()
	}
	return place
}

// keysChoose reports whether the key of a record decides about its shard. If neither the kind nor the shards of the stream are
// to be had, the producer assumes so.
func (t *topology) keysChoose() bool {
	return !t.kind.automatic &&
		(t.kind.described || t.kindAsked && t.lastListing == listingFailed && !t.shards.known())
}

// keep makes a stored record wait for the next listing or description.
func (t *topology) keep(stored storedRecord) { t.waiting = append(t.waiting, stored) }

// takeWaiting returns the records that wait, and forgets them.
func (t *topology) takeWaiting() []storedRecord {
	waiting := t.waiting
	t.waiting = nil
	return waiting
}

// predicting returns the shards to predict from. It is nil if they are not known, or if the stream ignores keys.
func (t *topology) predicting() *shardMap {
	if t.kind.automatic {
		return nil
	}
	return t.shards
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
