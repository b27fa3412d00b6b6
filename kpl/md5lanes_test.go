package kpl

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// compareMD5 hashes pieces of text, of the given lengths in turn, side by side and one by one.
func compareMD5(t *testing.T, l *md5Lanes, text, lengths []byte) {
	t.Helper()
	var messages [][]byte
	for i := 0; len(text) > 0 && len(lengths) > 0; i++ {
		n := min(int(lengths[i%len(lengths)])*int(1+lengths[i/2%len(lengths)]%5), len(text))
		if n == 0 && i >= len(lengths) {
			n = 1 // to get on
		}
		messages, text = append(messages, text[:n:n]), text[n:]
	}
	sums := l.sum(nil, messages)
	require.Len(t, sums, len(messages))
	for i, m := range messages {
		require.Equal(t, md5.Sum(m), sums[i], "message %d of %d, %d bytes", i, len(messages), len(m))
	}
}

// Whatever the lengths, and however many messages there are.
func TestMD5SideBySide(t *testing.T) {
	var l md5Lanes
	var messages [][]byte
	for n := range 20 {
		for _, length := range []int{0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 1000, 51_200} {
			messages = messages[:0]
			for i := range n {
				messages = append(messages, bytes.Repeat([]byte{byte(n), byte(i), 7}, length+i*i)[:length+i*i])
			}
			for i, sum := range l.sum(nil, messages) {
				require.Equal(t, md5.Sum(messages[i]), sum, "message %d of %d, %d bytes", i, n, len(messages[i]))
			}
		}
	}
}

func TestHashKeysAreThoseOfTheService(t *testing.T) {
	var records []userRecord
	for n := range 130 {
		r := UserRecord{Stream: testStream, PartitionKey: strings.Repeat("k", n), Data: []byte("data")}
		if n%13 == 1 {
			r.ExplicitHashKey = "7"
		}
		record, err := newUserRecord(&r, 1<<20)
		require.NoError(t, err)
		records = append(records, record)
		for count := range records { // of any number
			some := records[len(records)-1-count:]
			hashKeys(some)
			for i := range some {
				want := hashOf(some[i].partitionKey)
				if some[i].explicit() {
					want = hashKey{low: 7}
				} else if some[i].keyless {
					want = hashKey{}
				}
				require.Equal(t, want, some[i].hash)
			}
		}
	}
}

func FuzzMD5SideBySide(f *testing.F) {
	f.Add(bytes.Repeat([]byte("some text"), 500), []byte{3, 55, 56, 57, 64, 200, 0, 119, 120, 128, 9})
	f.Add(bytes.Repeat([]byte("x"), 3000), []byte{64})
	f.Add([]byte("abc"), []byte{1})
	f.Fuzz(func(t *testing.T, text, lengths []byte) { compareMD5(t, new(md5Lanes), text, lengths) })
}

func BenchmarkMD5(b *testing.B) {
	for _, n := range []int{1, 2, 5, 8, 100} {
		b.Run(fmt.Sprintf("messages=%d", n), func(b *testing.B) {
			var l md5Lanes
			messages, sums := make([][]byte, n), make([][md5.Size]byte, 0, n)
			for i := range messages {
				messages[i] = make([]byte, 51_200-i)
			}
			b.SetBytes(int64(51_200 * n))
			b.ReportAllocs()
			for b.Loop() {
				sums = l.sum(sums[:0], messages)
			}
		})
	}
}

func BenchmarkHashKeys(b *testing.B) {
	for _, n := range []int{1, 2, 4, 8, 128} {
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			records := make([]userRecord, n)
			for i := range records {
				records[i].partitionKey = fmt.Sprintf("%016x", i)
			}
			b.ReportAllocs()
			for b.Loop() {
				hashKeys(records)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
		})
	}
}
