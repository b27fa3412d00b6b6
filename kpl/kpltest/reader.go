package kpltest

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"google.golang.org/protobuf/encoding/protowire"
)

// UserRecord is a record as a reader with the Kinesis Client Library (KCL) gets it.
type UserRecord struct {
	PartitionKey    string
	ExplicitHashKey string // empty if it had none
	Data            []byte // read only

	// ShardID and SequenceNumber are those of the Kinesis record it was in; empty from [Deaggregate].
	ShardID        string
	SequenceNumber string
	// Aggregated says whether it was in an aggregated record.
	Aggregated bool
}

// UserRecords returns what KCL hands to a reader of a stream, given by name or ARN, in the order in which the stream
// stores it. What is in [Kinesis.DroppedAggregates] is missing from it.
func (k *Kinesis) UserRecords(stream string) []UserRecord {
	records, _ := k.read(stream)
	return records
}

// DroppedAggregates returns the aggregated records of a stream, given by name or ARN, that KCL drops as a whole: one of
// their members does not belong into the shard, or refers to a key that is not there.
func (k *Kinesis) DroppedAggregates(stream string) []Record {
	_, dropped := k.read(stream)
	return dropped
}

func (k *Kinesis) read(stream string) (readable []UserRecord, dropped []Record) {
	records, shards := k.snapshot(stream)
	return readAll(records, shards)
}

// readAll is what KCL makes of records in shards.
func readAll(records []Record, shards map[string]*shard) (readable []UserRecord, dropped []Record) {
	for _, record := range records {
		sh := shards[record.ShardID]
		members, err := deaggregate(record.PartitionKey, record.Data, sh.start, sh.end)
		if err != nil {
			dropped = append(dropped, record)
			continue
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

// byID returns all shards there ever were.
func (s *stream) byID() map[string]*shard {
	shards := make(map[string]*shard, len(s.shards))
	for _, sh := range s.shards {
		shards[sh.id] = sh
	}
	return shards
}

// Remains is what a deleted stream had stored: what readers who were quick enough have got of it.
type Remains struct{ stream *stream }

// Records returns the records in the order in which they came.
func (r *Remains) Records() []Record { return r.stream.copyRecords() }

// UserRecords returns what KCL handed to readers, as [Kinesis.UserRecords] does.
func (r *Remains) UserRecords() []UserRecord {
	readable, _ := readAll(r.stream.copyRecords(), r.stream.byID())
	return readable
}

// ErrDropped is wrapped by the error of [Deaggregate].
var ErrDropped = errors.New("kpltest: KCL drops the aggregated record")

// The frame of an aggregated record: the magic number, the message, the MD5 of the message.
const (
	magic      = "\xf3\x89\x9a\xc2"
	digestSize = md5.Size
)

// Deaggregate returns the user records in a Kinesis record of a shard with the given range of hash keys, as KCL does: a
// record that is no aggregated record comes back as it is, and an aggregated record with a member out of the range is
// dropped as a whole, which is an error that wraps [ErrDropped].
func Deaggregate(partitionKey string, data []byte, shard types.HashKeyRange) ([]UserRecord, error) {
	first, _, okFirst := parseHashKey(deref(shard.StartingHashKey))
	last, _, okLast := parseHashKey(deref(shard.EndingHashKey))
	if !okFirst || !okLast {
		return nil, fmt.Errorf("kpltest: %q to %q is no range of hash keys",
			deref(shard.StartingHashKey), deref(shard.EndingHashKey))
	}
	return deaggregate(partitionKey, data, first, last)
}

// deaggregate is Deaggregate for the range from first to last.
func deaggregate(partitionKey string, data []byte, first, last hashKey) ([]UserRecord, error) {
	plain := []UserRecord{{PartitionKey: partitionKey, Data: data}}
	body, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(body) <= digestSize {
		return plain, nil
	}
	message, digest := body[:len(body)-digestSize], body[len(body)-digestSize:]
	if sum := md5.Sum(message); !bytes.Equal(sum[:], digest) {
		return plain, nil
	}
	aggregate, err := parseAggregate(message)
	if err != nil {
		return plain, nil //nolint:nilerr // KCL takes what does not parse for a plain record.
	}
	records := make([]UserRecord, len(aggregate.members))
	for i, member := range aggregate.members {
		record, key, err := aggregate.resolve(member)
		if err != nil {
			return nil, fmt.Errorf("%w: member %d: %w", ErrDropped, i, err)
		}
		if key.compare(first) < 0 || key.compare(last) > 0 {
			return nil, fmt.Errorf("%w: hash key %v of member %d is not in the shard's range from %v to %v",
				ErrDropped, key, i, first, last)
		}
		records[i] = record
	}
	return records, nil
}

// aggregate is the message AggregatedRecord.
type aggregate struct {
	partitionKeys, explicitHashKeys []string
	members                         []member
}

// member is the message Record.
type member struct {
	partitionKey    uint64  // index of its partition key
	explicitHashKey *uint64 // index of its explicit hash key, or nil
	data            []byte
}

// resolve looks up a member's keys, and returns the hash key they give.
func (a *aggregate) resolve(m member) (UserRecord, hashKey, error) {
	if m.partitionKey >= uint64(len(a.partitionKeys)) {
		return UserRecord{}, hashKey{}, fmt.Errorf("no partition key has index %d", m.partitionKey)
	}
	record := UserRecord{PartitionKey: a.partitionKeys[m.partitionKey], Data: m.data, Aggregated: true}
	if m.explicitHashKey == nil {
		return record, hashOf(record.PartitionKey), nil
	}
	if *m.explicitHashKey >= uint64(len(a.explicitHashKeys)) {
		return UserRecord{}, hashKey{}, fmt.Errorf("no explicit hash key has index %d", *m.explicitHashKey)
	}
	record.ExplicitHashKey = a.explicitHashKeys[*m.explicitHashKey]
	key, wellFormed, inRange := parseHashKey(record.ExplicitHashKey)
	if !wellFormed || !inRange {
		return UserRecord{}, hashKey{}, fmt.Errorf("%q is no explicit hash key", record.ExplicitHashKey)
	}
	return record, key, nil
}

// Field numbers of the messages.
const (
	fieldPartitionKeys    protowire.Number = 1 // of AggregatedRecord
	fieldExplicitHashKeys protowire.Number = 2
	fieldRecords          protowire.Number = 3

	fieldPartitionKeyIndex    protowire.Number = 1 // of Record
	fieldExplicitHashKeyIndex protowire.Number = 2
	fieldData                 protowire.Number = 3
)

var errNotAggregate = errors.New("kpltest: the message is no AggregatedRecord")

func parseAggregate(message []byte) (*aggregate, error) {
	a := &aggregate{}
	err := eachField(message, func(number protowire.Number, _ uint64, value []byte) error {
		switch {
		case value == nil:
		case number == fieldPartitionKeys:
			a.partitionKeys = append(a.partitionKeys, string(value))
		case number == fieldExplicitHashKeys:
			a.explicitHashKeys = append(a.explicitHashKeys, string(value))
		case number == fieldRecords:
			m, err := parseMember(value)
			a.members = append(a.members, m)
			return err
		}
		return nil
	})
	return a, err
}

func parseMember(message []byte) (member, error) {
	var m member
	indexed := false
	err := eachField(message, func(number protowire.Number, index uint64, value []byte) error {
		switch {
		case value == nil && number == fieldPartitionKeyIndex:
			m.partitionKey, indexed = index, true
		case value == nil && number == fieldExplicitHashKeyIndex:
			m.explicitHashKey = &index
		case value != nil && number == fieldData:
			m.data = value
		}
		return nil
	})
	if err == nil && (!indexed || m.data == nil) {
		err = errNotAggregate // Both fields are required.
	}
	return m, err
}

// eachField calls field for each varint (with value nil) and each length-delimited field (with value not nil) of a
// message, in their order. Fields of other types are passed over.
func eachField(message []byte, field func(number protowire.Number, varint uint64, value []byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errNotAggregate
		}
		message = message[n:]
		var varint uint64
		var value []byte
		switch kind {
		case protowire.VarintType:
			varint, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(message)
			value = slices.Clip(value)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return errNotAggregate
		}
		message = message[n:]
		if kind == protowire.VarintType || kind == protowire.BytesType {
			if err := field(number, varint, value); err != nil {
				return err
			}
		}
	}
	return nil
}
