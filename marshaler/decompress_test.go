// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustCompress(t testing.TB, c Compression, plain string) []byte {
	compressor, err := newCompressor(c, 0)
	require.NoError(t, err)
	return compressor.compress(nil, []byte(plain))
}

func TestDecompress(t *testing.T) {
	text := strings.Repeat("telemetry ", 20_000)
	for _, c := range []Compression{Snappy, Zstd, Gzip} {
		t.Run(string(c), func(t *testing.T) {
			for _, plain := range []string{"a", text} {
				data := mustCompress(t, c, plain)
				got, found, err := Decompress(data, len(plain))
				require.NoError(t, err)
				assert.Equal(t, c, found)
				assert.Equal(t, plain, string(got))
			}
			data := mustCompress(t, c, text)

			got, _, err := Decompress(append(bytes.Clone(data), data...), 1<<20)
			require.NoError(t, err, "one behind the other is one message")
			assert.Equal(t, text+text, string(got))

			_, found, err := Decompress(data, len(text)-1)
			require.ErrorIs(t, err, ErrPlainSize)
			assert.Equal(t, c, found)
			require.EqualError(t, err, fmt.Sprintf("marshaler: decompress %s of %d bytes: marshaler: too large once decompressed: "+
				"more than the limit of %d bytes", c, len(data), len(text)-1))

			_, _, err = Decompress(data[:len(data)-5], 1<<20)
			require.ErrorContains(t, err, fmt.Sprintf("marshaler: decompress %s of %d bytes: ", c, len(data)-5))
			require.NotErrorIs(t, err, ErrPlainSize)
			damaged := bytes.Clone(data)
			damaged[len(damaged)/2] ^= 0x55
			_, _, err = Decompress(damaged, 1<<20)
			require.Error(t, err, "there is a checksum")
		})
	}
	for _, plain := range []string{"", "\x1f", "\xff\x06\x00\x00", "{}", "\x0a\x00"} {
		got, found, err := Decompress([]byte(plain), 0)
		require.NoError(t, err)
		assert.Equal(t, NoCompression, found)
		assert.Equal(t, plain, string(got))
	}
}

// A few bytes can decompress to very many. Decompress fails before all of them are in memory.
func TestDecompressionBombs(t *testing.T) {
	for _, c := range []Compression{Snappy, Zstd, Gzip} {
		t.Run(string(c), func(t *testing.T) {
			bomb := bytes.Repeat(mustCompress(t, c, strings.Repeat("\x00", 1<<20)), 64)
			require.Less(t, len(bomb), 4<<20)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := Decompress(bomb, 1<<20)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, ErrPlainSize)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20))
		})
	}
	// A frame that says that it needs a window of 2 GiB.
	_, _, err := Decompress([]byte(zstdMagic+"\x00\xa8\x00\x00\x00"), 1<<20)
	require.ErrorContains(t, err, "window size exceeded")
}

func TestUnmarshalOfDamagedCompression(t *testing.T) {
	m := mustNew(t, usual(OTLPProto))
	const want = "marshaler: decompress gzip of 3 bytes: "
	_, err := m.UnmarshalLogs([]byte("\x1f\x8b\x08"))
	require.ErrorContains(t, err, want)
	_, err = m.UnmarshalTraces([]byte("\x1f\x8b\x08"))
	require.ErrorContains(t, err, want)
	_, err = m.UnmarshalMetrics([]byte("\x1f\x8b\x08"))
	require.ErrorContains(t, err, want)
}

// FuzzDecompress checks that no data makes it panic or go beyond the limit.
func FuzzDecompress(f *testing.F) {
	for _, c := range []Compression{Snappy, Zstd, Gzip} {
		f.Add(mustCompress(f, c, strings.Repeat("telemetry ", 100)))
		f.Add(mustCompress(f, c, ""))
	}
	f.Add([]byte("plain"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1 << 12
		plain, c, err := Decompress(data, limit)
		switch {
		case err != nil:
			require.Nil(t, plain)
			require.NotEqual(t, NoCompression, c)
		case c == NoCompression:
			require.Equal(t, data, plain)
		default:
			require.LessOrEqual(t, len(plain), limit)
		}
	})
}

// FuzzCompress checks that every push survives every compression, with any target size.
func FuzzCompress(f *testing.F) {
	m := mustNew(f, usual(OTLPProto))
	for i, d := range seeds() {
		f.Add(uint8(d.signal()), uint8(i), uint16(100), d.whole(f, m))
	}
	var compressors []compressor
	for _, c := range []Compression{Snappy, Zstd, Gzip} {
		compressor, err := newCompressor(c, 0)
		require.NoError(f, err)
		compressors = append(compressors, compressor)
	}
	f.Fuzz(func(t *testing.T, kind, compression uint8, target uint16, data []byte) {
		signal := Signal(kind % 3)
		whole, err := cutOf(signal, string(data), true)
		if err != nil || len(data) > 1<<14 || whole.itemCount() == 0 {
			return
		}
		m := mustNew(t, Config{Encoding: OTLPProto, TargetSize: int(target)%2048 + KeylessKeySize + 1, MaxSize: 1 << 20})
		m.compressor = compressors[compression%3]
		encoded, err := splitWhole(m, push{
			signal: signal, items: whole.itemCount(), resources: len(whole.extents[1]), groups: []group{{}},
		}, data)
		require.NoError(t, err)
		require.Empty(t, encoded.Rejected)
		var found []string
		for _, message := range encoded.Messages {
			plain, _, err := Decompress(message.Data, MaxPlainSize)
			require.NoError(t, err)
			require.Len(t, plain, message.PlainSize())
			part, err := cutOf(signal, string(plain), true)
			require.NoError(t, err)
			require.Equal(t, message.Items, part.itemCount())
			found = append(found, contents(part, part.itemDepth())...)
		}
		require.Equal(t, contents(whole, whole.itemDepth()), found)
	})
}
