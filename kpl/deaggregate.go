// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/kclread"
)

// Errors of [Deaggregate].
var (
	// ErrNotAggregated is returned for data that is no aggregated record. Most streams have many such records.
	ErrNotAggregated = errors.New("kpl: not an aggregated record")
	// ErrMalformedAggregate is wrapped by the error for data that has the frame of an aggregated record, but no message that
	// can be read. The data was written that way and not damaged later: its checksum is right.
	ErrMalformedAggregate = errors.New("kpl: malformed aggregated record")
	// ErrMembersLost is wrapped by the error for an aggregated record with a member whose keys cannot be read. The member refers
	// to a key that is missing, or to an explicit hash key that is no number from 0 to 2^128-1. The member and those after it
	// are lost for readers.
	ErrMembersLost = errors.New("kpl: members of an aggregated record are lost")
)

// Member is a user record inside an aggregated record.
type Member struct {
	// PartitionKey is what the producer gave the user record. What is not UTF-8 in it is U+FFFD, as in Java.
	PartitionKey string
	// ExplicitHashKey is a decimal number from 0 to 2^128-1; empty if the producer gave none. Another producer may have written
	// leading zeros, a sign, or digits of another script. The Kinesis Client Library reads them too.
	ExplicitHashKey string
	// Data is the payload. It shares memory with the data of the Kinesis record.
	Data []byte
}

// DeaggregateRecord returns the user records of a Kinesis record, in the order they were put. These are the user records that
// the Kinesis Client Library 3.5.1 reads, whatever the record contains, except for the check that [InHashKeyRange] makes:
//
//   - A record that is no aggregated record is one user record. So is one that [Deaggregate] calls malformed.
//   - If the keys of a member cannot be read, only the members before it are returned. [Deaggregate] has an error for that.
//
// A record without a partition key has an empty one: a stream with record distribution AUTO has such records.
//
//	for _, member := range kpl.DeaggregateRecord(&record) {
//		handle(member.Data)
//	}
func DeaggregateRecord(record *types.Record) []Member {
	members, err := Deaggregate(record.Data)
	if err != nil && !errors.Is(err, ErrMembersLost) {
		return []Member{{PartitionKey: aws.ToString(record.PartitionKey), Data: record.Data}}
	}
	return members
}

// Deaggregate returns the user records inside the data of an aggregated record, in the order they were put. It reads every
// record as the Kinesis Client Library (KCL) 3.5.1 does. KCL also drops records of other shards, see [InHashKeyRange].
//
// The error is one of three:
//
//   - [ErrNotAggregated] if data lacks the frame of the KPL's format: magic number, content, and a checksum that matches. Then
//     data is the payload of one user record.
//   - It wraps [ErrMalformedAggregate] if the frame is right but the message in it cannot be read. Then data is the payload of
//     one user record, too.
//   - It wraps [ErrMembersLost] if the keys of a member cannot be read. Deaggregate returns the members before it, as KCL does.
//     For an explicit hash key that is a number beyond 2^128-1 or below 0 it returns none: no shard has that hash key, so KCL
//     drops the whole record.
//
// [DeaggregateRecord] makes user records of all of them.
//
// Deaggregate allocates a Member (56 bytes on 64 bits) for each user record, and besides at most two bytes for each byte of
// data. Each byte of a key that is not UTF-8 becomes up to three bytes.
func Deaggregate(data []byte) ([]Member, error) {
	aggregate, err := kclread.Parse(data)
	switch {
	case errors.Is(err, kclread.ErrNoFrame):
		return nil, ErrNotAggregated
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMalformedAggregate, err)
	}
	members := make([]Member, 0, aggregate.Records)
	err = aggregate.Members(func(m kclread.Member) bool {
		members = append(members, Member(m))
		return true
	})
	switch {
	case errors.Is(err, kclread.ErrNoShard):
		return []Member{}, fmt.Errorf("%w: %w", ErrMembersLost, err)
	case err != nil:
		return members, fmt.Errorf("%w: %w", ErrMembersLost, err)
	}
	return members, nil
}

// InHashKeyRange reports whether all members of an aggregated record belong to a shard with these hash keys. If one member does
// not, the producer built the record before the shards changed, and sends its members again.
//
// The Kinesis Client Library skips such a record, but only while its list of the shards is up to date. For about 30 seconds
// after a reshard, or with skipShardSyncAtWorkerInitializationIfLeasesExist, its list may be older than the shard. It does not
// check the record then, and hands over both copies.
//
// The error is for a hash key, of the range or a member, that is no number from 0 to 2^128-1.
func InHashKeyRange(members []Member, keys types.HashKeyRange) (bool, error) {
	first, err := parseHashKey(aws.ToString(keys.StartingHashKey))
	if err != nil {
		return false, fmt.Errorf("kpl: starting hash key: %w", err)
	}
	last, err := parseHashKey(aws.ToString(keys.EndingHashKey))
	if err != nil {
		return false, fmt.Errorf("kpl: ending hash key: %w", err)
	}
	var known longKeys
	for i := range members {
		hash, err := known.hashOf(&members[i])
		if err != nil {
			return false, fmt.Errorf("kpl: explicit hash key of member %d: %w", i, err)
		}
		if !(hashRange{first, last}).contains(hash) {
			return false, nil
		}
	}
	return true, nil
}

// hash returns the hash key that decides the member's shard.
func (m *Member) hash() (hashKey, error) {
	if m.ExplicitHashKey == "" {
		return hashOf(m.PartitionKey), nil
	}
	high, low, err := kclread.HashKey(m.ExplicitHashKey)
	if err != nil {
		return hashKey{}, errHashKey
	}
	return hashKey{high, low}, nil
}

// longKeys remembers the hash keys of keys that are longer than the service allows, by their places in memory. Many members of
// a record may share one key of a megabyte. To hash it for each of them would take minutes.
type longKeys map[textPlace]hashKey

// textPlace is where the text of a key lies.
type textPlace struct {
	start  *byte
	length int
}

// hashOf returns the hash key of a member.
func (l *longKeys) hashOf(m *Member) (hashKey, error) {
	key := m.ExplicitHashKey
	if key == "" {
		key = m.PartitionKey
	}
	if len(key) <= MaxPartitionKeyLength {
		return m.hash()
	}
	p := textPlace{unsafe.StringData(key), len(key)} //nolint:gosec // The address is compared and never read.
	if hash, ok := (*l)[p]; ok {
		return hash, nil
	}
	hash, err := m.hash()
	if err != nil {
		return hashKey{}, err
	}
	if *l == nil {
		*l = longKeys{}
	}
	(*l)[p] = hash
	return hash, nil
}
