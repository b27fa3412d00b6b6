// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// spanMaker makes spans with names of their own, of traces that pass through several services and several pushes.
type spanMaker struct {
	*rand.Rand

	services int
	next     int
	traces   []pcommon.TraceID // under way
}

func newSpanMaker(seed uint64, services int) *spanMaker {
	m := &spanMaker{Rand: rand.New(rand.NewPCG(seed, 5)), services: services, traces: make([]pcommon.TraceID, 200)}
	for i := range m.traces {
		m.begin(i)
	}
	return m
}

// begin makes a new trace the i-th that is under way.
func (m *spanMaker) begin(i int) {
	binary.BigEndian.PutUint64(m.traces[i][:], m.Uint64())
	binary.BigEndian.PutUint64(m.traces[i][8:], m.Uint64())
}

// push returns so many spans.
func (m *spanMaker) push(spans int) ptrace.Traces {
	traces := ptrace.NewTraces()
	lists := make([]ptrace.SpanSlice, m.services)
	for i := range lists {
		rs := traces.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", fmt.Sprint("service-", i))
		rs.Resource().Attributes().PutStr("k8s.pod.name", fmt.Sprintf("service-%d-7d9f8b6c5-%05d", i, i))
		lists[i] = rs.ScopeSpans().AppendEmpty().Spans()
	}
	for range spans {
		i := m.IntN(len(m.traces))
		span := lists[m.IntN(m.services)].AppendEmpty()
		span.SetTraceID(m.traces[i])
		span.SetName(fmt.Sprint("span-", m.next))
		span.Attributes().PutStr("url.path", fmt.Sprintf("/api/v1/orders/%032x", m.Uint64()))
		span.Attributes().PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36")
		m.next++
		if m.IntN(8) == 0 {
			m.begin(i)
		}
	}
	return traces
}

// startTraces starts a traces exporter.
func startTraces(t *testing.T, client kpl.Client, c *Config) exporter.Traces {
	t.Helper()
	e, err := factoryFor(client).CreateTraces(t.Context(), exportertest.NewNopSettings(metadata.Type), c)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	return e
}

// traceConfig returns a configuration with keys of traces.
func traceConfig() *Config {
	c := defaultConfig()
	c.AWS.Region, c.AWS.StreamName = "us-east-1", testStream
	c.PartitionKey.TraceID = true
	return c
}

// storedSpan is a span that a reader of the stream gets to see.
type storedSpan struct {
	name  string
	trace pcommon.TraceID
	kpltest.UserRecord
}

// storedSpans returns the spans that readers of the stream get to see.
func storedSpans(t *testing.T, k *kpltest.Kinesis) (all []storedSpan) {
	t.Helper()
	for _, record := range k.UserRecords(testStream) {
		traces, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(record.Data)
		require.NoError(t, err)
		for _, rs := range traces.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					all = append(all, storedSpan{span.Name(), span.TraceID(), record})
				}
			}
		}
	}
	return all
}

// The configurations of examples/tailsampling do what they promise: two collectors write, two readers with half of the shards
// each have no trace in common, and each span has one reader.
func TestTailSamplingExample(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("examples", "tailsampling", "writer.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub("exporters::kinesis_kpl")
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join("examples", "tailsampling", "sampler.yaml"))
	require.NoError(t, err)
	_, err = confmap.NewRetrievedFromYAML(text)
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(4)
		var writers []exporter.Traces
		for range 2 {
			c := defaultConfig()
			require.NoError(t, sub.Unmarshal(c))
			require.NoError(t, confmap.Validate(c))
			require.True(t, c.PartitionKey.TraceID)
			c.AWS.StreamName = testStream
			writers = append(writers, startTraces(t, k, c))
		}
		maker := newSpanMaker(1, 5)
		for i := range 20 {
			require.NoError(t, writers[i%2].ConsumeTraces(t.Context(), maker.push(300)))
			pass(10 * time.Millisecond)
		}
		for _, w := range writers {
			require.NoError(t, w.Shutdown(t.Context()))
		}
		shards := k.OpenShards(testStream)
		readers := [2]map[pcommon.TraceID]bool{{}, {}}
		var names []string
		for _, span := range storedSpans(t, k) {
			reader := 0
			if span.ShardID == shards[2].ID || span.ShardID == shards[3].ID {
				reader = 1
			}
			readers[reader][span.trace] = true
			names = append(names, span.name)
		}
		assert.Len(t, distinct(t, names), 20*300)
		for trace := range readers[0] {
			assert.False(t, readers[1][trace])
		}
		for _, traces := range readers {
			assert.Greater(t, len(traces), 300, "both have work")
		}
	})
}

// Whatever happens to the shards, readers find each span, and all of them on shards that serve the hash key of their bucket. So
// no two shards that are open at the same time have spans of one trace.
func TestTracesFollowReshards(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { traceReshards(t, seed) })
		})
	}
}

func traceReshards(t *testing.T, seed uint64) {
	maker := newSpanMaker(seed, 1+int(seed%7))
	k := newTestKinesis(1 + maker.IntN(8))
	k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.All(
		kpltest.Latency(time.Duration(maker.IntN(200))*time.Millisecond),
		kpltest.FailRecordFraction(kpltest.CodeThrottled, float64(maker.IntN(3))/10),
	)))
	ranges := map[string]kpltest.OpenShard{}
	note := func() {
		for _, shard := range k.OpenShards(testStream) {
			ranges[shard.ID] = shard
		}
	}
	note()
	c := traceConfig()
	c.Producer.AggregationFormat = []kpl.AggregationFormat{
		kpl.AggregationKPL, kpl.AggregationKPL, kpl.AggregationNone,
	}[seed%3]
	e := startTraces(t, k, c)
	for range 60 {
		require.NoError(t, e.ConsumeTraces(t.Context(), maker.push(1+maker.IntN(150))))
		pass(time.Duration(maker.IntN(150)) * time.Millisecond)
		if maker.IntN(10) == 0 {
			open := len(k.OpenShards(testStream))
			require.NoError(t, k.UpdateShardCount(testStream, max(1, (open+1)/2+maker.IntN(open+1))))
			note()
		}
	}
	require.NoError(t, e.Shutdown(t.Context()))
	names, buckets := map[string]bool{}, bucketPlaces()
	for _, span := range storedSpans(t, k) {
		names[span.name] = true
		place := buckets[xxhash.Sum64(span.trace[:])%64]
		first, _ := new(big.Int).SetString(ranges[span.ShardID].StartingHashKey, 10)
		last, _ := new(big.Int).SetString(ranges[span.ShardID].EndingHashKey, 10)
		require.True(t, first.Cmp(place) <= 0 && place.Cmp(last) <= 0, "the shard serves the key")
		require.Equal(t, place.String(), span.ExplicitHashKey)
	}
	for i := range maker.next {
		require.True(t, names[fmt.Sprint("span-", i)], i)
	}
}

// bucketPlaces returns the hash keys of 64 buckets, as the README says.
func bucketPlaces() (places []*big.Int) {
	for i := range int64(64) {
		place := big.NewInt(2*i + 1)
		places = append(places, place.Lsh(place, 127-6))
	}
	return places
}

// With keys of traces, records are full where a shard gets 51,200 bytes within the linger, apart from the units that records
// waste which go early. Otherwise there is one more record for each shard and each linger. Units is what Kinesis bills, least
// what the bytes of the messages would take in full records.
func TestPutUnitsOfTraceKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("a measurement of what is stored, which takes its time")
	}
	for _, test := range []struct {
		shards, spans int           // spans of a push
		every         time.Duration // between two pushes
		linger        time.Duration
		fills         bool
	}{
		{shards: 4, spans: 500, every: 50 * time.Millisecond, linger: 100 * time.Millisecond, fills: true},
		{shards: 4, spans: 250, every: 25 * time.Millisecond, linger: 100 * time.Millisecond, fills: true},
		{shards: 4, spans: 1000, every: 100 * time.Millisecond, linger: 250 * time.Millisecond, fills: true},
		{shards: 2, spans: 1000, every: 100 * time.Millisecond, linger: 100 * time.Millisecond, fills: true},
		{shards: 4, spans: 1000, every: 60 * time.Millisecond, linger: 100 * time.Millisecond, fills: true},
		{shards: 4, spans: 4000, every: 400 * time.Millisecond, linger: 100 * time.Millisecond, fills: true},
		{shards: 16, spans: 2000, every: 100 * time.Millisecond, linger: 300 * time.Millisecond, fills: true},
		{shards: 64, spans: 2000, every: 100 * time.Millisecond, linger: time.Second, fills: true},
		// Pushes that fill a record and a bit come exactly a linger apart, so the bit goes alone.
		{shards: 4, spans: 1000, every: 100 * time.Millisecond, linger: 100 * time.Millisecond},
		{shards: 16, spans: 500, every: 300 * time.Millisecond, linger: 100 * time.Millisecond},
		{shards: 64, spans: 1000, every: 100 * time.Millisecond, linger: 100 * time.Millisecond},
		{shards: 64, spans: 8192, every: 2 * time.Second, linger: 100 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%+v", test), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const lasts = 6 * time.Second
				// Units that may be wasted: 12 a second and a second's worth at the start, see ADR 4; and by the stop, one for a shard.
				early := float64(7*12 + test.shards)
				k, c := newTestKinesis(test.shards), traceConfig()
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(15*time.Millisecond)))
				c.Producer.RecordMaxBufferedTime = test.linger
				e, maker := startTraces(t, k, c), newSpanMaker(1, 20)
				for range lasts / test.every {
					require.NoError(t, e.ConsumeTraces(t.Context(), maker.push(test.spans)))
					pass(test.every)
				}
				require.NoError(t, e.Shutdown(t.Context()))
				units, bytes := 0, 0
				for _, record := range k.Records(testStream) {
					units += (len(record.Data) + len(record.PartitionKey) + kpl.PutUnit - 1) / kpl.PutUnit
				}
				for _, record := range k.UserRecords(testStream) {
					bytes += len(record.Data)
				}
				least := float64(bytes) / kpl.PutUnit
				lingers := float64(test.shards) * float64(lasts/test.linger)
				t.Logf("%d units, %.2f of the least; %.0f kB in each linger of a shard", units, float64(units)/least,
					float64(bytes)/lingers/1000)
				if test.fills {
					assert.LessOrEqual(t, float64(units), 1.1*least+early)
				} else {
					assert.LessOrEqual(t, float64(units), 1.05*least+lingers)
				}
			})
		})
	}
}
