// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kclread

import (
	"crypto/md5"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Java makes a String of bytes that are not UTF-8 in this way. The texts were compared with those of Java 17.
func TestTextOfKeys(t *testing.T) {
	for key, want := range map[string]string{
		"":                           "",
		"plain é€😀":                  "plain é€😀",
		"\xff\xfe":                   "\ufffd\ufffd",
		"\xe2\x82":                   "\ufffd", // the beginning of a character
		"\xe2\x82x":                  "\ufffdx",
		"\xe0\x80\x80":               "\ufffd\ufffd\ufffd", // too long a form
		"\xed\xa0\x80":               "\ufffd",             // a surrogate
		"\xf0\x9f\x98":               "\ufffd",
		"\xf0\x80\x80\x80":           "\ufffd\ufffd\ufffd\ufffd",
		"\xf4\x90\x80\x80":           "\ufffd\ufffd\ufffd\ufffd",
		"\xc0\x80":                   "\ufffd\ufffd",
		"\xf8\x88\x80\x80\x80":       "\ufffd\ufffd\ufffd\ufffd\ufffd",
		"\ufffd":                     "\ufffd",
		strings.Repeat("\x80", 1000): strings.Repeat("\ufffd", 1000),
	} {
		var text strings.Builder
		appendText(&text, []byte(key))
		assert.Equal(t, want, text.String(), "%q", key)
		assert.Equal(t, len(want), textSize([]byte(key)), "%q", key)
	}
}

// Java's BigInteger reads numbers in this way.
func TestHashKey(t *testing.T) {
	const most = "340282366920938463463374607431768211455"
	for text, want := range map[string][2]uint64{
		"0": {}, "-0": {}, "+0": {}, "+5": {0, 5}, "007": {0, 7}, "18446744073709551616": {1, 0},
		"٠٩": {0, 9}, "５": {0, 5}, most: {1<<64 - 1, 1<<64 - 1}, strings.Repeat("0", 100) + "1": {0, 1},
	} {
		high, low, err := HashKey(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, [2]uint64{high, low}, text)
	}
	for text, want := range map[string]error{
		"": ErrMember, "+": ErrMember, "-": ErrMember, "--1": ErrMember, "1-": ErrMember, "0x1": ErrMember,
		"𝟎": ErrMember, "²": ErrMember, "\xff": ErrMember, most + "0x": ErrMember,
		"-1": ErrNoShard, most[:38] + "6": ErrNoShard, most + "0": ErrNoShard,
	} {
		_, _, err := HashKey(text)
		assert.ErrorIs(t, err, want, text)
	}
}

// Java's decoder goes a hundred messages and groups deep.
func TestDepth(t *testing.T) {
	group := func(depth int) string { return strings.Repeat("\x4b", depth) + strings.Repeat("\x4c", depth) }
	record := func(more string) string {
		body := "\x08\x00\x1a\x00" + more
		return "\x1a" + string([]byte{byte(len(body)) | 0x80, byte(len(body) >> 7)}) + body
	}
	tag := func(more string) string {
		body := "\x0a\x00" + more
		return "\x22" + string([]byte{byte(len(body)) | 0x80, byte(len(body) >> 7)}) + body
	}
	for name, test := range map[string]struct {
		deepest int
		message func(depth int) string
	}{
		"outside":     {100, group},
		"in a member": {99, func(depth int) string { return record(group(depth)) }},
		"in a tag":    {98, func(depth int) string { return record(tag(group(depth))) }},
	} {
		for depth, want := range map[int]error{test.deepest: nil, test.deepest + 1: errDepth} {
			message := test.message(depth)
			sum := md5.Sum([]byte(message))
			_, err := Parse([]byte(Magic + message + string(sum[:])))
			require.ErrorIs(t, err, want, "%s %d", name, depth)
		}
	}
}
