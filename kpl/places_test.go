// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// remake makes a stream anew with so many shards, of which the first have the ids of the old ones.
func remake(t *testing.T, k *kpltest.Kinesis, shards int) {
	t.Helper()
	require.NoError(t, k.DeleteStream(testStream))
	require.NoError(t, k.CreateStream(kpltest.Stream{Name: testStream, Shards: shards}))
}

// A stream that is made anew while nobody sends has the same shard ids with other ranges, and no answer says so. An
// aggregate is then stored on the shard that it was meant for, but some of its members may belong to other shards. So
// after a silence the producer asks for a fresh list of the shards when it sends, and judges the aggregates by that list.
func TestStreamMadeAnewInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(2)
		k.Inject(kpltest.ForOperation(kpltest.OpListShards, kpltest.Latency(roundTrip)))
		p := startProducer(t, k, nil)
		warmUp(t, p, k)
		remake(t, k, 3)
		advance(recreateTime)
		listings := len(k.Calls(kpltest.OpListShards))
		var got results
		putNumbered(t, p, 0, 100, &got)
		start := time.Now()
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, 2*roundTrip, time.Since(start), "to find out, and to send again what readers drop")
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 100}, outcomes(got.all()))
		assert.NotEmpty(t, k.DroppedAggregates(testStream))
		assert.Len(t, readable(t, k), 100)
		assert.Len(t, k.Calls(kpltest.OpListShards), listings+1)
	})
}

// After a silence, aggregates wait until a listing shows that the stream is the same as before, and no longer. Lone records do
// not wait.
func TestSilenceCostsNoTime(t *testing.T) {
	cases := map[string]struct {
		records  int
		silence  time.Duration
		listings int
		latency  time.Duration // of listings
		elapsed  time.Duration
	}{
		"aggregate":                       {100, recreateTime, 1, roundTrip, roundTrip},
		"aggregate, slow listing":         {100, recreateTime, 1, time.Second, time.Second},
		"aggregate, not long enough":      {100, recreateTime - 3*time.Second, 0, time.Second, roundTrip},
		"a record by itself, for as long": {1, StreamIdleTime - 3*time.Second, 0, time.Second, roundTrip},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(1)
				p := startProducer(t, k, nil)
				holdBack(p)
				before := warmUp(t, p, k) // ends two seconds after the answer
				k.Inject(kpltest.ForOperation(kpltest.OpListShards, kpltest.Latency(c.latency)))
				advance(c.silence)
				listings := len(k.Calls(kpltest.OpListShards))
				var got results
				putNumbered(t, p, 0, c.records, &got)
				start := time.Now()
				require.NoError(t, p.FlushWait(t.Context()))
				assert.Equal(t, c.elapsed, time.Since(start))
				assert.Equal(t, map[Outcome]int{OutcomeSuccess: c.records}, outcomes(got.all()))
				assert.Len(t, k.Records(testStream), before+1)
				advance(time.Minute)
				assert.Len(t, k.Calls(kpltest.OpListShards), listings+c.listings)
			})
		})
	}
}

// If the shards cannot be listed after a silence, nobody knows whether readers see an aggregate. Its members are then sent
// again once.
func TestSilenceAndNoList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(2)
		p := startProducer(t, k, nil)
		warmUp(t, p, k)
		holdBack(p) // a record that goes alone has no frame, and needs no verdict
		remake(t, k, 3)
		k.Inject(kpltest.ForOperation(kpltest.OpListShards, kpltest.FailCall(kpltest.CodeAccessDenied)))
		var got results
		for range 2 {
			advance(recreateTime)
			putNumbered(t, p, len(got.all()), 100, &got)
			require.NoError(t, p.FlushWait(t.Context()))
		}
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 200}, outcomes(got.all()))
		assert.Len(t, readable(t, k), 200)
		for i, result := range got.all() {
			if i < 100 {
				require.Len(t, result.Attempts, 2)
				assert.Contains(t, result.Attempts[0].Message, "whose hash key range is not known")
			} else {
				assert.Len(t, result.Attempts, 1)
			}
		}
	})
}

// A stream cannot be deleted and made anew while answers come, without an answer that shows it. So no listing is needed.
func TestNoListingsWhileAnswersCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(2)
		p := startProducer(t, k, nil)
		warmUp(t, p, k)
		listings := len(k.Calls(kpltest.OpListShards))
		var got results
		for i := range 100 {
			putNumbered(t, p, 10*i, 10, &got)
			require.NoError(t, p.FlushWait(t.Context()))
			advance(recreateTime - 3*roundTrip)
		}
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 1000}, outcomes(got.all()))
		assert.Len(t, k.Calls(kpltest.OpListShards), listings)
	})
}

// If a record is stored on a shard that does not serve its key by the map, all aggregates of the answer wait for a new map.
func TestPlaceThatContradictsTheMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(3)
		p := startProducer(t, k, nil)
		holdBack(p)
		warmUp(t, p, k)
		remake(t, k, 2) // at once, so there is no silence that shows it
		var got results
		putNumbered(t, p, 0, 300, &got)
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 300}, outcomes(got.all()))
		assert.Len(t, k.DroppedAggregates(testStream), 1, "what was meant for the middle of three shards")
		seen := readable(t, k)
		assert.Len(t, seen, 300)
		for number, times := range seen {
			assert.Equal(t, 1, times, number)
		}
	})
}

// distributions notes the distributions that an Observer is told.
type distributions struct {
	mu      sync.Mutex
	changes []DistributionEvent // guarded by mu
}

func (d *distributions) observer() Observer {
	return Observer{DistributionChanged: func(e DistributionEvent) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.changes = append(d.changes, e)
	}}
}

// all returns the changes so far.
func (d *distributions) all() []DistributionEvent {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

// Without permission to describe a stream, the producer learns from the places of records that the stream chooses shards
// itself. Until it knows that, no aggregate that readers drop counts as delivered.
func TestAutomaticDistributionIsInferred(t *testing.T) {
	for name, tune := range map[string]func(*UserRecord){
		"keys": func(*UserRecord) {}, "one key": func(r *UserRecord) { r.PartitionKey = "key" },
		"keyless": func(r *UserRecord) { r.PartitionKey = "" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{
					Name: testStream, Shards: 4, Distribution: types.RecordDistributionStrategyAuto,
				})
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(roundTrip)))
				allow := k.Inject(
					kpltest.ForOperation(kpltest.OpDescribeStreamSummary, kpltest.FailCall(kpltest.CodeAccessDenied)))
				told := &distributions{}
				p := startProducer(t, k, func(c *Config) { c.Observer, c.AggregationMaxCount = told.observer(), 20 })
				holdBack(p)
				var got results
				put := func(from, to int) {
					for i := from; i < to; i++ {
						record := numbered("key"+string(rune('a'+i%20)), i)
						tune(&record)
						require.NoError(t, p.Put(t.Context(), record, got.add))
					}
					require.NoError(t, p.FlushWait(t.Context()))
				}
				put(0, 400)
				assert.Equal(t, []DistributionEvent{{testStream, DistributionAutomatic, SourcePlacement}}, told.all())
				before, listings := len(k.Records(testStream)), len(k.Calls(kpltest.OpListShards))
				put(400, 500)
				assert.Len(t, k.Records(testStream)[before:], 100, "each by itself, and once")
				assert.Equal(t, map[Outcome]int{OutcomeSuccess: 500}, outcomes(got.all()))
				assert.Len(t, readable(t, k), 500)
				advance(StreamIdleTime / 2)
				assert.Len(t, k.Calls(kpltest.OpListShards), listings, "the places of records do not matter any more")

				allow() // and it turns out to be another stream by now
				remake(t, k, 4)
				advance(time.Minute)
				put(0, 100)
				require.NoError(t, k.DeleteStream(testStream))
				put(100, 200)
				require.NoError(t, k.CreateStream(kpltest.Stream{Name: testStream, Shards: 4}))
				advance(time.Minute)
				put(200, 300)
				changes := told.all()
				require.Len(t, changes, 2)
				assert.Equal(t, DistributionByKey, changes[1].Distribution, "a description or the missing stream says so")
			})
		})
	}
}

// A record on a shard that does not serve its key proves nothing if the shard may be another one with the same id.
func TestProofOfAutomaticDistribution(t *testing.T) {
	halves := []shard{
		{"lower", hashRange{minHashKey, hashKey{99, 0}}}, {"upper", hashRange{hashKey{99, 1}, maxHashKey}},
	}
	listing := func(begin, end time.Duration, previous *shardMap, numbers string) *shardMap {
		m := newShardMap(halves, previous, at(begin))
		m.identify(map[ShardID]string{"lower": numbers, "upper": numbers}, previous, at(end))
		return m
	}
	first := listing(0, 1, nil, "49")
	again := listing(10, 11, first, "49")
	place := func(start, end time.Duration, shard ShardID, key uint64) *storedPlace {
		return &storedPlace{hashKey{high: key}, Attempt{Start: at(start), End: at(end), ShardID: shard}}
	}
	cases := map[string]struct {
		stored *storedPlace
		known  *shardMap
		want   bool
	}{
		"between two listings of the same shard": {place(2, 9, "lower", 200), again, true},
		"the shard does serve the key":           {place(2, 9, "lower", 50), again, false},
		"stored after the last listing":          {place(2, 10, "lower", 200), again, false},
		"sent before the first listing ended":    {place(0, 9, "lower", 200), again, false},
		"a shard that is closed by now":          {place(2, 9, "other", 200), again, false},
		"another stream":                         {place(2, 9, "lower", 200), listing(10, 11, first, "50"), false},
		"listings that tell no streams apart":    {place(2, 9, "lower", 200), listing(10, 11, listing(0, 1, nil, ""), ""), false},
		"no record":                              {nil, again, false},
		"no listing":                             {place(2, 9, "lower", 200), nil, false},
	}
	for name, c := range cases {
		topology := topology{shards: c.known, unexplained: c.stored}
		assert.Equal(t, c.want, topology.provenAutomatic(), name)
	}
}

func TestMadeAnew(t *testing.T) {
	lower, upper := hashRange{minHashKey, hashKey{99, 0}}, hashRange{hashKey{99, 1}, maxHashKey}
	listing := func(numbers string, open ...shard) *shardMap {
		m, first := newShardMap(open, nil, at(0)), map[ShardID]string{}
		for _, s := range open {
			first[s.id] = numbers + string(s.id)
		}
		m.identify(first, nil, at(0))
		return m
	}
	old := listing("49", shard{"0", lower}, shard{"1", upper})
	cases := map[string]struct {
		now  *shardMap
		want bool
	}{
		"as it was":                    {listing("49", shard{"0", lower}, shard{"1", upper}), false},
		"one shard has become another": {listing("49", shard{"0", lower}, shard{"2", upper}), false},
		"other numbers":                {listing("50", shard{"0", lower}, shard{"1", upper}), true},
		"another range":                {listing("49", shard{"0", hashRange{minHashKey, maxHashKey}}), true},
		"nothing is left":              {listing("49", shard{"2", lower}, shard{"3", upper}), true},
		"not known":                    {nil, false},
	}
	for name, c := range cases {
		assert.Equal(t, c.want, recreated(old, c.now), name)
		assert.False(t, recreated(nil, c.now), name)
	}
}

// A shard that was open in one stream says nothing about a closed shard with the same id in another stream.
func TestOldShardsOfAnotherStream(t *testing.T) {
	lower, upper := hashRange{minHashKey, hashKey{99, 0}}, hashRange{hashKey{99, 1}, maxHashKey}
	before := newShardMap([]shard{{"0", lower}, {"1", upper}}, nil, at(0))
	before.identify(map[ShardID]string{"0": "490", "1": "491"}, nil, at(1))
	for number, known := range map[string]bool{"491": true, "501": false} {
		after := newShardMap([]shard{{"1", upper}, {"2", lower}}, before, at(10))
		after.identify(map[ShardID]string{"1": number, "2": "502"}, before, at(11))
		_, ok := after.keysOf(&Attempt{ShardID: "0", Start: at(5)})
		assert.Equal(t, known, ok, number)
	}
}

// In an outage the shards cannot be listed either, and the pauses between listings grow. When the outage is over, the first
// stored records do not wait for the end of such a pause.
func TestResultsAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(2)
		p := startProducer(t, k, nil)
		warmUp(t, p, k)
		back := k.Inject(kpltest.FailCall(kpltest.CodeInternalFailure))
		var lost, got results
		for range 120 {
			putNumbered(t, p, 0, 10, &lost)
			advance(time.Second)
		}
		back()
		start := time.Now()
		putNumbered(t, p, 0, 100, &got)
		for len(got.all()) < 100 {
			advance(10 * time.Millisecond)
		}
		linger := Config{}.WithDefaults().RecordMaxBufferedTime
		assert.Less(t, time.Since(start), linger+minRefreshInterval+maxRefreshJitter+2*roundTrip)
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 100}, outcomes(got.all()))
	})
}
