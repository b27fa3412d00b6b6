package kpl

import (
	"crypto/md5" //nolint:gosec // for its size
	"encoding/binary"
	"math/bits"
)

// The aggregated record of the KPL is
//
//	magic | AggregatedRecord in protobuf | MD5 of the protobuf bytes
//
//	message AggregatedRecord { repeated string partition_key_table = 1;
//	                           repeated string explicit_hash_key_table = 2;
//	                           repeated Record records = 3; }
//	message Record { required uint64 partition_key_index = 1;
//	                 optional uint64 explicit_hash_key_index = 2;
//	                 required bytes data = 3; }
const (
	magic      = "\xf3\x89\x9a\xc2"
	frameBytes = len(magic) + md5.Size

	tagPartitionKey    = 1<<3 | 2
	tagExplicitHashKey = 2<<3 | 2
	tagRecord          = 3<<3 | 2

	tagPartitionKeyIndex    = 1 << 3
	tagExplicitHashKeyIndex = 2 << 3
	tagData                 = 3<<3 | 2
)

// outerPartitionKey is the partition key of an aggregated record whose members have keys of their own. The explicit
// hash key beside it does the routing.
const outerPartitionKey = "a"

// varintSize is the length of v as a protobuf varint.
func varintSize(v int) int { return (bits.Len64(uint64(v)|1) + 6) / 7 } //nolint:gosec // v is a length or an index

// fieldSize is the length of a length-delimited field of n bytes whose number is below 16.
func fieldSize(n int) int { return 1 + varintSize(n) + n }

// memberBodySize is the length of r as a Record message, given the indexes it has.
func memberBodySize(r *userRecord) int {
	n := 1 + varintSize(int(r.keyIndex)) + fieldSize(len(r.data))
	if r.explicit() {
		n += 1 + varintSize(int(r.hashKeyIndex))
	}
	return n
}

// appendAggregated appends the aggregated record of k, which has at least two members, to dst: exactly k.dataSize() bytes.
// The MD5 of the message, which the last ones are for, is not in there yet.
func appendAggregated(dst []byte, k *kinesisRecord) (out, message []byte) {
	dst = append(dst, magic...)
	start := len(dst)
	dst = appendTables(dst, k)
	for i := range k.members {
		r := &k.members[i]
		dst = append(dst, tagRecord)
		dst = binary.AppendUvarint(dst, uint64(memberBodySize(r))) //nolint:gosec // a length
		dst = append(dst, tagPartitionKeyIndex)
		dst = binary.AppendUvarint(dst, uint64(r.keyIndex))
		if r.explicit() {
			dst = append(dst, tagExplicitHashKeyIndex)
			dst = binary.AppendUvarint(dst, uint64(r.hashKeyIndex))
		}
		dst = appendField(dst, tagData, r.data)
	}
	end := len(dst)
	return append(dst, make([]byte, md5.Size)...), dst[start:end]
}

// appendTables appends the tables of keys. The members that are the first with a key are those whose index is next.
func appendTables(dst []byte, k *kinesisRecord) []byte {
	next, explicit := uint32(0), false
	for i := range k.members {
		r := &k.members[i]
		if r.keyIndex == next {
			dst = appendField(dst, tagPartitionKey, k.keyOf(r))
			next++
		}
		explicit = explicit || r.explicit()
	}
	if !explicit {
		return dst
	}
	next = 0
	for i := range k.members {
		r := &k.members[i]
		if r.explicit() && r.hashKeyIndex == next {
			dst = append(dst, tagExplicitHashKey, r.hashDigits)
			dst = r.hash.appendDecimal(dst)
			next++
		}
	}
	return dst
}

// appendField appends a length-delimited field.
func appendField[T string | []byte](dst []byte, tag byte, value T) []byte {
	dst = append(dst, tag)
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(dst, value...)
}
