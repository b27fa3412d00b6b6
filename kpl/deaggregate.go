package kpl

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/md5x8"
)

// Errors of [Deaggregate].
var (
	// ErrNotAggregated is returned for data that is no aggregated record, as most consumers' streams have many.
	ErrNotAggregated = errors.New("kpl: not an aggregated record")
	// ErrMalformedAggregate is wrapped by the error for data that its writer framed as an aggregated record but whose
	// content breaks the format. It is not damage on the way: the checksum holds.
	ErrMalformedAggregate = errors.New("kpl: malformed aggregated record")
)

// Member is a user record inside an aggregated record.
type Member struct {
	// PartitionKey is what the producer gave the user record; empty is possible in theory.
	PartitionKey string
	// ExplicitHashKey is a decimal number from 0 to 2^128-1; empty if the producer gave none.
	ExplicitHashKey string
	// Data is the payload. It aliases the data given to [Deaggregate].
	Data []byte
}

// Deaggregate returns the user records inside the data of a Kinesis record, in the order they were put. It allocates in
// proportion to data, whatever lengths data claims.
//
// The error is [ErrNotAggregated] if data lacks the frame of the KPL's format: magic number, content, and a checksum
// that matches. It wraps [ErrMalformedAggregate] and says what is wrong if the frame is right but the content is not.
// After either, data is to be taken as one user record, and the partition key of the Kinesis record as its own: the
// Kinesis Client Library does so. A consumer that follows it needs no more than
//
//	members, err := kpl.Deaggregate(record.Data)
//	if err != nil {
//		members = []kpl.Member{{PartitionKey: *record.PartitionKey, Data: record.Data}}
//	}
func Deaggregate(data []byte) ([]Member, error) {
	message, ok := unframe(data)
	if !ok {
		return nil, ErrNotAggregated
	}
	members, err := decodeAggregate(message)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformedAggregate, err)
	}
	return members, nil
}

// InHashKeyRange reports whether all members of an aggregated record belong to a shard with these hash keys. The
// Kinesis Client Library skips an aggregated record, all of it, of which any member lies outside its shard's range: the
// producer put it together when the shards were others, and has sent it again. The error is for keys or an explicit
// hash key of a member that are no numbers from 0 to 2^128-1.
func InHashKeyRange(members []Member, keys types.HashKeyRange) (bool, error) {
	first, err := parseHashKey(aws.ToString(keys.StartingHashKey))
	if err != nil {
		return false, fmt.Errorf("kpl: starting hash key: %w", err)
	}
	last, err := parseHashKey(aws.ToString(keys.EndingHashKey))
	if err != nil {
		return false, fmt.Errorf("kpl: ending hash key: %w", err)
	}
	for i, m := range members {
		hash, err := m.hash()
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
func (m Member) hash() (hashKey, error) {
	if m.ExplicitHashKey != "" {
		return parseHashKey(m.ExplicitHashKey)
	}
	return hashOf(m.PartitionKey), nil
}

// unframe returns the protobuf message in data; false if there is none.
func unframe(data []byte) ([]byte, bool) {
	if len(data) <= frameBytes || string(data[:len(magic)]) != magic {
		return nil, false
	}
	message, checksum := data[len(magic):len(data)-md5x8.Size], data[len(data)-md5x8.Size:]
	return message, md5x8.Sum(message) == [md5x8.Size]byte(checksum)
}

// aggregateTables are the keys that the records of a message refer to by their index.
type aggregateTables struct {
	partitionKeys, explicitHashKeys []string
}

// decodeAggregate decodes an AggregatedRecord message. Its fields may come in any order, so the records are decoded
// once the tables are whole.
func decodeAggregate(message []byte) ([]Member, error) {
	tables, records, err := decodeTables(message)
	if err != nil {
		return nil, err
	}
	members := make([]Member, 0, records)
	for rest := message; len(rest) > 0; {
		var f protoField
		if f, rest, err = nextField(rest); err != nil {
			return nil, err
		}
		if !f.is(tagRecord) {
			continue
		}
		m, err := tables.decodeMember(f.bytes)
		if err != nil {
			return nil, fmt.Errorf("member %d: %w", len(members), err)
		}
		members = append(members, m)
	}
	return members, nil
}

// decodeTables returns the tables of an AggregatedRecord message and the number of its records.
func decodeTables(message []byte) (tables aggregateTables, records int, err error) {
	for rest := message; len(rest) > 0; {
		var f protoField
		if f, rest, err = nextField(rest); err != nil {
			return aggregateTables{}, 0, err
		}
		switch {
		case f.is(tagPartitionKey):
			if !utf8.Valid(f.bytes) {
				return aggregateTables{}, 0, fmt.Errorf("partition key %d: not UTF-8", len(tables.partitionKeys))
			}
			tables.partitionKeys = append(tables.partitionKeys, string(f.bytes))
		case f.is(tagExplicitHashKey):
			key := string(f.bytes)
			if _, err := parseHashKey(key); err != nil {
				return aggregateTables{}, 0, fmt.Errorf("explicit hash key %d: %w", len(tables.explicitHashKeys), err)
			}
			tables.explicitHashKeys = append(tables.explicitHashKeys, key)
		case f.is(tagRecord):
			records++
		}
	}
	return tables, records, nil
}

// decodeMember decodes a Record message. Of a field that occurs twice the last counts, as everywhere in protobuf.
func (t *aggregateTables) decodeMember(message []byte) (m Member, err error) {
	var hasKey, hasData bool
	for rest := message; len(rest) > 0; {
		var f protoField
		if f, rest, err = nextField(rest); err != nil {
			return Member{}, err
		}
		switch {
		case f.is(tagPartitionKeyIndex):
			hasKey = true
			m.PartitionKey, err = entry(t.partitionKeys, f.varint)
		case f.is(tagExplicitHashKeyIndex):
			m.ExplicitHashKey, err = entry(t.explicitHashKeys, f.varint)
		case f.is(tagData):
			hasData = true
			m.Data = f.bytes
		}
		if err != nil {
			return Member{}, fmt.Errorf("field %d: %w", f.tag>>3, err)
		}
	}
	if !hasKey {
		return Member{}, errors.New("no partition key index")
	}
	if !hasData {
		return Member{}, errors.New("no data")
	}
	return m, nil
}

// entry returns the entry of a table that an index refers to.
func entry(table []string, index uint64) (string, error) {
	if index >= uint64(len(table)) {
		return "", fmt.Errorf("index %d of a table with %d entries", index, len(table))
	}
	return table[index], nil
}

// protoField is a field of a protobuf message: its tag, and its value if that is a varint or bytes.
type protoField struct {
	tag    uint64
	varint uint64
	bytes  []byte
}

// is reports whether the field has this number and wire type. A known number with another wire type is an unknown
// field, as for every protobuf decoder.
func (f protoField) is(tag uint64) bool { return f.tag == tag }

// nextField cuts the first field off a message that is not empty.
func nextField(message []byte) (f protoField, rest []byte, err error) {
	number, wire, n := protowire.ConsumeTag(message)
	if n < 0 {
		return protoField{}, nil, protowire.ParseError(n)
	}
	value := message[n:]
	if n = protowire.ConsumeFieldValue(number, wire, value); n < 0 {
		return protoField{}, nil, protowire.ParseError(n)
	}
	value, rest = value[:n:n], value[n:]
	f.tag = protowire.EncodeTag(number, wire)
	switch wire { //nolint:exhaustive // The values of other wire types are of no use here.
	case protowire.VarintType:
		f.varint, _ = protowire.ConsumeVarint(value)
	case protowire.BytesType:
		f.bytes, _ = protowire.ConsumeBytes(value)
	}
	return f, rest, nil
}
