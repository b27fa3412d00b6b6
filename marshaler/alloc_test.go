// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package marshaler

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The budgets of the hot path. The race detector allocates too, and empties pools at random, so they are held without it.

// allocated returns how often and how many bytes f allocates, averaged over runs, while no collection empties pools.
func allocated(runs int, f func()) (times, bytes float64) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 40 { // the Marshaler learns the size of pushes, and takes memory of that size
		f()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(runs), float64(after.TotalAlloc-before.TotalAlloc) / float64(runs)
}

// However large a push is, it allocates only a few small lists. The bytes lie in memory that is used again.
func TestMarshalAllocatesListsOnly(t *testing.T) {
	m := mustNew(t, marked(usual(OTLPProto)))
	for _, shape := range append(shapes, struct{ resources, records int }{1, 10}) {
		t.Run(fmt.Sprintf("%dx%d", shape.resources, shape.records), func(t *testing.T) {
			logs := benchLogs(shape.resources, shape.records)
			items, size := float64(logs.LogRecordCount()), float64(len(logsData{logs}.whole(t, m)))
			times, bytes := allocated(50, func() {
				encoded, err := m.MarshalLogs(logs)
				require.NoError(t, err)
				encoded.Release()
			})
			t.Logf("%v allocations of %.0f bytes for %.0f bytes of %.0f logs", times, bytes, size, items)
			assert.LessOrEqual(t, times, 7+size/pieceSize, "pdata's wrapper, its attributes, lists of groups and messages; pieces")
			assert.LessOrEqual(t, bytes, 300+size/380, "a list entry for each message")
		})
	}
}

// Bytes are cut without a copy of the whole, and without pdata.
func TestMarshalEncodedAllocatesListsOnly(t *testing.T) {
	for _, shape := range append(shapes, struct{ resources, records int }{1, 10}) {
		t.Run(fmt.Sprintf("%dx%d", shape.resources, shape.records), func(t *testing.T) {
			m := mustNew(t, marked(usual(OTLPProto)))
			otlp := logsData{benchLogs(shape.resources, shape.records)}.whole(t, mustNew(t, usual(OTLPProto)))
			times, bytes := allocated(50, func() {
				encoded, err := m.MarshalEncoded(Logs, otlp)
				require.NoError(t, err)
				encoded.Release()
			})
			t.Logf("%v allocations of %.0f bytes for %d bytes", times, bytes, len(otlp))
			assert.LessOrEqual(t, times, 3.0, "lists of groups and messages")
			assert.LessOrEqual(t, bytes, 300+float64(len(otlp))/380, "a list entry for each message")
		})
	}
}

// Compression takes its memory from pools too.
func TestCompressAllocatesLittle(t *testing.T) {
	logs := benchLogs(100, 100)
	size := float64(len(logsData{logs}.whole(t, mustNew(t, usual(OTLPProto)))))
	for _, c := range []Compression{Snappy, Zstd, Gzip} {
		t.Run(string(c), func(t *testing.T) {
			m := mustNew(t, Config{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 20, Compression: c})
			times, bytes := allocated(20, func() {
				encoded, err := m.MarshalLogs(logs)
				require.NoError(t, err)
				encoded.Release()
			})
			t.Logf("%v allocations of %.0f bytes for %.0f bytes of 10000 logs", times, bytes, size)
			assert.LessOrEqual(t, times, 200.0, "a few for each message")
			assert.LessOrEqual(t, bytes, size/50)
		})
	}
}

// To append a message takes no memory but that of dst, whatever its compression is.
func TestAppendProtoAllocatesNothing(t *testing.T) {
	logs := benchLogs(1, 1000)
	for _, c := range []Compression{NoCompression, Snappy, Zstd, Gzip} {
		m := mustNew(t, Config{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 20, Compression: c})
		encoded := logsData{logs}.marshal(t, m)
		dst := make([]byte, 0, 1<<20)
		times, bytes := allocated(20, func() {
			dst = dst[:0]
			for _, message := range encoded.Messages {
				var err error
				dst, err = m.AppendProto(dst, Logs, message.Data)
				require.NoError(t, err)
			}
		})
		assert.LessOrEqual(t, times, 1.0, c)
		assert.LessOrEqual(t, bytes, 1000.0, c)
	}
}
