// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"cmp"
	"time"
)

// placement is what it means for readers where an aggregate is stored.
type placement uint8

const (
	// placeGood: readers find all members.
	placeGood placement = iota
	// placeBad: readers drop the aggregate, or may drop it. All members are sent again.
	placeBad
	// placeUnknown: a newer listing is needed to judge.
	placeUnknown
)

// storedRecord is a Kinesis record that the service has stored.
type storedRecord struct {
	*kinesisRecord
	attempt        Attempt // the one that stored it
	sequenceNumber string
}

// recreateTime is shorter than the time between the last answer of a stream that is deleted and the first answer of a stream
// that is created under its name. A stream being deleted answers until it is gone; one being created does not answer until
// it is ready. So if a stream answers at least once every recreateTime, it cannot have been recreated in between.
const recreateTime = 5 * time.Second

// mayPredateListing reports whether the stream may have been recreated between the storing of the record and the listing. Then
// the shard of the record was another one with the same id. Recreating takes recreateTime. After a longer time, the first
// sequence number of the listed shard tells. Sequence numbers are decimal numbers, and grow from one stream to the next.
func (s *storedRecord) mayPredateListing(shards *shardMap) bool {
	if shards.listed.Sub(s.attempt.End) < recreateTime {
		return false
	}
	first, number := shards.byID[s.attempt.ShardID].first, s.sequenceNumber
	return first == "" || cmp.Or(cmp.Compare(len(number), len(first)), cmp.Compare(number, first)) < 0
}

// judgedRecord is a stored record with what its place means.
type judgedRecord struct {
	storedRecord
	place placement
}

// storedPlace is where a record with a hash key was stored, and when.
type storedPlace struct {
	hash    hashKey
	attempt Attempt
}

// streamKind is what the producer wants to know of a stream.
type streamKind struct {
	// described is set if the service said all of this. Otherwise the producer has inferred or assumed it.
	described bool
	// automatic is set if the service chooses the shard of each record and ignores its key (record distribution AUTO). Then no
	// shard can be predicted. Readers that know hash key ranges drop an aggregate if a member's hash key is not the shard's.
	automatic bool
	// maxRecordSize is the most bytes of data and partition key in a record; zero if it is not known.
	maxRecordSize int
	// created is when the stream was created; zero if it is not known. It tells streams of one name apart.
	created time.Time
}

// sizeCheck says whether a stream takes a record of some size.
type sizeCheck uint8

const (
	sizeFits     sizeCheck = iota // it does, as far as is known
	sizeTooLarge                  // it does not
	sizeUnknown                   // it did not, but that may have changed
)

// judgePlace says what it means that aggregate k was stored in attempt a, in the stream that shards lists. Readers drop the
// whole aggregate if the hash key of one member is outside of the shard's range. The service chose the shard by k's own
// hash key, unless the choice is automatic. So a shard that does not serve this key is not the shard that we think it is.
func judgePlace(k *kinesisRecord, a *Attempt, shards *shardMap, automatic bool) placement {
	keys, known := shards.keysOf(a)
	listedLater := shards.known() && shards.listed.After(a.End)
	switch {
	case known && keys.contains(k.lowest) && keys.contains(k.highest):
		return placeGood
	case known && (keys.contains(k.hash) || automatic):
		return placeBad
	case listedLater:
		return placeBad // the shard came and went between two listings, or its range is as listed
	default:
		return placeUnknown
	}
}
