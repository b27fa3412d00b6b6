// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Stream describes a stream to create.
type Stream struct {
	// Name is 1 to 128 letters, digits, underscores, hyphens and dots.
	Name string
	// Shards is the number of shards, at least 1. Each gets an equal part of the hash keys.
	Shards int
	// MaxRecordSize is the largest number of bytes of data and partition key in one record. It is a multiple of 1 KiB, from
	// 1 MiB to 10 MiB. Zero means 1 MiB.
	MaxRecordSize int
	// Distribution says what decides about the shard of a record. With [types.RecordDistributionStrategyAuto] the service
	// chooses the shard at random. Otherwise the keys of the record decide; this is what empty means.
	Distribution types.RecordDistributionStrategy
}

// stream is a stream and all that it stores. It is guarded by the mutex of its Kinesis.
type stream struct {
	Stream
	arn     string
	created time.Time
	shards  []*shard  // open and closed, ordered by number
	open    []*shard  // ordered by hash key
	records []*Record // in the order in which they were stored
}

// shard is a shard of a stream.
type shard struct {
	id                     string
	start, end             hashKey   // the first and the last
	parent, adjacentParent string    // ids; empty if there is none. Only a merged shard has an adjacentParent.
	opened, closed         time.Time // closed is zero while the shard is open
	first, last            sequence  // when the shard was opened and closed; last is 0 while it is open
	records                []*Record // in the order in which they were stored
	limit                  shardLimit
}

// sequence numbers all that happens in a Kinesis, in order, from 1.
type sequence uint64

// A sequence number is the prefix, followed by the sequence with leading zeros. It has 56 digits, as those of the service. So
// sequence numbers have the same order as text and as numbers.
const (
	sequencePrefix = "49590338271490256608"
	sequenceZeros  = "000000000000000000000000000000000000"
	sequenceLength = len(sequencePrefix) + len(sequenceZeros)
)

// appendTo appends the sequence number of s.
func (s sequence) appendTo(b []byte) []byte {
	b = append(append(b, sequencePrefix...), sequenceZeros...)
	for i := len(b) - 1; s > 0; i-- {
		b[i] = byte('0' + s%10)
		s /= 10
	}
	return b
}

func (s sequence) String() string {
	var b [sequenceLength]byte
	return string(s.appendTo(b[:0]))
}

// parseSequence reads a sequence number that appendTo wrote.
func parseSequence(number string) (sequence, bool) {
	digits, ok := strings.CutPrefix(number, sequencePrefix)
	if !ok || len(digits) != len(sequenceZeros) {
		return 0, false
	}
	s, err := strconv.ParseUint(digits, 10, 64)
	return sequence(s), err == nil
}

// addShard opens a shard with the next shard number.
func (s *stream) addShard(start, end hashKey, now time.Time, first sequence) *shard {
	added := &shard{
		id:     fmt.Sprintf("shardId-%012d", len(s.shards)),
		start:  start,
		end:    end,
		opened: now,
		first:  first,
		limit:  newShardLimit(now),
	}
	s.shards = append(s.shards, added)
	s.open = append(s.open, added)
	slices.SortFunc(s.open, func(a, b *shard) int { return a.start.compare(b.start) })
	return added
}

// closeShard closes a shard. The shard keeps its records and accepts no more.
func (s *stream) closeShard(sh *shard, now time.Time, last sequence) {
	sh.closed, sh.last = now, last
	s.open = slices.DeleteFunc(s.open, func(o *shard) bool { return o == sh })
}

// route returns the open shard for a hash key.
func (s *stream) route(key hashKey) *shard {
	i := sort.Search(len(s.open), func(i int) bool { return s.open[i].end.compare(key) >= 0 })
	return s.open[i]
}

// shard returns the shard with an id, open or closed.
func (s *stream) shard(id string) (*shard, error) {
	for _, sh := range s.shards {
		if sh.id == id {
			return sh, nil
		}
	}
	return nil, newError(CodeResourceNotFound, "Could not find shard %s in stream %s.", id, s.Name)
}

// openShard returns the open shard with an id.
func (s *stream) openShard(id string) (*shard, error) {
	sh, err := s.shard(id)
	if err == nil && sh.last != 0 {
		return nil, newError(CodeResourceInUse, "Shard %s in stream %s is closed.", id, s.Name)
	}
	return sh, err
}

// describe returns the shard as the API describes it.
func (sh *shard) describe() types.Shard {
	described := types.Shard{
		ShardId:             &sh.id,
		HashKeyRange:        sh.hashKeyRange(),
		SequenceNumberRange: &types.SequenceNumberRange{StartingSequenceNumber: aws.String(sh.first.String())},
	}
	if sh.last != 0 {
		described.SequenceNumberRange.EndingSequenceNumber = aws.String(sh.last.String())
	}
	if sh.parent != "" {
		described.ParentShardId = &sh.parent
	}
	if sh.adjacentParent != "" {
		described.AdjacentParentShardId = &sh.adjacentParent
	}
	return described
}

func (sh *shard) hashKeyRange() *types.HashKeyRange {
	return &types.HashKeyRange{
		StartingHashKey: aws.String(sh.start.String()),
		EndingHashKey:   aws.String(sh.end.String()),
	}
}
