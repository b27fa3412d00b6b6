// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"crypto/md5" //nolint:gosec // for its size
	"encoding/binary"
	"math/bits"
)

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

// appendAggregated appends the aggregated record of k to dst: exactly k.dataSize() bytes. It returns dst and, within it, the
// protobuf message. k must have at least two members. The last 16 bytes are room for the MD5 of the message.
func appendAggregated(dst []byte, k *kinesisRecord) (out, message []byte) {
	dst = append(dst, magic...)
	start := len(dst)
	dst = appendTables(dst, k)
	for i := range k.members {
		r := k.member(i)
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

// appendConcatenated appends the data of k, whose members have no frame, to dst: exactly k.dataSize() bytes.
func appendConcatenated(dst []byte, k *kinesisRecord) []byte {
	for i := range k.members {
		if i > 0 && k.kind.Newline {
			dst = append(dst, '\n')
		}
		dst = append(dst, k.members[i].data...)
	}
	return dst
}

// appendTables appends the tables of keys. Indexes grow in the order of the members, so a member with the next index is the
// first one that has its key.
func appendTables(dst []byte, k *kinesisRecord) []byte {
	next, explicit := uint32(0), false
	for i := range k.members {
		r := k.member(i)
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
		r := k.member(i)
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
