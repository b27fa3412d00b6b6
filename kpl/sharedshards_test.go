// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"cmp"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// The goals of the limiter, in the order of their weight: nothing is lost, little is late, little is wasted. docs/limits.md
// shows them at length.

// Nothing expires where there is room enough. Once records are late, a producer gets as much as with a fixed rate.
func TestNothingExpiresWhereThereIsRoom(t *testing.T) {
	for name, c := range map[string]contention{
		"demand 95 %":                           {producers: 10, demand: 0.95},
		"demand 80 % in bursts":                 {producers: 5, demand: 0.8, bursts: true},
		"restart with 15 s to send":             {producers: 5, demand: 0.7, backlog: 15 * time.Second},
		"greedy neighbor, 100 %":                {producers: 5, demand: 0.3, greedy: 1},
		"greedy neighbor, 150 %":                {producers: 5, demand: 0.3, greedy: 1.5},
		"greedy neighbor, 150 %, beside one":    {producers: 1, demand: 0.3, greedy: 1.5},
		"greedy neighbor, 150 %, large records": {producers: 1, demand: 0.3, greedy: 1.5, recordSize: 500_000},
		"1 % throttled at random":               {producers: 5, demand: 0.7, random: 0.01},
		"5 % throttled at random":               {producers: 1, demand: 0.7, random: 0.05},
		"20 % throttled at random":              {producers: 5, demand: 0.7, random: 0.2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.paced(3 * time.Minute)
			assert.Zero(t, r.expired)
			assert.Greater(t, r.goodput, 0.95)
		})
	}
}

// With a storm as long as the TTL, what was put in its first moments is lost with any limiter.
func TestAStormCostsNoMoreThanWithAFixedRate(t *testing.T) {
	t.Parallel()
	c := contention{producers: 5, demand: 0.7, stormAt: 20 * time.Second}
	fixed := c
	fixed.policy = policyFixed
	assert.InDelta(t, fixed.run50(2*time.Minute).expired, c.paced(2*time.Minute).expired, 0.005)
}

// Lasting overload makes all records late. Then goodput counts, and waste does not.
func TestLateRecordsGetAsMuchAsAFixedRateGets(t *testing.T) {
	for name, c := range map[string]contention{
		"demand 120 %":                       {producers: 5, demand: 1.2},
		"greedy neighbor 50 %, demand 90 %":  {producers: 5, demand: 0.9, greedy: 0.5},
		"greedy neighbor 150 %, demand 60 %": {producers: 5, demand: 0.6, greedy: 1.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fixed := c
			fixed.policy = policyFixed
			assert.GreaterOrEqual(t, c.paced(4*time.Minute).goodput, fixed.run50(4*time.Minute).goodput-0.03)
		})
	}
}

// Producers that have more to send than they may, and wait with it, share a shard with little waste.
func TestSharedShards(t *testing.T) {
	for _, test := range []struct {
		contention
		waste, first float64 // at most
	}{
		{contention{producers: 1, recordSize: 50_000}, 0, 0},
		{contention{producers: 5, recordSize: 50_000, shards: 2}, 0.05, 0.1},
		{contention{producers: 5, recordSize: 1_000, shards: 2}, 0.05, 0.1},
		{contention{producers: 10, recordSize: 50_000}, 0.12, 1},
		{contention{producers: 10, recordSize: 1_000}, 0.05, 0.1},
	} {
		t.Run(fmt.Sprintf("%d producers of %d bytes", test.producers, test.recordSize), func(t *testing.T) {
			t.Parallel()
			c := test.contention
			c.demand, c.outstanding = saturated, time.Second
			if c.recordSize < 10_000 {
				c.length, c.settled = 90*time.Second, time.Minute
			}
			r := c.paced(5 * time.Minute)
			assert.GreaterOrEqual(t, r.goodput, 0.99)
			assert.LessOrEqual(t, r.wasted, test.waste)
			assert.LessOrEqual(t, r.firstMinute, test.first)
			assert.GreaterOrEqual(t, r.jain, 0.85)
			assert.Zero(t, r.expired)
		})
	}
}

// Where others leave, their room is used soon.
func TestRoomIsUsedSoon(t *testing.T) {
	for _, size := range []int{1_000, 50_000} {
		mean, _ := recovery(size)
		assert.LessOrEqual(t, mean, 15*time.Second, "records of %d bytes", size)
	}
}

// recovery is how long the last of ten producers takes to 95 % of a shard when the others have left, on average and at most.
func recovery(size int) (mean, most time.Duration) {
	const runs = 8
	for seed := range uint64(runs) {
		c := contention{
			producers: 10, shards: 1, recordSize: size, demand: saturated, outstanding: time.Second, policy: policyPaced,
			alone: 30 * time.Second, length: 70 * time.Second, seed: limitsSeed + seed,
		}
		c.run()
		took, ok := c.until(c.alone, 0.95)
		if !ok {
			took = c.length
		}
		mean, most = mean+took/runs, max(most, took)
	}
	return mean, most
}

// paced runs with the default policy, for the given time unless a length is set.
func (c contention) paced(length time.Duration) contentionResult {
	c.policy = policyPaced
	return c.run50(length)
}

// run50 runs with records of 50 kB on one shard, unless others are set. What it says of the start is of the start, the rest
// is of the time after half a minute.
func (c contention) run50(length time.Duration) contentionResult {
	c.recordSize, c.shards, c.seed = cmp.Or(c.recordSize, 50_000), max(c.shards, 1), limitsSeed
	if c.length == 0 {
		c.length, c.settled = length, 30*time.Second
	}
	if c.backlog > 0 {
		c.settled = 0
	}
	return c.run()
}

// Real producers share a shard of the stand-in: all that they put is delivered, and little is throttled.
func TestProducersShareAShard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kinesis := kpltest.New(kpltest.Config{Seed: 1, ShardLimits: true}, kpltest.Stream{Name: testStream, Shards: 1})
		kinesis.Inject(kpltest.Latency(roundTrip))
		const producers, length, settled = 4, 4 * time.Minute, time.Minute
		began := time.Now()
		var mu sync.Mutex
		attempts, throttled, failed := 0, 0, 0
		each := make([]int, producers)
		note := func(number int, result Result) {
			mu.Lock()
			defer mu.Unlock()
			if result.Err != nil {
				failed++
			}
			if time.Since(began) < settled {
				return
			}
			each[number]++
			attempts += len(result.Attempts)
			for _, attempt := range result.Attempts {
				if attempt.Code != "" {
					throttled++
				}
			}
		}
		var running sync.WaitGroup
		for number := range producers {
			p := startProducer(t, kinesis, func(c *Config) { c.MaxOutstandingRecords = 5 })
			running.Go(func() {
				for time.Since(began) < length {
					err := p.Put(t.Context(), sized("key", 50_000), func(result Result) { note(number, result) })
					assert.NoError(t, err)
				}
				assert.NoError(t, p.FlushWait(t.Context()))
			})
		}
		running.Wait()
		require.Zero(t, failed)
		assert.Greater(t, float64(attempts-throttled)*50_000, 0.95*(length-settled).Seconds()*shardBytesPerSecond)
		assert.Less(t, float64(throttled), 0.05*float64(attempts))
		assert.Greater(t, jain(each), 0.6) // four producers with random seeds; the model's tests hold the goal
	})
}
