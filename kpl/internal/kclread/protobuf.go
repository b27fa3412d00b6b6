// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kclread

import (
	"encoding/binary"
	"errors"
)

// The messages of the format. A field that occurs twice counts with its last value.
//
//	message AggregatedRecord { repeated string partition_key_table = 1;
//	                           repeated string explicit_hash_key_table = 2;
//	                           repeated Record records = 3; }
//	message Record { required uint64 partition_key_index = 1;
//	                 optional uint64 explicit_hash_key_index = 2;
//	                 required bytes data = 3;
//	                 repeated Tag tags = 4; }
//	message Tag { required string key = 1;
//	              optional string value = 2; }
const (
	tagPartitionKey    = 1<<3 | lengthDelimited
	tagExplicitHashKey = 2<<3 | lengthDelimited
	tagRecord          = 3<<3 | lengthDelimited

	tagPartitionKeyIndex    = 1<<3 | varint
	tagExplicitHashKeyIndex = 2<<3 | varint
	tagData                 = 3<<3 | lengthDelimited
	tagTag                  = 4<<3 | lengthDelimited

	tagTagKey = 1<<3 | lengthDelimited
)

// Wire types.
const (
	varint          = 0
	fixed64         = 1
	lengthDelimited = 2
	startGroup      = 3
	endGroup        = 4
	fixed32         = 5
)

// maxDepth is how deep messages and groups may be inside of each other for Java's decoder.
const maxDepth = 100

var (
	errCut      = errors.New("it ends inside a field")
	errVarint   = errors.New("a number of more than ten bytes")
	errTag      = errors.New("a field with the number 0")
	errWireType = errors.New("a field of an unknown type")
	errGroup    = errors.New("a group that does not end, or ends where none began")
	errDepth    = errors.New("groups too deep inside of each other")

	errNoPartitionKey = errors.New("no partition key index")
	errNoData         = errors.New("no data")
	errNoTagKey       = errors.New("a tag without a key")
)

// record is a Record message. Indexes are those of the tables. Java cuts them to 32 bits with a sign.
type record struct {
	partitionKey, explicitHashKey int32
	explicit                      bool // it has an explicit hash key
	data                          []byte
}

// parseRecord reads a Record message, which lies one message deep.
func parseRecord(message []byte) (r record, err error) {
	var hasKey, hasData bool
	for len(message) > 0 {
		var f field
		if f, message, err = next(message, 1); err != nil {
			return record{}, err
		}
		switch f.tag {
		case tagPartitionKeyIndex:
			r.partitionKey, hasKey = int32(f.varint), true //nolint:gosec // as Java does
		case tagExplicitHashKeyIndex:
			r.explicitHashKey, r.explicit = int32(f.varint), true //nolint:gosec // as Java does
		case tagData:
			r.data, hasData = f.bytes, true
		case tagTag:
			if err := checkTag(f.bytes); err != nil {
				return record{}, err
			}
		}
	}
	switch {
	case !hasKey:
		return record{}, errNoPartitionKey
	case !hasData:
		return record{}, errNoData
	}
	return r, nil
}

// checkTag reads a Tag message, which lies two messages deep. Nothing in it counts, but a broken one breaks the whole message.
func checkTag(message []byte) (err error) {
	hasKey := false
	for len(message) > 0 {
		var f field
		if f, message, err = next(message, 2); err != nil {
			return err
		}
		hasKey = hasKey || f.tag == tagTagKey
	}
	if !hasKey {
		return errNoTagKey
	}
	return nil
}

// field is a field of a message: number<<3 and wire type, and the value if that is a varint or bytes.
type field struct {
	tag    uint32
	varint uint64
	bytes  []byte
}

// next cuts the first field off a message that is not empty, and that lies depth messages deep.
func next(message []byte, depth int) (f field, rest []byte, err error) {
	tag, rest, err := cutVarint(message)
	if err != nil {
		return field{}, nil, err
	}
	f.tag = uint32(tag) //nolint:gosec // Java's decoder cuts tags to 32 bits, and lengths below.
	if f.tag>>3 == 0 {
		return field{}, nil, errTag
	}
	var size int
	switch f.tag & 7 {
	case varint:
		f.varint, rest, err = cutVarint(rest)
		return f, rest, err
	case fixed64:
		size = 8
	case fixed32:
		size = 4
	case lengthDelimited:
		var length uint64
		if length, rest, err = cutVarint(rest); err != nil {
			return field{}, nil, err
		}
		size = int(int32(length)) //nolint:gosec // as above
	case startGroup:
		rest, err = skipGroup(rest, f.tag>>3, depth+1)
		return f, rest, err
	case endGroup:
		return field{}, nil, errGroup
	default:
		return field{}, nil, errWireType
	}
	if size < 0 || size > len(rest) {
		return field{}, nil, errCut
	}
	f.bytes = rest[:size:size]
	return f, rest[size:], nil
}

// skipGroup returns what comes after the end of a group.
func skipGroup(rest []byte, number uint32, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	for len(rest) > 0 {
		tag, after, err := cutVarint(rest)
		if err != nil {
			return nil, err
		}
		if found := uint32(tag); found == number<<3|endGroup { //nolint:gosec // as above
			return after, nil
		}
		if _, rest, err = next(rest, depth); err != nil {
			return nil, err
		}
	}
	return nil, errGroup
}

// cutVarint cuts a varint off. What is over 64 bits in the tenth byte does not count.
func cutVarint(data []byte) (v uint64, rest []byte, err error) {
	if len(data) > 0 && data[0] < 0x80 {
		return uint64(data[0]), data[1:], nil
	}
	for i, b := range data {
		if i == binary.MaxVarintLen64 {
			return 0, nil, errVarint
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return v, data[i+1:], nil
		}
	}
	if len(data) >= binary.MaxVarintLen64 {
		return 0, nil, errVarint
	}
	return 0, nil, errCut
}
