package kpl

import "time"

// verdict is what becomes of a Kinesis record after an attempt.
type verdict uint8

const (
	// verdictDelivered: stored where readers find it.
	verdictDelivered verdict = iota
	// verdictUnknown: stored on a shard that the map does not know yet; judge again when the map is newer.
	verdictUnknown
	// verdictMisplaced: stored where readers drop it; all members go again.
	verdictMisplaced
	// verdictRetry: not stored, or nobody knows; all members go again after a pause.
	verdictRetry
	// verdictThrottled: not stored, and Config.FailIfThrottled ends it.
	verdictThrottled
	// verdictSplit: refused, and there is more than one suspect.
	verdictSplit
	// verdictRejected: refused, and it alone is to blame.
	verdictRejected
	// verdictUnavailable: nothing is accepted; the members go back to their owners.
	verdictUnavailable
)

// judgeStored decides about an aggregate that was stored in an attempt, in the stream that shards lists. Readers drop all
// of an aggregate if any member lies outside of the shard's range, so all members must be in it. A shard that does not
// even serve the key by which the service chose it is not what we take it for, unless the choice is automatic.
func judgeStored(k *kinesisRecord, a *Attempt, shards *shardMap, automatic bool) verdict {
	keys, known := shards.keysOf(a)
	fresh := shards.known() && shards.listed.After(a.End)
	switch {
	case known && keys.contains(k.lowest) && keys.contains(k.highest):
		return verdictDelivered
	case known && (keys.contains(k.hash) || automatic):
		return verdictMisplaced
	case fresh:
		return verdictMisplaced // the shard came and went between two listings, or its range is what it seems
	default:
		return verdictUnknown
	}
}

// judgeFailed decides about a record that the service has not stored, as far as we know, in a request of the given
// number of records that failed as one if whole.
func judgeFailed(k *kinesisRecord, class errorClass, whole bool, requestRecords int, failIfThrottled bool) verdict {
	switch class {
	case classThrottle:
		if failIfThrottled {
			return verdictThrottled
		}
		return verdictRetry
	case classRejected:
		if k.aggregated() || whole && requestRecords > 1 {
			return verdictSplit
		}
		return verdictRejected
	case classUnavailable:
		return verdictUnavailable
	case classTransient:
	}
	return verdictRetry
}

// The pause before a retry doubles with each attempt and is drawn from its upper half, so that records that failed
// together do not all come back together.
const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 3200 * time.Millisecond
)

// backoff is the pause after the given number of attempts; random is from [0, 1).
func backoff(attempts int, random float64) time.Duration {
	pause := min(firstBackoff<<min(attempts-1, 16), maxBackoff)
	return pause/2 + time.Duration(random*float64(pause/2))
}
