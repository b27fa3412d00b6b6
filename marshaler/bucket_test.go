// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

func traceIDOf(t *testing.T, text string) (id pcommon.TraceID) {
	t.Helper()
	raw, err := hex.DecodeString(text)
	require.NoError(t, err)
	require.Len(t, raw, len(id))
	copy(id[:], raw)
	return id
}

// The expected buckets were computed by another implementation of XXH64: a change sends the spans of a trace to two shards.
func TestBucketsAreStable(t *testing.T) {
	for text, want := range map[string][4]int{
		"0af7651916cd43dd8448eb211c80319c": {0, 1, 42, 3178},
		"5759e988bd862e3fe1be46a994272793": {0, 1, 25, 25}, // of X-Ray: 1-5759e988-bd862e3fe1be46a994272793
		"00000000000000000000000000000001": {0, 0, 7, 1223},
		"ffffffffffffffffffffffffffffffff": {0, 2, 4, 1092},
	} {
		for i, buckets := range []int{1, 3, 64, 4096} {
			assert.Equal(t, want[i], bucketOf(traceIDOf(t, text), buckets), "%s, %d buckets", text, buckets)
		}
	}
	for buckets, want := range map[int][3]string{
		1: {"170141183460469231731687303715884105728", "", "170141183460469231731687303715884105728"},
		3: {
			"56713727820156410577229101238628035242", "170141183460469231731687303715884105728",
			"283568639100782052886145506193140176213",
		},
		64: {
			"2658455991569831745807614120560689152", "7975367974709495237422842361682067456",
			"337623910929368631717566993311207522304",
		},
	} {
		all := newBuckets(buckets)
		require.Len(t, all, buckets)
		assert.Equal(t, destination{key: "trace-0000", hashKey: want[0]}, all[0])
		assert.Equal(t, destination{key: fmt.Sprintf("trace-%04d", buckets-1), hashKey: want[2]}, all[buckets-1])
		if buckets > 1 {
			assert.Equal(t, want[1], all[1].hashKey)
		}
	}
}

// Each shard of an evenly divided stream has as many buckets as the others, give or take one.
func TestBucketsAreSpreadEvenly(t *testing.T) {
	for _, buckets := range []int{1, 2, 3, 64, 100, MaxBuckets} {
		for _, shards := range []int{1, 2, 3, 4, 7, 16, 64} {
			counts := make([]int, shards)
			for _, b := range newBuckets(buckets) {
				hashKey, ok := new(big.Int).SetString(b.hashKey, 10)
				require.True(t, ok)
				counts[hashKey.Mul(hashKey, big.NewInt(int64(shards))).Rsh(hashKey, 128).Int64()]++
			}
			for _, n := range counts {
				assert.InDelta(t, float64(buckets)/float64(shards), n, .99, "%d buckets on %d shards", buckets, shards)
			}
		}
	}
}

// Ids that begin with the time, ids of 64 bits, and ids that count up fill all buckets alike.
func TestTracesAreSpreadEvenly(t *testing.T) {
	const ids, buckets = 64_000, 64
	r := rand.New(rand.NewPCG(1, 2))
	for name, next := range map[string]func(*pcommon.TraceID, int){
		"random": func(id *pcommon.TraceID, _ int) {
			binary.BigEndian.PutUint64(id[:], r.Uint64())
			binary.BigEndian.PutUint64(id[8:], r.Uint64())
		},
		"X-Ray": func(id *pcommon.TraceID, i int) {
			binary.BigEndian.PutUint32(id[:], uint32(1_790_000_000+i/1000))
			binary.BigEndian.PutUint32(id[4:], r.Uint32())
			binary.BigEndian.PutUint64(id[8:], r.Uint64())
		},
		"64 bits":   func(id *pcommon.TraceID, _ int) { binary.BigEndian.PutUint64(id[8:], r.Uint64()) },
		"counter":   func(id *pcommon.TraceID, i int) { binary.BigEndian.PutUint64(id[8:], uint64(i)) },
		"high bits": func(id *pcommon.TraceID, i int) { binary.BigEndian.PutUint64(id[:], uint64(i)<<32) },
	} {
		t.Run(name, func(t *testing.T) {
			var counts [buckets]int
			var id pcommon.TraceID
			for i := range ids {
				next(&id, i)
				counts[bucketOf(id, buckets)]++
			}
			for _, n := range counts {
				assert.InDelta(t, ids/buckets, n, 5*32, "five times the standard deviation")
			}
		})
	}
}

// Log records without a trace and data points have no key. They travel apart from those with one.
func TestWithoutTraceThereIsNoKey(t *testing.T) {
	logs := plog.NewLogs()
	addLogs(logs, "one", "a", "b", "c")
	logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).SetTraceID(pcommon.TraceID{1})
	for _, encoding := range bothEncodings {
		c := usual(encoding)
		c.Key.TraceID = true
		m := mustNew(t, c)
		encoded := logsData{logs}.marshal(t, m)
		require.Len(t, encoded.Messages, 2)
		assert.Empty(t, encoded.Messages[0].PartitionKey+encoded.Messages[0].ExplicitHashKey)
		assert.Equal(t, []string{"a", "c"}, bodies(t, m, encoded.Messages[:1]))
		to := newBuckets(DefaultBuckets)[bucketOf(pcommon.TraceID{1}, DefaultBuckets)]
		assert.Equal(t, to.key, encoded.Messages[1].PartitionKey)
		assert.Equal(t, to.hashKey, encoded.Messages[1].ExplicitHashKey)
		assert.Equal(t, []string{"b"}, bodies(t, m, encoded.Messages[1:]))

		points := metricsData{benchMetrics(2, 2)}.marshal(t, m)
		require.Len(t, points.Messages, 1)
		assert.Empty(t, points.Messages[0].PartitionKey+points.Messages[0].ExplicitHashKey)
	}
}

// A push of one trace is one message, as if there were no key.
func TestOneTraceIsNotCut(t *testing.T) {
	logs := benchLogs(3, 5)
	for _, rl := range logs.ResourceLogs().All() {
		for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
			lr.SetTraceID(pcommon.TraceID{7})
		}
	}
	c := usual(OTLPProto)
	c.Key.TraceID = true
	m := mustNew(t, c)
	encoded := logsData{logs}.marshal(t, m)
	require.Len(t, encoded.Messages, 1)
	assert.Equal(t, logsData{logs}.whole(t, m), encoded.Messages[0].Data)
	assert.NotEmpty(t, encoded.Messages[0].ExplicitHashKey)
}
