// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

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
