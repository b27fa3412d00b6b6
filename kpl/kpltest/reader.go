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
// are stored. The user records in [Kinesis.DroppedAggregates] are not among them.
func (k *Kinesis) UserRecords(stream string) []UserRecord {
	records, _ := k.read(stream)
	return records
}

// DroppedAggregates returns the aggregated records of a stream, given by name or ARN, that KCL drops. KCL drops an aggregated
// record with all its members if the hash key of a member is outside of the shard, or a member refers to a missing key.
func (k *Kinesis) DroppedAggregates(stream string) []Record {
	_, dropped := k.read(stream)
	return dropped
}

// read returns what KCL gives to a reader of a stream, and what it drops.
func (k *Kinesis) read(stream string) (readable []UserRecord, dropped []Record) {
	records, shards := k.snapshot(stream)
	return readAll(records, shards)
}

// readAll returns what KCL gives to a reader of records, and what it drops. shards has the shards of the records by id.
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

// The frame of an aggregated record. It has the magic number, a protobuf message, and the MD5 of the message.
const (
	magic      = "\xf3\x89\x9a\xc2"
	digestSize = md5.Size
)

// Deaggregate returns the user records in a Kinesis record, as KCL does. shard is the range of hash keys of the shard that
// stores the record. A record that is not an aggregated record is one user record.
//
// The error wraps [ErrDropped] if KCL drops the record, see [Kinesis.DroppedAggregates]. Any other error means that shard is
// not a range of hash keys.
func Deaggregate(partitionKey string, data []byte, shard types.HashKeyRange) ([]UserRecord, error) {
	first, _, okFirst := parseHashKey(deref(shard.StartingHashKey))
	last, _, okLast := parseHashKey(deref(shard.EndingHashKey))
	if !okFirst || !okLast {
		return nil, fmt.Errorf("kpltest: %q to %q is no range of hash keys",
			deref(shard.StartingHashKey), deref(shard.EndingHashKey))
	}
	return deaggregate(partitionKey, data, first, last)
}

// deaggregate does what Deaggregate does, for the hash keys from first to last.
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
		return plain, nil //nolint:nilerr // For KCL, a message that cannot be parsed is a record without aggregation.
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

// aggregate is the protobuf message AggregatedRecord.
type aggregate struct {
	partitionKeys, explicitHashKeys []string
	members                         []member
}

// member is the protobuf message Record, one user record of an aggregated record.
type member struct {
	partitionKey    uint64  // index of its partition key
	explicitHashKey *uint64 // index of its explicit hash key, or nil
	data            []byte
}

// resolve returns the user record of a member, with its keys, and its hash key.
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

// eachField calls field for the fields of a message, in their order. value is nil for a varint, and not nil for a
// length-delimited field. Fields of other types are left out.
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
