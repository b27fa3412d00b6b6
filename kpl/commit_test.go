// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// The goals of early commits. Requests have one record of 2 kB, and a call takes 15 ms. "go test -run TestEarlyCommits -v" prints
// what docs/adr/0004-group-commit.md has.
func TestEarlyCommits(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name   string
		shards int
		keyed  bool
		rate   float64       // requests a second
		p50    time.Duration // at most
		units  float64       // PUT units at most, as a multiple of those without early commits; 0 is not bounded
	}{
		{"lone", 16, false, 0.5, commitCall, 1.06},
		{"20/s", 16, false, 20, 40 * ms, 0},
		{"200/s", 16, false, 200, 41 * ms, 1.5},
		{"1,000/s", 16, false, 1000, 68 * ms, 1.2},
		{"4,000/s", 16, false, 4000, 31 * ms, 1.05},
		{"lone, keyed", 512, true, 0.5, commitCall, 1.06},
		{"200/s, keyed, 16 shards", 16, true, 200, 115 * ms, 1.05},
		{"5,000/s, keyed, 16 shards", 16, true, 5000, 64 * ms, 1.05},
		{"200/s, keyed, 512 shards", 512, true, 200, 115 * ms, 1.05},
		{"5,000/s, keyed, 512 shards", 512, true, 5000, 115 * ms, 1.05},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			early := commitModel{shards: test.shards, keyed: test.keyed, rate: test.rate, length: 20 * time.Second}
			if test.rate < 1 {
				early.length = 10 * time.Minute
			}
			plainly := early
			plainly.plain = true
			plain, got := plainly.run(), early.run()
			t.Logf("by the linger alone: %v", plain)
			t.Logf("early commits:       %v", got)
			assert.LessOrEqual(t, got.p50, test.p50)
			assert.LessOrEqual(t, got.p50, plain.p50)
			if test.units > 0 {
				assert.LessOrEqual(t, got.units/got.requests, test.units*plain.units/plain.requests)
			}
		})
	}
}

// Callers that put one request after the other get far more done than with the linger alone, which allows each of them nine a
// second.
func TestCallersInTurnDoNotWaitForTheLinger(t *testing.T) {
	const ms = time.Millisecond
	for callers, most := range map[int]time.Duration{1: 77 * ms, 10: 20 * ms, 100: 20 * ms} {
		t.Run(fmt.Sprint(callers), func(t *testing.T) {
			m := commitModel{shards: 16, callers: callers, length: 20 * time.Second}
			got := m.run()
			t.Log(got)
			assert.LessOrEqual(t, got.p50, most)
		})
	}
}

// Early commits of many small producers leave room on the shards.
func TestSmallProducersDoNotFillTheirShards(t *testing.T) {
	m := commitModel{producers: 100, shards: 2, rate: 50, recordSize: 100, limited: true, length: 20 * time.Second}
	got := m.run()
	t.Log(got)
	assert.Less(t, got.records, 0.75*2*shardRecordsPerSecond)
	assert.Zero(t, got.throttled)
}

func TestALoneBatchGoesAtOnceAndWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(4)
		p := startProducer(t, k, func(c *Config) { c.RecordMaxBufferedTime = 10 * time.Second })
		start := time.Now()
		batch := p.NewBatch()
		for range 10 {
			require.NoError(t, batch.Put(t.Context(), sized("", 2000)))
			synctest.Wait()
			advance(time.Millisecond)
		}
		for _, result := range batch.Wait(t.Context()) {
			require.NoError(t, result.Err)
		}
		assert.Equal(t, 10*time.Millisecond+roundTrip, time.Since(start))
		assert.Len(t, k.Records(testStream), 1)
	})
}

// A batch holds back only the streams that it has records for, and no longer than the linger.
func TestABatchHoldsBackItsStreamsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: testStream, Shards: 1}, kpltest.Stream{Name: "other", Shards: 1})
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(roundTrip)))
		p := startProducer(t, k, nil)
		batch := p.NewBatch()
		require.NoError(t, batch.Put(t.Context(), sized("key", 200)))
		var waiting sync.WaitGroup
		for stream, takes := range map[string]time.Duration{"other": roundTrip, testStream: 100*time.Millisecond + roundTrip} {
			waiting.Go(func() {
				start, record := time.Now(), sized("key", 200)
				record.Stream = stream
				_, err := p.PutWait(t.Context(), record)
				assert.NoError(t, err)
				assert.Equal(t, takes, time.Since(start), stream)
			})
		}
		waiting.Wait()
		assert.Len(t, k.Records(testStream), 1, "both in one aggregate")
		require.NoError(t, batch.Wait(t.Context())[0].Err)
	})
}

// What comes while a request is in flight shares the next one, which goes when the answer is there.
func TestRecordsGatherBehindARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, func(c *Config) { c.RecordMaxBufferedTime = 10 * time.Second })
		start := time.Now()
		for range 20 { // one each millisecond
			require.NoError(t, p.Put(t.Context(), sized("key", 200), nil))
			synctest.Wait()
			advance(time.Millisecond)
		}
		advance(10 * roundTrip)
		calls := k.Calls(kpltest.OpPutRecords)
		require.Len(t, calls, 2)
		assert.Equal(t, start, calls[0].Start)
		assert.Equal(t, start.Add(roundTrip), calls[1].Start)
	})
}

// For a minute after a throttle records wait for others, whether the throttled record is sent again or not.
func TestAThrottleEndsEarlyCommits(t *testing.T) {
	for name, tune := range map[string]func(*Config){
		"sent again": func(*Config) {},
		"failed":     func(c *Config) { c.FailIfThrottled = true },
		"fixed rate": func(c *Config) { c.FixedRate = true },
	} {
		for kind, throttle := range map[string]kpltest.Fault{
			"record": kpltest.FailRecordFraction(kpltest.CodeThrottled, 1), "call": kpltest.FailCall(kpltest.CodeThrottling),
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					k := newTestKinesis(1)
					p := startProducer(t, k, tune)
					takes := func() time.Duration {
						start := time.Now()
						_, err := p.PutWait(t.Context(), sized("key", 200))
						require.NoError(t, err)
						return time.Since(start)
					}
					assert.Equal(t, roundTrip, takes())
					k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Times(1, throttle)))
					_, _ = p.PutWait(t.Context(), sized("key", 200))
					advance(throttledPause / 2)
					assert.Equal(t, 100*time.Millisecond+roundTrip, takes())
					advance(throttledPause / 2)
					assert.Equal(t, roundTrip, takes())
				})
			})
		}
	}
}

// The table of what keeps records from going early. A pipeline has one record that lingers.
func TestWhatKeepsRecordsFromGoingEarly(t *testing.T) {
	const linger = 100 * time.Millisecond
	throttled := func(p *pipeline) { p.early.throttled(at(0)) }
	for name, test := range map[string]struct {
		before  func(p *pipeline)
		callers callers
		at      time.Duration // when the record goes
	}{
		"nothing":                   {func(*pipeline) {}, callers{}, 0},
		"a batch that is being put": {func(*pipeline) {}, callers{filling: true}, linger},
		"blocked callers":           {throttled, callers{blocked: true, filling: true}, 0},
		"a throttle":                {throttled, callers{}, linger},
		"an outage":                 {func(p *pipeline) { p.startDown() }, callers{}, linger},
		"a first listing":           {func(p *pipeline) { p.topology.lastListing = listingNone }, callers{}, linger},
		"a request in flight":       {func(p *pipeline) { p.inFlight.requests = 1 }, callers{}, linger},
		"a pause after a failure": {func(p *pipeline) {
			p.retrier.keep(at(time.Hour), []userRecord{*lingering(at(0))})
		}, callers{}, linger},
		"an empty budget": {func(p *pipeline) { p.early.spend(earlyUnits*PutUnit, at(0)) }, callers{}, 76_822_917},
		"many requests": {func(p *pipeline) {
			for range earlyRequests {
				p.early.spend(0, at(0))
			}
		}, callers{}, 20 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			config := Config{}.WithDefaults()
			p := newPipeline(&config, testRandom(), new(memberPool))
			_ = p.setShards(at(0), newShardMap(evenShards(1), nil, at(0)))
			test.before(p)
			p.put(at(0), lingering(at(0)))
			var sent []*request
			now := at(0)
			for range 100 {
				if sent = p.step(now, test.callers); len(sent) > 0 {
					break
				}
				next, ok := p.nextWake(now)
				require.True(t, ok)
				require.True(t, next.After(now), "no turn without an end")
				now = next
			}
			require.Len(t, sent, 1)
			assert.Equal(t, test.at, now.Sub(at(0)))
		})
	}
}

// lingering is a record of 2 kB that may wait for others.
func lingering(received time.Time) *userRecord {
	r, err := newUserRecord(new(sized("", 2000)), 1<<20)
	if err != nil {
		panic(err)
	}
	r.received = received
	return &r
}

func TestTheBudgetOfEarlyCommits(t *testing.T) {
	b := newEarlyCommits()
	require.True(t, b.allows(earlyUnits*PutUnit, at(0)))
	b.spend(earlyUnits*PutUnit, at(0))
	require.False(t, b.allows(1, at(0)))
	require.True(t, b.allows(0, at(0)), "what wastes nothing costs a request alone")
	ready, ok := b.readyAt(PutUnit)
	assert.True(t, ok)
	assert.Equal(t, (time.Second+earlyUnits-1)/earlyUnits, ready.Sub(at(0)), "what a second allows, divided")
	_, ok = b.readyAt(earlyUnits*PutUnit + 1)
	assert.False(t, ok, "more than there ever is")
	b.throttled(at(0))
	assert.False(t, b.allows(1, at(throttledPause)))
	assert.True(t, b.allows(1, at(throttledPause+time.Millisecond)))
}
