// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"hash/maphash"
	"time"
	"unicode/utf8"
)

// KeylessKeySize is the length in bytes of the partition key that the producer makes for records put without one.
const KeylessKeySize = 16

// userRecord is a UserRecord in the pipeline. It is in exactly one stage at a time. The stages pass it on as a value, so that
// records which travel together lie side by side in memory. The loop of its stream owns it from Put to Result.
type userRecord struct {
	data         []byte
	partitionKey string
	// hash is the record's hash key. It decides the shard. It means nothing if the record is keyless.
	hash hashKey
	// received is when Put accepted the record.
	received time.Time

	// keyHash is a hash of partitionKey, for a keyTable.
	keyHash uint32
	// keyIndex and hashKeyIndex are the places of the keys in the tables of the Kinesis record.
	keyIndex, hashKeyIndex uint32
	// hashDigits is the number of decimal digits of hash if the caller gave an explicit hash key; else 0.
	hashDigits uint8
	// kind is what the data is.
	kind Kind
	// keyless is set if the record was put without a partition key. It may then go to any shard.
	keyless bool
	// alone is set if the record is to be a Kinesis record of its own: as part of an aggregate it was misplaced too often.
	alone bool
	// due is set if the record does not wait for others: it was sent before, or was about to be.
	due bool
	// failures counts the attempts that failed otherwise than by throttling of the shard; 255 stands for more.
	failures uint8

	// epoch is the number of the record's epoch, for Flush.
	epoch uint32
	// index is the record's place in its batch. batch is nil if the record is in none.
	index uint32
	batch *waiter
	// done is called with the Result. It may be nil.
	done func(Result)
	// attempts are the record's attempts so far; nil if there are none.
	attempts *attempts
}

// attempts is the latest attempt of user records, and the attempts before it. Records that were sent together share it. So an
// attempt takes the same memory however many there were before.
type attempts struct {
	latest [1]Attempt
	before *attempts // nil if this is the first
	number int       // of trips
	all    []Attempt // made by the delivery when it is needed
}

// size is what the record counts against the bounds of admission and of a single Kinesis record.
func (r *userRecord) size() int {
	if r.keyless {
		return len(r.data) + KeylessKeySize
	}
	return len(r.data) + len(r.partitionKey)
}

// hashKeyHash tells explicit hash keys apart in a keyTable.
func (r *userRecord) hashKeyHash() uint32 { return uint32(r.hash.low) } //nolint:gosec // its low bits

// explicit reports whether the record has an explicit hash key.
func (r *userRecord) explicit() bool { return r.hashDigits > 0 }

// canceled reports whether the caller has given up on the record.
func (r *userRecord) canceled() bool { return r.batch != nil && r.batch.canceled.Load() }

// newUserRecord checks a caller's record. It does not compute the hash key of the partition key: [hashKeys] does. The error
// wraps ErrInvalidRecord or ErrRecordTooLarge.
func newUserRecord(in *UserRecord, maxRecordSize int) (userRecord, error) {
	r := userRecord{
		data:         in.Data,
		partitionKey: in.PartitionKey,
		keyHash:      uint32(maphash.String(keySeed, in.PartitionKey)), //nolint:gosec // its low bits
		kind:         in.Kind,
		keyless:      in.PartitionKey == "",
	}
	if r.data == nil {
		r.data = []byte{} // the service takes a record without a byte, but not one without data
	}
	if in.Stream == "" {
		return userRecord{}, fmt.Errorf("%w: it names no stream", ErrInvalidRecord)
	}
	if !utf8.ValidString(in.PartitionKey) {
		return userRecord{}, fmt.Errorf("%w: its partition key is not valid UTF-8", ErrInvalidRecord)
	}
	if n := len(in.PartitionKey); n > MaxPartitionKeyLength {
		if n = utf8.RuneCountInString(in.PartitionKey); n > MaxPartitionKeyLength {
			return userRecord{}, fmt.Errorf("%w: its partition key has %d characters, the limit is %d",
				ErrInvalidRecord, n, MaxPartitionKeyLength)
		}
	}
	if in.ExplicitHashKey != "" {
		if r.keyless {
			return userRecord{}, fmt.Errorf("%w: an explicit hash key needs a partition key beside it", ErrInvalidRecord)
		}
		hash, err := parseHashKey(in.ExplicitHashKey)
		if err != nil {
			return userRecord{}, fmt.Errorf("%w: its explicit hash key is %w", ErrInvalidRecord, err)
		}
		r.hash, r.hashDigits = hash, hash.digits()
	}
	if size := r.size(); size > maxRecordSize {
		return userRecord{}, &SizeError{Size: size, Limit: maxRecordSize}
	}
	return r, nil
}

// setHash sets the hash key.
func (r *userRecord) setHash(hash hashKey) { r.hash = hash }

// skipLinger makes records go without waiting for others.
func skipLinger(records []userRecord) {
	for i := range records {
		records[i].due = true
	}
}

// addAttempt adds an attempt to all members. Neighbors that were sent together so far go on sharing their attempts.
func addAttempt(members []userRecord, attempt Attempt) {
	var shared *attempts
	for i := range members {
		r := &members[i]
		if shared == nil || shared.before != r.attempts {
			shared = &attempts{latest: [1]Attempt{attempt}, before: r.attempts, number: 1}
			if r.attempts != nil {
				shared.number += r.attempts.number
			}
		}
		r.attempts, r.due = shared, true
	}
}

// maxMisplacements is how often a record may be part of a misplaced aggregate. A reshard explains one time, and a second
// reshard another one. After that it goes alone, because readers find a record by itself on any shard. So even where a
// listing is wrong, nothing is sent again without end.
const maxMisplacements = 2

// countMisplacement makes the record go alone if it was misplaced too often.
func (r *userRecord) countMisplacement() {
	times := 0
	for a := r.attempts; a != nil; a = a.before {
		if a.latest[0].Code == CodeWrongShard {
			times++
		}
	}
	r.alone = times >= maxMisplacements
}

// trips lists the record's attempts, oldest first. It is for the delivery, when the record has ended.
func (r *userRecord) trips() []Attempt {
	a := r.attempts
	switch {
	case a == nil:
		return nil
	case a.number == 1:
		return a.latest[:]
	case a.all == nil:
		a.all = make([]Attempt, a.number)
		for trip := a; trip != nil; trip = trip.before {
			a.all[trip.number-1] = trip.latest[0]
		}
	}
	return a.all
}

// sameErrorSince is when the first of the last attempts ended that all failed with the same code. There must be an attempt.
func (r *userRecord) sameErrorSince() time.Time {
	trips := r.trips()
	i := len(trips) - 1
	for i > 0 && trips[i-1].Code == trips[i].Code {
		i--
	}
	return trips[i].End
}
