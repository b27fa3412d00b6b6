// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// maxHashKey is the highest hash key, 2^128-1.
const maxHashKey = "340282366920938463463374607431768211455"

// hashKeyOf returns the hash key that a value says, in decimal and without leading zeros. It returns false if the value is no
// number from 0 to 2^128-1.
func hashKeyOf(value pcommon.Value) (string, bool) {
	switch value.Type() { //nolint:exhaustive // no other value is a hash key
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(value.Int(), 10), value.Int() >= 0
	case pcommon.ValueTypeStr:
		return parseHashKey(value.Str())
	}
	return "", false
}

// parseHashKey returns the hash key that a text says, see hashKeyOf.
func parseHashKey(text string) (string, bool) {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return "", false
		}
	}
	digits := strings.TrimLeft(text, "0")
	switch {
	case text == "" || len(digits) > len(maxHashKey) || len(digits) == len(maxHashKey) && digits > maxHashKey:
		return "", false
	case digits == "":
		return "0", true
	}
	return digits, true
}
