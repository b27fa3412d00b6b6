// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package kclread reads aggregated records exactly as the Kinesis Client Library (KCL) for Java 3.5.1 does, odd ones included.
// Package kpl reads with it, and package kpltest, whose reader stands for KCL in all tests.
//
// KCL reads in four steps:
//
//  1. Data without the frame (magic number, message, MD5 of the message) is one user record.
//  2. So is a message that Java's protobuf decoder does not read.
//  3. Members are read one by one. KCL stops at a member whose keys it cannot read. The members before it count, and the others
//     are lost.
//  4. If the hash key of a member that was read is not of the shard, KCL drops the whole aggregated record.
//
// The caller takes the fourth step, because it needs the shard. One part of it is here: a number that is no hash key, such as
// -1, is not of any shard.
package kclread

import (
	"errors"
	"fmt"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/md5x8"
)

var (
	// ErrNoFrame means that data has no frame: KCL takes it for one user record.
	ErrNoFrame = errors.New("no frame of an aggregated record")
	// ErrMember is wrapped if the keys of a member cannot be read: KCL keeps the members before it.
	ErrMember = errors.New("keys that cannot be read")
	// ErrNoShard is wrapped if an explicit hash key is a number that no shard has: KCL drops the aggregated record.
	ErrNoShard = errors.New("hash key of no shard")
)

// Magic is how every aggregated record begins.
const Magic = "\xf3\x89\x9a\xc2"

// maxSize is more than any Kinesis record has. It keeps places in the text of a table within 28 bits.
const maxSize = 64 << 20

// Member is a user record in an aggregated record.
type Member struct {
	PartitionKey    string
	ExplicitHashKey string // empty if there is none
	Data            []byte // shares memory with the data of the aggregated record
}

// Aggregate is an aggregated record whose message was parsed.
type Aggregate struct {
	// Records is the number of members in the message, those that cannot be read included.
	Records int

	message                         []byte
	partitionKeys, explicitHashKeys table
}

// Parse reads the tables of an aggregated record and checks its members. The error is ErrNoFrame,
// or says why Java's decoder does not read the message. In both cases KCL takes data for one user record.
//
// Parse allocates at most two bytes for each byte of data, and three for each byte of a key that is not UTF-8.
func Parse(data []byte) (Aggregate, error) {
	if len(data) <= len(Magic)+md5x8.Size || len(data) > maxSize || string(data[:len(Magic)]) != Magic {
		return Aggregate{}, ErrNoFrame
	}
	message, digest := data[len(Magic):len(data)-md5x8.Size], data[len(data)-md5x8.Size:]
	if md5x8.Sum(message) != [md5x8.Size]byte(digest) {
		return Aggregate{}, ErrNoFrame
	}
	sizes, err := measure(message)
	if err != nil {
		return Aggregate{}, err
	}
	return Aggregate{
		Records:          sizes.records,
		message:          message,
		partitionKeys:    newTable(message, tagPartitionKey, sizes.partitionKeys, func(string) verdict { return usable }),
		explicitHashKeys: newTable(message, tagExplicitHashKey, sizes.explicitHashKeys, judgeNumber),
	}, nil
}

// Members calls yield for the members that KCL reads, in their order, until yield returns false. If KCL stops at a member, the
// error says why: it wraps ErrMember or ErrNoShard.
func (a *Aggregate) Members(yield func(Member) bool) error {
	count := 0
	for rest := a.message; len(rest) > 0; {
		var f field
		f, rest, _ = next(rest, 0) // It was read before, without an error.
		if f.tag != tagRecord {
			continue
		}
		record, _ := parseRecord(f.bytes)
		member, err := a.resolve(record)
		if err != nil {
			return fmt.Errorf("member %d: %w", count, err)
		}
		if !yield(member) {
			return nil
		}
		count++
	}
	return nil
}

// resolve returns the member of a Record message.
func (a *Aggregate) resolve(r record) (Member, error) {
	key, _, ok := a.partitionKeys.at(r.partitionKey)
	if !ok {
		return Member{}, fmt.Errorf("%w: index %d of %d partition keys", ErrMember, r.partitionKey, a.partitionKeys.len())
	}
	if !r.explicit {
		return Member{PartitionKey: key, Data: r.data}, nil
	}
	explicit, verdict, ok := a.explicitHashKeys.at(r.explicitHashKey)
	switch {
	case !ok:
		return Member{}, fmt.Errorf("%w: index %d of %d explicit hash keys",
			ErrMember, r.explicitHashKey, a.explicitHashKeys.len())
	case verdict == noNumber:
		return Member{}, fmt.Errorf("%w: explicit hash key %d is no number", ErrMember, r.explicitHashKey)
	case verdict == noHashKey:
		return Member{}, fmt.Errorf("%w: explicit hash key %d is not from 0 to 2^128-1", ErrNoShard, r.explicitHashKey)
	}
	return Member{PartitionKey: key, ExplicitHashKey: explicit, Data: r.data}, nil
}

// sizes is what a message needs in memory.
type sizes struct {
	records                         int
	partitionKeys, explicitHashKeys tableSize
}

// measure reads the whole message and counts what is in it. An error says why Java's decoder does not read it.
func measure(message []byte) (s sizes, err error) {
	for rest := message; len(rest) > 0; {
		var f field
		if f, rest, err = next(rest, 0); err != nil {
			return sizes{}, err
		}
		switch f.tag {
		case tagPartitionKey:
			s.partitionKeys.add(f.bytes)
		case tagExplicitHashKey:
			s.explicitHashKeys.add(f.bytes)
		case tagRecord:
			if _, err = parseRecord(f.bytes); err != nil {
				return sizes{}, fmt.Errorf("member %d: %w", s.records, err)
			}
			s.records++
		}
	}
	return s, nil
}
