// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHashOf(t *testing.T) {
	// MD5 of "pk1" is f7cfd01ce490fdd421bbdc8d3a35cfd0; the service reads it as a big-endian number.
	assert.Equal(t, "329398341438914906102347661116985167824", hashOf("pk1").String())
}

func TestParseHashKey(t *testing.T) {
	tests := []struct {
		name       string
		text       string
		wellFormed bool
		inRange    bool
	}{
		{"zero", "0", true, true},
		{"one", "1", true, true},
		{"a word", "18446744073709551616", true, true},
		{"last", "340282366920938463463374607431768211455", true, true},
		{"one too many", "340282366920938463463374607431768211456", true, false},
		{"39 nines", strings.Repeat("9", 39), true, false},
		{"40 digits", strings.Repeat("1", 40), false, false},
		{"empty", "", false, false},
		{"leading zero", "01", false, false},
		{"sign", "-1", false, false},
		{"hexadecimal", "ff", false, false},
		{"space", "1 ", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key, wellFormed, inRange := parseHashKey(tt.text)
			assert.Equal(t, tt.wellFormed, wellFormed)
			assert.Equal(t, tt.inRange, inRange)
			if inRange {
				assert.Equal(t, tt.text, key.String())
			}
		})
	}
}

func FuzzParseHashKey(f *testing.F) {
	for _, seed := range []string{"0", "1", "007", "340282366920938463463374607431768211455", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, wellFormed, inRange := parseHashKey(text)
		number, ok := new(big.Int).SetString(text, 10)
		canonical := ok && number.Sign() >= 0 && number.String() == text && len(text) <= 39
		require.Equal(t, canonical, wellFormed)
		require.Equal(t, canonical && number.BitLen() <= 128, inRange)
		if inRange {
			require.Equal(t, text, key.String())
		}
	})
}

func TestHashKeyNeighbours(t *testing.T) {
	for _, key := range []hashKey{{0, 0}, {0, ^uint64(0)}, {1, 0}, maxHashKey} {
		assert.Equal(t, key, key.next().previous())
	}
	assert.Equal(t, hashKey{1, 0}, hashKey{0, ^uint64(0)}.next())
	assert.Equal(t, hashKey{}, maxHashKey.next())
	assert.Equal(t, hashKey{1 << 63, 0}, hashKey{}.middle(maxHashKey))
	assert.Equal(t, hashKey{0, 8}, hashKey{0, 7}.middle(hashKey{0, 8}))
	assert.Negative(t, hashKey{0, 5}.compare(hashKey{1, 0}))
	assert.Positive(t, hashKey{1, 0}.compare(hashKey{0, 5}))
	assert.Zero(t, hashKey{1, 5}.compare(hashKey{1, 5}))
}

func TestEvenStarts(t *testing.T) {
	texts := func(keys []hashKey) (out []string) {
		for _, key := range keys {
			out = append(out, key.String())
		}
		return out
	}
	assert.Equal(t, []string{"0"}, texts(evenStarts(1)))
	assert.Equal(t, []string{"0", "113427455640312821154458202477256070485", "226854911280625642308916404954512140970"},
		texts(evenStarts(3)))
	assert.Len(t, evenStarts(1001), 1001)
}
