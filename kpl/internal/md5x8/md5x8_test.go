// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package md5x8_test

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/md5x8"
)

// compare hashes pieces of text, of the given lengths in turn, side by side and one by one.
func compare(t *testing.T, h *md5x8.Hasher, text, lengths []byte) {
	t.Helper()
	var messages [][]byte
	for i := 0; len(text) > 0 && len(lengths) > 0; i++ {
		n := min(int(lengths[i%len(lengths)])*int(1+lengths[i/2%len(lengths)]%5), len(text))
		if n == 0 && i >= len(lengths) {
			n = 1 // to get on
		}
		messages, text = append(messages, text[:n:n]), text[n:]
	}
	sums := h.Sums(nil, messages)
	require.Len(t, sums, len(messages))
	for i, m := range messages {
		require.Equal(t, md5.Sum(m), sums[i], "message %d of %d, %d bytes", i, len(messages), len(m))
	}
}

// Whatever the lengths, and however many messages there are.
func TestSumsAreThoseOfMD5(t *testing.T) {
	var h md5x8.Hasher
	var messages [][]byte
	for n := range 20 {
		for _, length := range []int{0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 1000, 51_200} {
			messages = messages[:0]
			for i := range n {
				messages = append(messages, bytes.Repeat([]byte{byte(n), byte(i), 7}, length+i*i)[:length+i*i])
			}
			for i, sum := range h.Sums(nil, messages) {
				require.Equal(t, md5.Sum(messages[i]), sum, "message %d of %d, %d bytes", i, n, len(messages[i]))
			}
		}
	}
}

// shortSums compares the sums of so many messages, each a prefix of text.
func shortSums(t *testing.T, s *md5x8.Short, text string, lengths []int) {
	t.Helper()
	for i, n := range lengths {
		s.Add(text[:n])
		require.Equal(t, i+1, s.Len())
	}
	sums := s.Sums()
	require.Zero(t, s.Len())
	for i, n := range lengths {
		require.Equal(t, md5.Sum([]byte(text[:n])), sums[i], "message %d of %d, %d bytes", i, len(lengths), n)
	}
}

func TestShortSumsAreThoseOfMD5(t *testing.T) {
	var s md5x8.Short
	text := strings.Repeat("\xff\x80k", 20)
	for count := range md5x8.Width + 1 {
		for n := range md5x8.MaxShort + 1 {
			lengths := make([]int, count)
			for i := range lengths {
				lengths[i] = (n + 7*i) % (md5x8.MaxShort + 1) // shorter ones follow longer ones
			}
			shortSums(t, &s, text, lengths)
		}
	}
}

func TestShortTakesNoMore(t *testing.T) {
	var s md5x8.Short
	assert.Panics(t, func() { s.Add(strings.Repeat("k", md5x8.MaxShort+1)) })
	for range md5x8.Width {
		s.Add("key")
	}
	assert.Panics(t, func() { s.Add("key") })
}

func FuzzShort(f *testing.F) {
	f.Add("some text", []byte{9, 0, 3})
	f.Add(strings.Repeat("x", 55), []byte{55, 54, 1, 2, 3, 4, 5, 6})
	f.Fuzz(func(t *testing.T, text string, ends []byte) {
		var lengths []int
		for _, n := range ends[:min(len(ends), md5x8.Width)] {
			lengths = append(lengths, min(int(n), len(text), md5x8.MaxShort))
		}
		shortSums(t, new(md5x8.Short), text, lengths)
	})
}

func FuzzHasher(f *testing.F) {
	f.Add(bytes.Repeat([]byte("some text"), 500), []byte{3, 55, 56, 57, 64, 200, 0, 119, 120, 128, 9})
	f.Add(bytes.Repeat([]byte("x"), 3000), []byte{64})
	f.Add([]byte("abc"), []byte{1})
	f.Fuzz(func(t *testing.T, text, lengths []byte) { compare(t, new(md5x8.Hasher), text, lengths) })
}

func BenchmarkHasher(b *testing.B) {
	for _, n := range []int{1, 2, 5, 8, 100} {
		b.Run(fmt.Sprintf("messages=%d", n), func(b *testing.B) {
			var h md5x8.Hasher
			messages, sums := make([][]byte, n), make([][md5.Size]byte, 0, n)
			for i := range messages {
				messages[i] = make([]byte, 51_200-i)
			}
			b.SetBytes(int64(51_200 * n))
			b.ReportAllocs()
			for b.Loop() {
				sums = h.Sums(sums[:0], messages)
			}
		})
	}
}
