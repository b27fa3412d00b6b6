// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/kclread"
)

// UserRecord is a user record as a reader with the Kinesis Client Library (KCL) gets it.
type UserRecord struct {
	PartitionKey    string // as the producer set it
	ExplicitHashKey string // empty if the user record had none
	Data            []byte // must not be changed

	// ShardID and SequenceNumber are those of the Kinesis record that contains the user record. [Deaggregate] leaves them
	// empty.
	ShardID        string
	SequenceNumber string
	// Aggregated says whether the Kinesis record is an aggregated record.
	Aggregated bool
}

// UserRecords returns the user records that KCL gives to a reader of a stream, given by name or ARN, in the order in which they
// are stored. The user records in [Kinesis.DroppedAggregates] are not among them. KCL knows all shards; see
// [Kinesis.UserRecordsOldList] for a KCL that does not.
func (k *Kinesis) UserRecords(stream string) []UserRecord {
	records, shards := k.snapshot(stream)
	readable, _ := readAll(records, shards)
	return readable
}

// UserRecordsOldList returns the user records that KCL gives to a reader of a stream, given by name or ARN, while KCL's list of
// the shards is as old from the time listed. If listed is zero, KCL knows no shard.
//
// If KCL does not know a shard, it does not check which members belong to the shard. So it gives both copies of a user record
// that was sent again because the first copy was in an aggregated record on the wrong shard. A live KCL is in that state for
// about 30 seconds after a reshard, and longer with skipShardSyncAtWorkerInitializationIfLeasesExist.
func (k *Kinesis) UserRecordsOldList(stream string, listed time.Time) []UserRecord {
	records, shards := k.snapshot(stream)
	for id, sh := range shards {
		if sh.opened.After(listed) {
			shards[id] = &shard{end: maxHashKey}
		}
	}
	readable, _ := readAll(records, shards)
	return readable
}

// DroppedAggregates returns the aggregated records of a stream, given by name or ARN, of which KCL drops a member, if it
// knows all shards. KCL drops an aggregated record with all its members if the hash key of a member is outside of the
// shard. If the keys of a member cannot be read, KCL drops that member and those after it.
func (k *Kinesis) DroppedAggregates(stream string) []Record {
	records, shards := k.snapshot(stream)
	_, dropped := readAll(records, shards)
	return dropped
}

// readAll returns what KCL gives to a reader of records, and the records of which it drops a member. shards has the shards of
// the records by id.
func readAll(records []Record, shards map[string]*shard) (readable []UserRecord, dropped []Record) {
	for _, record := range records {
		sh := shards[record.ShardID]
		members, err := deaggregate(record.PartitionKey, record.Data, sh.start, sh.end)
		if err != nil {
			dropped = append(dropped, record)
		}
		for _, member := range members {
			member.ShardID, member.SequenceNumber = record.ShardID, record.SequenceNumber
			if !member.Aggregated {
				member.ExplicitHashKey = record.ExplicitHashKey
			}
			readable = append(readable, member)
		}
	}
	return readable, dropped
}

// snapshot returns the records of a stream and its shards by id.
func (k *Kinesis) snapshot(stream string) ([]Record, map[string]*shard) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, err := k.lookup(parseReference(stream))
	if err != nil {
		return nil, nil
	}
	return s.copyRecords(), s.byID()
}

// byID returns all shards of the stream, open and closed, by id.
func (s *stream) byID() map[string]*shard {
	shards := make(map[string]*shard, len(s.shards))
	for _, sh := range s.shards {
		shards[sh.id] = sh
	}
	return shards
}

// Remains has the records of a stream that was deleted with [Kinesis.TakeStream].
type Remains struct{ stream *stream }

// Records returns the Kinesis records of the deleted stream, as [Kinesis.Records] did.
func (r *Remains) Records() []Record { return r.stream.copyRecords() }

// UserRecords returns the user records of the deleted stream, as [Kinesis.UserRecords] did.
func (r *Remains) UserRecords() []UserRecord {
	readable, _ := readAll(r.stream.copyRecords(), r.stream.byID())
	return readable
}

// ErrDropped is wrapped by the error of [Deaggregate] for an aggregated record that KCL drops.
var ErrDropped = errors.New("kpltest: KCL drops the aggregated record")

// Deaggregate returns the user records in a Kinesis record, as KCL 3.5.1 does. shard is the range of hash keys of the shard that
// stores the record. A record that is not an aggregated record is one user record. If the keys of a member cannot be read,
// Deaggregate returns the members before it, as KCL does.
//
// The error wraps [ErrDropped] if KCL returns no member at all, although there is one. Any other error means that shard is not
// a range of hash keys.
func Deaggregate(partitionKey string, data []byte, shard types.HashKeyRange) ([]UserRecord, error) {
	first, _, okFirst := parseHashKey(deref(shard.StartingHashKey))
	last, _, okLast := parseHashKey(deref(shard.EndingHashKey))
	if !okFirst || !okLast {
		return nil, fmt.Errorf("kpltest: %q to %q is no range of hash keys",
			deref(shard.StartingHashKey), deref(shard.EndingHashKey))
	}
	records, err := deaggregate(partitionKey, data, first, last)
	if len(records) > 0 {
		return records, nil
	}
	return nil, err
}

// deaggregate does what Deaggregate does, for the hash keys from first to last. The error is also set if some members are lost.
func deaggregate(partitionKey string, data []byte, first, last hashKey) (records []UserRecord, err error) {
	aggregate, err := kclread.Parse(data)
	if err != nil { // For KCL, that is a record without aggregation.
		return []UserRecord{{PartitionKey: partitionKey, Data: data}}, nil //nolint:nilerr // see above
	}
	var outside error
	err = aggregate.Members(func(m kclread.Member) bool {
		key := hashOf(m.PartitionKey)
		if m.ExplicitHashKey != "" {
			high, low, _ := kclread.HashKey(m.ExplicitHashKey) // Members checks it.
			key = hashKey{high, low}
		}
		if key.compare(first) < 0 || key.compare(last) > 0 {
			outside = fmt.Errorf("%w: hash key %v of member %d is not in the shard's range from %v to %v",
				ErrDropped, key, len(records), first, last)
			return false
		}
		records = append(records, UserRecord{
			PartitionKey: m.PartitionKey, ExplicitHashKey: m.ExplicitHashKey, Data: m.Data, Aggregated: true,
		})
		return true
	})
	switch {
	case outside != nil:
		return nil, outside
	case errors.Is(err, kclread.ErrNoShard):
		return nil, fmt.Errorf("%w: %w", ErrDropped, err)
	case err != nil:
		return records, fmt.Errorf("%w: %w", ErrDropped, err)
	}
	return records, nil
}
