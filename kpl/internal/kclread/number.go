// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kclread

import (
	"math/bits"
	"unicode"
	"unicode/utf8"
)

// HashKey reads an explicit hash key as Java's BigInteger does: digits of any script with an optional sign before them. The
// error wraps ErrMember if text is no number, and ErrNoShard if the number is not from 0 to 2^128-1.
func HashKey(text string) (high, low uint64, err error) {
	high, low, v := parseNumber(text)
	switch v {
	case noNumber:
		return 0, 0, ErrMember
	case noHashKey:
		return 0, 0, ErrNoShard
	case usable:
	}
	return high, low, nil
}

// judgeNumber says what KCL makes of an explicit hash key.
func judgeNumber(key string) verdict {
	_, _, v := parseNumber(key)
	return v
}

func parseNumber(text string) (high, low uint64, v verdict) {
	negative := false
	if text != "" && (text[0] == '+' || text[0] == '-') {
		negative = text[0] == '-'
		text = text[1:]
	}
	if text == "" {
		return 0, 0, noNumber
	}
	for _, r := range text {
		digit, ok := digitOf(r)
		if !ok {
			return 0, 0, noNumber
		}
		if v == noHashKey {
			continue // The rest still has to be digits.
		}
		overHigh, newHigh := bits.Mul64(high, 10)
		carryLow, newLow := bits.Mul64(low, 10)
		var carry, over uint64
		low, carry = bits.Add64(newLow, digit, 0)
		high, over = bits.Add64(newHigh, carryLow, carry)
		if overHigh != 0 || over != 0 {
			v = noHashKey
		}
	}
	if negative && (high != 0 || low != 0) {
		v = noHashKey
	}
	return high, low, v
}

// digitOf returns the value of a decimal digit. Java looks at UTF-16 units, so digits above U+FFFF are none.
func digitOf(r rune) (digit uint64, ok bool) {
	if r < utf8.RuneSelf {
		digit = uint64(r - '0') //nolint:gosec // A smaller r becomes a large number.
		return digit, digit <= 9
	}
	for _, digits := range unicode.Nd.R16 {
		if r >= rune(digits.Lo) && r <= rune(digits.Hi) {
			return uint64(r-rune(digits.Lo)) % 10, true //nolint:gosec // r is not below Lo
		}
	}
	return 0, false
}
