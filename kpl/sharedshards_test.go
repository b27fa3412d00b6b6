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

// The goals that docs/limits.md shows at length, held in short.
func TestSharedShards(t *testing.T) {
	for _, test := range []contention{
		{producers: 1, recordSize: 50_000},
		{producers: 10, recordSize: 50_000},
		{producers: 50, recordSize: 50_000},
		{producers: 10, recordSize: 50_000, foreign: 0.5},
		{producers: 10, recordSize: 1_000},
	} {
		t.Run(fmt.Sprintf("%d producers of %d bytes, others %g", test.producers, test.recordSize, test.foreign), func(t *testing.T) {
			t.Parallel()
			c := test
			c.shards, c.learns, c.length, c.settled = 1, true, 14*time.Minute, 7*time.Minute
			if c.recordSize < 10_000 {
				c.length, c.settled = 6*time.Minute, 4*time.Minute
			}
			c.run()
			r := c.measure()
			assert.GreaterOrEqual(t, r.goodput, 0.95)
			assert.LessOrEqual(t, r.wasted, 0.02)
			assert.GreaterOrEqual(t, r.jain, 0.95)
		})
	}
}

// Throttling that does not depend on the rate must not stop a producer. Writers who never lower their rate must not either.
func TestSharedShardsWhereALowerRateDoesNotHelp(t *testing.T) {
	for name, test := range map[string]struct {
		contention
		least float64
	}{
		"1 % at random":  {contention{random: 0.01}, 0.5},
		"5 % at random":  {contention{random: 0.05}, 0.6},
		"20 % at random": {contention{random: 0.2}, 0.5},
		"greedy writers": {contention{greedy: 0.5}, 0.4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := test.contention
			c.producers, c.shards, c.recordSize, c.learns, c.length, c.settled = 1, 4, 50_000, true, 40*time.Minute, 20*time.Minute
			c.run()
			assert.GreaterOrEqual(t, c.measure().goodput, test.least)
		})
	}
}

// Real producers share a shard of the stand-in. All that they put is delivered, and little is throttled once they know
// their share.
func TestProducersShareAShard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kinesis := kpltest.New(kpltest.Config{Seed: 1, ShardLimits: true}, kpltest.Stream{Name: testStream, Shards: 1})
		kinesis.Inject(kpltest.Latency(roundTrip))
		const producers, length, settled = 4, 12 * time.Minute, 4 * time.Minute
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
			p := startProducer(t, kinesis, func(c *Config) { c.RecordTTL, c.MaxOutstandingRecords = time.Hour, 20 })
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
		assert.Less(t, float64(throttled), 0.02*float64(attempts))
		assert.Greater(t, jain(each), 0.8)
	})
}
