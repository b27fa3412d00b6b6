package kpl

import (
	"fmt"
	"hash/maphash"
	"time"
	"unicode/utf8"
)

// KeylessKeySize is the length in bytes of the partition key that the producer makes for records put without one.
const KeylessKeySize = 16

// userRecord is a UserRecord on its way through the stages, which pass it on as a value: it is in exactly one of them at
// a time, side by side in memory with those it travels with. The loop of its stream owns it from Put to Result.
type userRecord struct {
	data         []byte
	partitionKey string
	hash         hashKey
	received     time.Time

	keyHash                uint32 // tells partition keys apart in a keyTable
	keyIndex, hashKeyIndex uint32 // in the tables of the Kinesis record it is in
	hashDigits             uint8  // of hash in decimal, if it is an explicit hash key; else 0
	keyless                bool   // put without a partition key: any shard will do, and hash means nothing
	due                    bool   // it has been sent, or was about to be: it does not wait for others again
	failures               uint8  // attempts that failed otherwise than by a throttle of the shard; 255 stands for more

	epoch    uint32       // its number
	index    uint32       // in batch
	batch    *waiter      // nil if put outside of a batch
	done     func(Result) // may be nil
	attempts *attempts    // nil if there are none
}

// attempts is the latest trip of user records, and those before it. Records that travel together share it, so that a trip takes
// the same memory however many it has behind it.
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

// newUserRecord checks a caller's record. Its hash key, unless it is explicit, is for [hashKeys] to settle. The error wraps
// ErrInvalidRecord or ErrRecordTooLarge.
func newUserRecord(in *UserRecord, maxRecordSize int) (userRecord, error) {
	r := userRecord{
		data:         in.Data,
		partitionKey: in.PartitionKey,
		keyHash:      uint32(maphash.String(keySeed, in.PartitionKey)), //nolint:gosec // its low bits
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

// skipLinger makes records go without waiting for others.
func skipLinger(records []userRecord) {
	for i := range records {
		records[i].due = true
	}
}

// addAttempt notes a trip of all members. Neighbours that have traveled together so far go on sharing their attempts.
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
