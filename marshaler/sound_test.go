// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What some reader does not decode is not sound, although pdata may decode it.
func TestWhatIsSound(t *testing.T) {
	tests := []struct {
		name, record string
		want         bool
	}{
		{"nothing", "", true},
		{"a time and a severity", "\x09\x01\x02\x03\x04\x05\x06\x07\x08\x10\x09", true},
		{"text", "\x1a\x04INFO", true},
		{"text in UTF-8", "\x1a\x02\xc3\xa9", true},
		{"text that is not UTF-8", "\x1a\x02\xc3(", false},
		{"bytes that are not UTF-8", "\x2a\x04\x3a\x02\xc3(", true},
		{"an attribute", "\x32\x08\x0a\x01k\x12\x03\x0a\x01v", true},
		{"an attribute with its value first", "\x32\x08\x12\x03\x0a\x01v\x0a\x01k", true},
		{"an attribute with a key only", "\x32\x03\x0a\x01k", true},
		{"an attribute with a number", "\x32\x08\x0a\x01k\x12\x03\x18\xc8\x01", true},
		{"an attribute with a number that has no end", "\x32\x07\x0a\x01k\x12\x02\x18\xc8", false},
		{"an attribute with a double", "\x32\x0e\x0a\x01k\x12\x09\x21\x01\x02\x03\x04\x05\x06\x07\xf0", true},
		{"an attribute with half a double", "\x32\x09\x0a\x01k\x12\x04\x21\x01\x02\x03", false},
		{"an attribute with a bool", "\x32\x07\x0a\x01k\x12\x02\x10\x01", true},
		{"an attribute with an empty value", "\x32\x05\x0a\x01k\x12\x00", true},
		{"an attribute with a value longer than it", "\x32\x05\x0a\x01k\x12\x01", false},
		{"an attribute with two values", "\x32\x0d\x0a\x01k\x12\x03\x0a\x01v\x12\x03\x0a\x01w", true},
		{"an attribute with half a tag as its value", "\x32\x06\x0a\x01k\x12\x01\xf2", false},
		{"a key that is not UTF-8", "\x32\x08\x0a\x01\xff\x12\x03\x0a\x01v", false},
		{"a value that is not UTF-8", "\x32\x08\x0a\x01k\x12\x03\x0a\x01\xff", false},
		{"a key behind a value that is not UTF-8", "\x32\x08\x12\x03\x0a\x01v\x0a\x01\xff", false},
		{"a key of 128 bytes", "\x32\x83\x01\x0a\x80\x01" + strings.Repeat("k", 128), true},
		{"a trace id", "\x4a\x10abcdefghabcdefgh", true},
		{"an empty trace id", "\x4a\x00", true},
		{"a short trace id", "\x4a\x08abcdefgh", false},
		{"an unknown field", "\x7a\x01\xff", true},
		{"an unknown field with a large number", "\xfa\x7f\x01\xff", true},
		{"a tag of 5 bytes", "\xfa\xff\x80\x80\x00\x01\xff", true},
		{"a tag of 6 bytes", "\xfa\xff\x80\x80\x80\x00\x01\xff", false},
		{"a tag that is too long", "\x9a\x00\x01x", false},
		{"a length of 5 bytes", "\x1a\x81\x80\x80\x80\x00x", true},
		{"a length of 6 bytes", "\x1a\x81\x80\x80\x80\x80\x00x", false},
		{"a group", "\x7b\x7c", false},
		{"lists as deep as readers allow", string(deepLists(47)), true},
		{"lists that are too deep", string(deepLists(48)), false},
	}
	for _, test := range tests {
		assert.Equal(t, test.want, isSound([]byte(test.record), logRecord, 3), test.name)
	}
}
