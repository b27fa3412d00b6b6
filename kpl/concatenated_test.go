// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// concatenated makes the producer join records without a frame.
func concatenated(c *Config) { c.AggregationFormat = AggregationConcatenated }

// lines are a kind of records that [numbered] makes.
var lines = Kind{Number: 7, Newline: true}

// concatenatedData returns the data of k in a request.
func concatenatedData(k *kinesisRecord) []byte {
	if !k.joined() {
		return k.members[0].data
	}
	return appendConcatenated(nil, k)
}

func TestBytesOfConcatenatedRecords(t *testing.T) {
	type entry struct{ data, key, hash string }
	one, other := Kind{Number: 1}, Kind{Number: 2}
	hashOfPK1 := "329398341438914906102347661116985167824"
	for name, tt := range map[string]struct {
		records []UserRecord
		want    []entry
	}{
		"nothing stands between": {
			[]UserRecord{{PartitionKey: "pk1", Data: []byte("hello")}, {PartitionKey: "pk1", Data: []byte("world")}},
			[]entry{{"helloworld", "pk1", hashOfPK1}},
		},
		"a newline stands between lines": {
			[]UserRecord{
				{PartitionKey: "pk1", Kind: lines, Data: []byte("{}")},
				{PartitionKey: "pk1", Kind: lines, Data: []byte(`{"a":1}`)},
				{PartitionKey: "pk1", Kind: lines, Data: []byte("[]")},
			},
			[]entry{{"{}\n{\"a\":1}\n[]", "pk1", hashOfPK1}},
		},
		"kinds are kept apart": {
			[]UserRecord{
				{PartitionKey: "pk1", Kind: one, Data: []byte("1")},
				{PartitionKey: "pk1", Kind: other, Data: []byte("2")},
				{PartitionKey: "pk1", Data: []byte("0")},
				{PartitionKey: "pk1", Kind: one, Data: []byte("1")},
				{PartitionKey: "pk1", Kind: Kind{Number: 1, Newline: true}, Data: []byte("line")},
			},
			[]entry{{"11", "pk1", hashOfPK1}, {"2", "pk1", hashOfPK1}, {"0", "pk1", hashOfPK1}, {"line", "pk1", hashOfPK1}},
		},
		"some stand alone": {
			[]UserRecord{
				{PartitionKey: "pk1", Kind: one, Data: []byte("1")},
				{PartitionKey: "pk1", Kind: Kind{Number: 1, Alone: true}, Data: []byte("2")},
				{PartitionKey: "pk1", Kind: Kind{Number: 1, Alone: true}, Data: []byte("3")},
				{PartitionKey: "pk1", Kind: one, Data: []byte("4")},
				{Kind: Kind{Alone: true}, Data: []byte("5")},
			},
			[]entry{
				{"2", "pk1", hashOfPK1},
				{"3", "pk1", hashOfPK1},
				{"5", "abcdefghijklmnop", hashOf("abcdefghijklmnop").String()},
				{"14", "pk1", hashOfPK1},
			},
		},
		"the first key is outside": {
			[]UserRecord{
				{PartitionKey: "pk1", ExplicitHashKey: "123", Data: []byte("a")}, {PartitionKey: "pk2", Data: []byte("b")},
			},
			[]entry{{"ab", "pk1", "123"}},
		},
		"records without a key share one": {
			[]UserRecord{{Data: []byte("a")}, {PartitionKey: "pk1", Data: []byte("b")}, {Data: []byte("c")}},
			[]entry{{"ac", "abcdefghijklmnop", hashOf("abcdefghijklmnop").String()}, {"b", "pk1", hashOfPK1}},
		},
		"no data": {
			[]UserRecord{{PartitionKey: "pk1"}, {PartitionKey: "pk1"}},
			[]entry{{"", "pk1", hashOfPK1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []entry
			for _, k := range aggregateAs(t, AggregationConcatenated, 51_200, tt.records...) {
				data := concatenatedData(k)
				assert.False(t, k.framed())
				assert.Len(t, data, k.dataSize())
				got = append(got, entry{string(data), k.partitionKey, k.hash.String()})
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// The kind of a record means nothing to the KPL's format.
func TestKindsShareAFrame(t *testing.T) {
	list := aggregate(t, 51_200,
		UserRecord{PartitionKey: "pk1", Kind: lines, Data: []byte("1")}, UserRecord{PartitionKey: "pk1", Data: []byte("2")},
		UserRecord{PartitionKey: "pk1", Kind: Kind{Alone: true}, Data: []byte("3")})
	require.Len(t, list, 1)
	assert.True(t, list[0].framed())
}

func TestConcatenatedRecordsAreExactlyAsLargeAsPredicted(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		limit := 64 + random.IntN(20_000)
		var records []UserRecord
		sizes := map[Kind]int{}
		for i := range 1 + random.IntN(400) {
			r := UserRecord{
				PartitionKey: strings.Repeat("k", random.IntN(200)) + strconv.Itoa(i),
				Kind:         Kind{Number: uint8(random.IntN(3)), Newline: random.IntN(2) == 0},
				Data:         bytes.Repeat([]byte{'x'}, random.IntN(1+random.IntN(600))),
			}
			if random.IntN(8) == 0 {
				r.PartitionKey = ""
			}
			records = append(records, r)
			sizes[r.Kind] += len(r.Data)
		}
		for _, k := range aggregateAs(t, AggregationConcatenated, limit, records...) {
			data := concatenatedData(k)
			require.Len(t, data, k.dataSize(), "seed %d", seed)
			if k.joined() {
				require.LessOrEqual(t, k.size(), limit, "seed %d", seed)
			}
			sizes[k.kind] -= bytes.Count(data, []byte("x"))
		}
		for kind, size := range sizes {
			require.Zero(t, size, "seed %d, kind %v", seed, kind)
		}
	}
}

// A part of a record may have a longer first key than the whole record had. If there is no room for it, it is left out.
func TestPartsOfConcatenatedRecordsKeepTheLimit(t *testing.T) {
	long := strings.Repeat("k", MaxPartitionKeyLength)
	list := aggregateAs(t, AggregationConcatenated, 1000, UserRecord{PartitionKey: "x", Data: []byte("1")},
		UserRecord{PartitionKey: long, Data: make([]byte, 400)}, UserRecord{PartitionKey: long, Data: make([]byte, 400)})
	require.Len(t, list, 1)
	for limit, want := range map[int]string{1000: outerPartitionKey, 1200: long} {
		config := Config{AggregationFormat: AggregationConcatenated, AggregationMaxSize: limit}.WithDefaults()
		k := newAggregator(&config, new(memberPool)).pack(list[0].members[1:])
		assert.Equal(t, want, k.partitionKey)
		assert.Equal(t, hashOf(long), k.hash, "it goes to the shard of the key either way")
		assert.LessOrEqual(t, k.size(), limit)
	}
}

// readLines counts how often a reader sees each number in the lines of the stream.
func readLines(t *testing.T, k *kpltest.Kinesis) map[int]int {
	t.Helper()
	counts := map[int]int{}
	for _, r := range k.Records(testStream) {
		for line := range strings.SplitSeq(string(r.Data), "\n") {
			number, err := strconv.Atoi(line)
			require.NoError(t, err)
			counts[number]++
		}
	}
	return counts
}

// putLines puts the numbers from 0 to n-1 as lines with some keys.
func putLines(t *testing.T, p *Producer, n int, got *results) {
	t.Helper()
	for i := range n {
		record := numbered(fmt.Sprint("key", i%100), i)
		record.Kind = lines
		require.NoError(t, p.Put(t.Context(), record, got.add))
	}
}

// onceEach demands that each of the numbers from 0 to n-1 was stored once, with one attempt that counted.
func onceEach(t *testing.T, k *kpltest.Kinesis, n int, got *results) {
	t.Helper()
	assert.Equal(t, map[Outcome]int{OutcomeSuccess: n}, outcomes(got.all()))
	seen := readLines(t, k)
	assert.Len(t, seen, n)
	for number, times := range seen {
		require.Equal(t, 1, times, number)
	}
}

// Readers get a record without a frame from whichever shard it is on. So a reshard makes nothing come twice, and no record waits
// for a listing.
func TestConcatenatedRecordsNeedNoResend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		told := &misplacements{}
		p := startProducer(t, k, func(c *Config) { concatenated(c); c.Observer = told.observer() })
		holdBack(p)
		var got results
		putLines(t, p, 100, &got)
		advance(50 * time.Millisecond) // the shards are known by now
		_, _, err := k.SplitShard(testStream, "shardId-000000000000", "")
		require.NoError(t, err)
		require.NoError(t, p.FlushWait(t.Context()))
		onceEach(t, k, 100, &got)
		assert.Len(t, k.Records(testStream), 1)
		assert.Empty(t, told.userRecords)
	})
}

// A record that waits is taken apart if its members belong to different shards by now, so that keys go on choosing the shard.
func TestWaitingConcatenatedRecordsFollowTheShards(t *testing.T) {
	config := Config{AggregationFormat: AggregationConcatenated}.WithDefaults()
	p := newPipeline(&config, testRandom(), new(memberPool))
	_ = p.setShards(at(0), newShardMap(evenShards(1), nil, at(0)))
	p.limiter.lane(evenShards(1)[0].id).bytes.take(1<<30, at(0)) // nothing goes
	for i := range 20 {
		in := numbered(fmt.Sprint("key", i), i)
		r, err := newUserRecord(&in, config.MaxRecordSize)
		require.NoError(t, err)
		r.received = at(0)
		list := []userRecord{r}
		hashKeys(list)
		p.putAll(at(0), list)
	}
	require.Empty(t, p.step(at(config.linger()), callers{}))
	after := newShardMap(evenShards(2), nil, at(config.linger()))
	after.open[0].id, after.open[1].id = "lower", "upper"
	_ = p.setShards(at(config.linger()), after)
	waiting := append(p.limiter.takeAll(), p.collector.takeAll()...)
	for _, k := range p.aggregator.closeAll(nil, FlushRequest) {
		waiting = append(waiting, k.kinesisRecord)
	}
	require.Len(t, waiting, 2)
	for _, k := range waiting {
		lowest, _ := after.predict(k.lowest)
		highest, _ := after.predict(k.highest)
		assert.Equal(t, lowest, highest)
	}
}

// Where the service chooses the shards, frames are dropped by readers. Records without a frame share Kinesis records there too,
// and those with different keys share one.
func TestConcatenatedOnAStreamThatChoosesShards(t *testing.T) {
	for name, denied := range map[string]bool{"described": false, "neither described nor listed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{
					Name: testStream, Shards: 4, Distribution: types.RecordDistributionStrategyAuto,
				})
				if denied {
					for _, operation := range []kpltest.Operation{kpltest.OpListShards, kpltest.OpDescribeStreamSummary} {
						k.Inject(kpltest.ForOperation(operation, kpltest.FailCall(kpltest.CodeAccessDenied)))
					}
				}
				p := startProducer(t, k, concatenated)
				var got results
				require.NoError(t, p.Put(t.Context(), UserRecord{Stream: testStream, Kind: lines, Data: []byte("1000")}, nil))
				require.NoError(t, p.FlushWait(t.Context()))
				advance(2 * time.Second)
				holdBack(p)
				putLines(t, p, 1000, &got)
				require.NoError(t, p.FlushWait(t.Context()))
				seen := readLines(t, k)
				assert.Len(t, seen, 1001)
				for number, times := range seen {
					require.Equal(t, 1, times, number)
				}
				assert.Equal(t, map[Outcome]int{OutcomeSuccess: 1000}, outcomes(got.all()))
				if denied {
					assert.Len(t, k.Records(testStream), 1+100, "one for each key: nobody knows that keys do not matter")
				} else {
					assert.Len(t, k.Records(testStream), 1+1)
				}
			})
		})
	}
}

func TestOnlyTheOffenderOfAConcatenatedRecordIsRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		got := putAroundPoison(t, k, concatenated, func(data []byte) []byte { return data })
		onceEach(t, k, 100, got)
	})
}

// putAroundPoison puts 100 records and one between them that the service rejects, along with the whole record that it is in. The
// function plain returns the data of a Kinesis record without compression. It requires that the one is rejected, and returns the
// Results of the others.
func putAroundPoison(t *testing.T, k *kpltest.Kinesis, tune func(*Config), plain func([]byte) []byte) *results {
	t.Helper()
	k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecords(kpltest.CodeInvalidArgument,
		func(r types.PutRecordsRequestEntry) bool { return bytes.Contains(plain(r.Data), []byte("poison")) })))
	p := startProducer(t, k, tune)
	holdBack(p)
	var got results
	putLines(t, p, 50, &got)
	poison := UserRecord{Stream: testStream, PartitionKey: "key", Kind: lines, Data: []byte("poison")}
	require.NoError(t, p.Put(t.Context(), poison, func(r Result) { assert.Equal(t, OutcomeRejected, r.Outcome()) }))
	for i := 50; i < 100; i++ {
		record := numbered("key", i)
		record.Kind = lines
		require.NoError(t, p.Put(t.Context(), record, got.add))
	}
	require.NoError(t, p.FlushWait(t.Context()))
	return &got
}

// The service takes a record without a byte, but none without data.
func TestConcatenatedRecordsWithoutData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, concatenated)
		holdBack(p)
		var got results
		for range 2 {
			require.NoError(t, p.Put(t.Context(), UserRecord{Stream: testStream, PartitionKey: "key"}, got.add))
		}
		advance(50 * time.Millisecond)
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 2}, outcomes(got.all()))
		assert.Len(t, k.Records(testStream), 1)
	})
}

func TestConcatenatedRecordsUnderThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(4)
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2)))
		p := startProducer(t, k, func(c *Config) { concatenated(c); c.AggregationMaxSize = 2000 })
		var got results
		putLines(t, p, 20_000, &got)
		require.NoError(t, p.FlushWait(t.Context()))
		onceEach(t, k, 20_000, &got)
	})
}
