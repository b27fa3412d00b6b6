// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"strconv"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/md5x8"
)

// hashKey is a point in the key space of a stream, 0 to 2^128-1.
type hashKey struct{ high, low uint64 }

var (
	minHashKey = hashKey{}
	maxHashKey = hashKey{^uint64(0), ^uint64(0)}
)

// hashOf returns the hash key of a partition key: its MD5 read as a big-endian number, as the service does.
func hashOf(partitionKey string) hashKey {
	var buffer [MaxPartitionKeyLength]byte
	return hashKeyOf(md5x8.Sum(append(buffer[:0], partitionKey...)))
}

// hashKeyOf reads an MD5 as a hash key.
func hashKeyOf(sum [md5x8.Size]byte) hashKey {
	return hashKey{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:])}
}

// less reports whether h comes before other.
func (h hashKey) less(other hashKey) bool {
	return h.high < other.high || h.high == other.high && h.low < other.low
}

// tenTo19 is the largest power of ten that fits into 64 bits. It has decimalDigits zeros.
const (
	tenTo19       = 10_000_000_000_000_000_000
	decimalDigits = 19
)

// appendDecimal appends h in decimal, without leading zeros, as the API wants explicit hash keys.
func (h hashKey) appendDecimal(dst []byte) []byte {
	if h.high == 0 {
		return strconv.AppendUint(dst, h.low, 10)
	}
	quotientHigh, rest := h.high/tenTo19, h.high%tenTo19
	quotientLow, rest := bits.Div64(rest, h.low, tenTo19)
	dst = hashKey{quotientHigh, quotientLow}.appendDecimal(dst)
	var digits [decimalDigits]byte
	for i := decimalDigits - 1; i >= 0; i-- {
		digits[i], rest = byte('0'+rest%10), rest/10
	}
	return append(dst, digits[:]...)
}

// digits is how many digits h has in decimal.
func (h hashKey) digits() uint8 {
	var buffer [39]byte
	return uint8(len(h.appendDecimal(buffer[:0]))) //nolint:gosec // 39 at most
}

// String returns h in decimal.
func (h hashKey) String() string {
	var buffer [39]byte
	return string(h.appendDecimal(buffer[:0]))
}

var errHashKey = errors.New("not a decimal number from 0 to 2^128-1")

// parseHashKey reads a decimal number from 0 to 2^128-1. Leading zeros are allowed, signs and spaces are not.
func parseHashKey(s string) (hashKey, error) {
	if s == "" {
		return hashKey{}, errHashKey
	}
	var h hashKey
	for i := range len(s) {
		digit := uint64(s[i] - '0')
		if digit > 9 {
			return hashKey{}, errHashKey
		}
		overHigh, high := bits.Mul64(h.high, 10)
		carryLow, low := bits.Mul64(h.low, 10)
		low, carry := bits.Add64(low, digit, 0)
		high, over := bits.Add64(high, carryLow, carry)
		if overHigh != 0 || over != 0 {
			return hashKey{}, errHashKey
		}
		h = hashKey{high, low}
	}
	return h, nil
}

// hashRange is an inclusive range of hash keys.
type hashRange struct{ first, last hashKey }

// contains reports whether h lies in the range.
func (r hashRange) contains(h hashKey) bool {
	return !h.less(r.first) && !r.last.less(h)
}
