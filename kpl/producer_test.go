// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

const (
	testStream = "telemetry"
	roundTrip  = 20 * time.Millisecond
)

// newTestKinesis is a service with one stream that takes 20 ms for a PutRecords call, and no time for others.
func newTestKinesis(shards int) *kpltest.Kinesis {
	k := kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{Name: testStream, Shards: shards})
	k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(roundTrip)))
	return k
}

// startProducer makes a producer with the default config as changed by tune, for the time of the test.
func startProducer(t *testing.T, client Client, tune func(*Config)) *Producer {
	t.Helper()
	config := Config{}.WithDefaults()
	if tune != nil {
		tune(&config)
	}
	p, err := New(client, config)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Close(context.Background())) })
	return p
}

// holdBack makes the producer believe that a caller is about to put more records. So nothing goes before its deadline.
func holdBack(p *Producer) {
	p.open(testStream)
	p.streams[testStream].batches.begin()
}

// advance lets virtual time pass.
func advance(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // in a synctest bubble

func withoutLinger(c *Config) { c.RecordMaxBufferedTime = NoBuffering }

// sized is a record of zeros.
func sized(key string, size int) UserRecord {
	return UserRecord{Stream: testStream, PartitionKey: key, Data: make([]byte, size)}
}

// numbered is a record whose data tells which one it is.
func numbered(key string, number int) UserRecord {
	return UserRecord{Stream: testStream, PartitionKey: key, Data: []byte(strconv.Itoa(number))}
}

// results gathers the Results of asynchronous Puts.
type results struct {
	mu   sync.Mutex
	list []Result
}

func (r *results) add(result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, result)
}

func (r *results) all() []Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.list
}

// outcomes counts Results by outcome.
func outcomes(list []Result) map[Outcome]int {
	counts := map[Outcome]int{}
	for _, result := range list {
		counts[result.Outcome()]++
	}
	return counts
}

// readable counts how often a reader sees each number.
func readable(t *testing.T, k *kpltest.Kinesis) map[int]int {
	t.Helper()
	counts := map[int]int{}
	for _, r := range k.UserRecords(testStream) {
		number, err := strconv.Atoi(string(r.Data))
		require.NoError(t, err)
		counts[number]++
	}
	return counts
}

func TestLoneRecordGoesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, nil)
		start := time.Now()
		result, err := p.PutWait(t.Context(), sized("key", 200))
		require.NoError(t, err)
		assert.Equal(t, roundTrip, time.Since(start))
		assert.Equal(t, ShardID("shardId-000000000000"), result.ShardID)
		assert.NotEmpty(t, result.SequenceNumber)
		require.Len(t, result.Attempts, 1)
		assert.Equal(t, start, result.Attempts[0].Start)
		assert.Equal(t, start.Add(roundTrip), result.Attempts[0].End)
		stored := k.Records(testStream)
		require.Len(t, stored, 1)
		assert.Equal(t, "key", stored[0].PartitionKey)
		assert.Len(t, stored[0].Data, 200, "a lone record goes without a frame")
		assert.Equal(t, hashOf("key").String(), stored[0].ExplicitHashKey)
	})
}

func TestLoneRecordWithoutLingerPaysOneRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startProducer(t, newTestKinesis(1), withoutLinger)
		for range 3 {
			start := time.Now()
			_, err := p.PutWait(t.Context(), sized("key", 200))
			require.NoError(t, err)
			assert.Equal(t, roundTrip, time.Since(start))
		}
	})
}

func TestWithoutLingerRecordsGatherWhileARequestIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, withoutLinger)
		start := time.Now()
		var got results
		for range 20 { // a record each millisecond: the first is sent at once, the others share the next request
			require.NoError(t, p.Put(t.Context(), sized("key", 200), got.add))
			synctest.Wait()
			advance(time.Millisecond)
		}
		require.NoError(t, p.FlushWait(t.Context()))
		calls := k.Calls(kpltest.OpPutRecords)
		require.Len(t, calls, 2)
		assert.Equal(t, start, calls[0].Start)
		assert.Equal(t, start.Add(roundTrip), calls[1].Start)
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 20}, outcomes(got.all()))
		assert.Len(t, k.Records(testStream), 2)
	})
}

func TestWithoutLingerABatchIsNotSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, withoutLinger)
		start := time.Now()
		batch := p.NewBatch()
		for range 10 {
			require.NoError(t, batch.Put(t.Context(), sized("key", 50_000)))
			synctest.Wait()
		}
		assert.Len(t, batch.Wait(t.Context()), 10)
		assert.Equal(t, roundTrip, time.Since(start))
	})
}

func TestFlushSendsAtOnceAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startProducer(t, newTestKinesis(1), func(c *Config) { c.RecordMaxBufferedTime = 10 * time.Second })
		holdBack(p)
		var got results
		require.NoError(t, p.Put(t.Context(), sized("key", 200), got.add))
		start := time.Now()
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, roundTrip, time.Since(start))
		assert.Len(t, got.all(), 1)
	})
}

func TestFlushDoesNotWaitForWhatComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startProducer(t, newTestKinesis(1), func(c *Config) { c.RecordMaxBufferedTime = 10 * time.Second })
		holdBack(p)
		require.NoError(t, p.Put(t.Context(), sized("early", 200), nil))
		synctest.Wait()
		start := time.Now()
		go func() {
			advance(roundTrip / 2)
			assert.NoError(t, p.Put(t.Context(), sized("late", 200), nil))
		}()
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, roundTrip, time.Since(start))
		assert.Equal(t, 1, p.Stats().OutstandingRecords)
	})
}

func TestRetriesUntilStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Times(3, kpltest.FailCall(kpltest.CodeInternalFailure))))
		p := startProducer(t, k, withoutLinger)
		result, err := p.PutWait(t.Context(), sized("key", 200))
		require.NoError(t, err)
		require.Len(t, result.Attempts, 4)
		for i, attempt := range result.Attempts[:3] {
			assert.NotEmpty(t, attempt.Code)
			pause := result.Attempts[i+1].Start.Sub(attempt.End)
			most := firstBackoff << i
			assert.GreaterOrEqual(t, pause, most/2)
			assert.LessOrEqual(t, pause, most)
		}
		assert.Empty(t, result.Attempts[3].Code)
	})
}

func TestTwentyPercentThrottledAllDeliveredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(4)
		k.Inject(kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2))
		p := startProducer(t, k, nil)
		random := rand.New(rand.NewPCG(1, 2))
		var got results
		const n = 20_000
		for i := range n {
			require.NoError(t, p.Put(t.Context(), numbered(fmt.Sprint("key", random.IntN(500)), i), got.add))
		}
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: n}, outcomes(got.all()))
		seen := readable(t, k)
		assert.Len(t, seen, n)
		for number, times := range seen {
			assert.Equal(t, 1, times, number)
		}
		assert.Empty(t, k.DroppedAggregates(testStream))
	})
}
