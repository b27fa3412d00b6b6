// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// compressedConfig is a configuration with records that are compressed as a whole.
func compressedConfig(encoding marshaler.Encoding, compression marshaler.Compression) *Config {
	c := plainConfig()
	c.Encoding, c.Compression, c.Producer.AggregationFormat = encoding, compression, kpl.AggregationConcatenated
	return c
}

// onlyFrame decompresses data as a reader does that stops at the end of the first frame. It fails if something stands behind it.
func onlyFrame(t *testing.T, compression marshaler.Compression, data []byte) []byte {
	t.Helper()
	source := bytes.NewReader(data)
	switch compression {
	case marshaler.Zstd:
		return onlyZstdFrame(t, data)
	case marshaler.Gzip:
		r, err := gzip.NewReader(source)
		require.NoError(t, err)
		r.Multistream(false)
		plain, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Zero(t, source.Len(), "something stands behind the member")
		return plain
	case marshaler.Snappy:
		require.Equal(t, 1, bytes.Count(data, []byte("\xff\x06\x00\x00sNaPpY")), "a stream begins once")
		plain, err := io.ReadAll(snappy.NewReader(source))
		require.NoError(t, err)
		return plain
	case marshaler.NoCompression:
	}
	return data
}

// onlyZstdFrame walks through the blocks of a frame, as RFC 8878 has them, to see that the last one ends the data.
func onlyZstdFrame(t *testing.T, data []byte) []byte {
	t.Helper()
	var header zstd.Header
	require.NoError(t, header.Decode(data))
	at, last := header.HeaderSize, false
	for !last {
		block := int(data[at]) | int(data[at+1])<<8 | int(data[at+2])<<16
		last = block&1 == 1
		if at += 3; block>>1&3 == 1 { // one byte, repeated
			at++
		} else {
			at += block >> 3
		}
	}
	if header.HasCheckSum {
		at += 4
	}
	require.Len(t, data, at, "something stands behind the frame")
	decoder, err := zstd.NewReader(nil)
	require.NoError(t, err)
	defer decoder.Close()
	plain, err := decoder.DecodeAll(data, nil)
	require.NoError(t, err)
	return plain
}

// Items of all signals go into one stream while a fifth of the records is throttled. A reader that decompresses the one frame of
// a record has OTLP, or lines of it, and finds each item once.
func TestConcatenatedRecordsAreCompressedAsOneFrame(t *testing.T) {
	const keys, automatic = types.RecordDistributionStrategyUserPartitionKey, types.RecordDistributionStrategyAuto
	for _, tt := range []struct {
		encoding     marshaler.Encoding
		compression  marshaler.Compression
		distribution types.RecordDistributionStrategy
		attributes   []string
	}{
		{marshaler.OTLPProto, marshaler.Zstd, keys, []string{"service.name"}},
		{marshaler.OTLPProto, marshaler.Gzip, automatic, nil},
		{marshaler.OTLPJSON, marshaler.Snappy, keys, nil},
		{marshaler.OTLPJSON, marshaler.Zstd, automatic, []string{"service.name"}},
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := compressedConfig(tt.encoding, tt.compression)
				c.PartitionKey.ResourceAttributes = tt.attributes
				k := kpltest.New(kpltest.Config{Seed: 1},
					kpltest.Stream{Name: testStream, Shards: 4, Distribution: tt.distribution})
				sendConcatenated(t, k, c, 10)
			})
		})
	}
}

// Compression makes items small enough that are larger than a record before. Other items of the same push stay in small messages.
func TestItemsThatOnlyFitCompressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		e := startLogs(t, k, compressedConfig(marshaler.OTLPProto, marshaler.Zstd))
		random := rand.New(rand.NewPCG(1, 2))
		var digits strings.Builder
		for digits.Len() < 4<<20 {
			fmt.Fprint(&digits, random.Uint64())
		}
		fits, tooLarge := strings.Repeat("again and again ", 200_000), digits.String()
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("small", fits, tooLarge, "small too")))
		assert.Equal(t, 3, e.sum(t, "items_put", "outcome", "success"))
		assert.Equal(t, 1, e.sum(t, "items_put", "outcome", "rejected"))
		e.stop(t)
		all := strings.Builder{}
		for _, r := range k.Records(testStream) {
			all.Write(onlyFrame(t, marshaler.Zstd, r.Data))
		}
		assert.Contains(t, all.String(), fits)
		assert.Contains(t, all.String(), "small too")
	})
}

// linesOf makes log records as services write them: some lines again and again, with other numbers in them.
func linesOf(random *rand.Rand, records, size int) []string {
	verbs, nouns := []string{"GET", "POST", "PUT"}, []string{"orders", "users", "carts", "healthz"}
	list := make([]string, records)
	for i := range list {
		var line strings.Builder
		for line.Len() < size {
			fmt.Fprintf(&line, "%s /api/v1/%s/%d by user %08x took %d us, sent %d bytes; ", verbs[random.IntN(3)],
				nouns[random.IntN(4)], random.IntN(1_000_000), random.Uint32(), random.IntN(1_000_000), random.IntN(100_000))
		}
		list[i] = line.String()[:size]
	}
	return list
}

// Small requests of many callers take a fraction of the bytes that they take if each message is compressed alone, or if nothing
// is. Joining requests before they are compressed saves as much, but needs a queue in memory, and messages without keys.
func TestCompressedRecordsTakeLeast(t *testing.T) {
	if testing.Short() {
		t.Skip("a measurement of what is stored, which takes its time")
	}
	type cost struct{ bytes, units, records int }
	for _, size := range []int{200, 1000, 2000} {
		costs := map[string]cost{}
		for name, tune := range map[string]func(*Config){
			"plain":        func(c *Config) { c.Producer.AggregationFormat = kpl.AggregationConcatenated },
			"each message": func(c *Config) { c.Compression = marshaler.Zstd },
			"joined":       func(c *Config) { c.Compression, c.Queue = marshaler.Zstd, defaultConfig().Queue },
			"each record": func(c *Config) {
				c.Producer.AggregationFormat, c.Compression = kpl.AggregationConcatenated, marshaler.Zstd
			},
		} {
			synctest.Test(t, func(t *testing.T) {
				k, c := newTestKinesis(1), plainConfig()
				c.Producer.RateLimit = 10_000
				tune(c)
				e := startLogs(t, k, c)
				random := rand.New(rand.NewPCG(3, 4))
				done := make(chan error)
				const rounds, callers = 4, 1000
				first := 0
				for range rounds {
					first = len(k.Records(testStream))
					for range callers {
						logs := logsOf(linesOf(random, 1, size)...)
						go func() { done <- e.ConsumeLogs(t.Context(), logs) }()
					}
					for range callers {
						require.NoError(t, <-done)
					}
				}
				e.stop(t)
				var sum cost
				for _, r := range k.Records(testStream)[first:] { // by then it is known how well data is compressed
					size := len(r.Data) + len(r.PartitionKey)
					sum.bytes += size
					sum.units += (size + kpl.PutUnit - 1) / kpl.PutUnit
					sum.records++
				}
				costs[name] = sum
			})
		}
		t.Logf("%d bytes: %+v", size, costs)
		for name, least := range map[string]float64{"plain": 3, "each message": 1.2, "joined": .9} {
			assert.Greater(t, float64(costs[name].bytes), least*float64(costs["each record"].bytes), name)
		}
		assert.Greater(t, costs["plain"].units, 2*costs["each record"].units)
		assert.Greater(t, costs["each message"].units, costs["each record"].units)
	}
}

// Lines stay lines inside the frame: none is empty, and none is cut.
func TestLinesInAFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), compressedConfig(marshaler.OTLPJSON, marshaler.Gzip)
		e := startLogs(t, k, c)
		done := make(chan error)
		const callers = 50
		for i := range callers {
			go func() { done <- e.ConsumeLogs(t.Context(), logsOf(fmt.Sprint("line ", i))) }()
		}
		for range callers {
			require.NoError(t, <-done)
		}
		e.stop(t)
		n := 0
		for _, r := range k.Records(testStream) {
			lines := bufio.NewScanner(bytes.NewReader(onlyFrame(t, marshaler.Gzip, r.Data)))
			for ; lines.Scan(); n++ {
				assert.Equal(t, byte('{'), lines.Bytes()[0])
				assert.Equal(t, 1, itemsIn(t, "log-", marshaler.OTLPJSON, lines.Bytes()))
			}
		}
		assert.Equal(t, callers, n)
	})
}
