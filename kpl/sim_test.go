// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

var (
	simSeeds = flag.Uint64("sim.seeds", 300, "how many random schedules each TestSimulation runs; a fifth of them with -short")
	simFirst = flag.Uint64("sim.first", 0, "the seed of the first one")
)

// simulated are the seeds to run.
func simulated() iter.Seq[uint64] {
	seeds := *simSeeds
	if testing.Short() {
		seeds /= 5
	}
	return func(yield func(uint64) bool) {
		for seed := *simFirst; seed < *simFirst+seeds; seed++ {
			if !yield(seed) {
				return
			}
		}
	}
}

// TestSimulation runs random schedules of puts, reshards and faults in virtual time. It checks what must always hold: one
// Result for each record, readers see each record with a success, and all bounds are kept. A schedule depends on its
// seed alone.
func TestSimulation(t *testing.T) {
	simulate := func(t *testing.T, seed uint64, changes bool) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { newSimulation(t, seed, changes).run() })
	}
	for _, kept := range keptSeeds {
		t.Run(fmt.Sprintf("kept=%d: %s", kept.seed, kept.found), func(t *testing.T) { simulate(t, kept.seed, kept.changes) })
	}
	for seed := range simulated() {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { simulate(t, seed, true) })
	}
}

// TestSimulationConcatenated runs the same schedules without frames. Then a reshard makes no record come twice, and no stream is
// the exception.
func TestSimulationConcatenated(t *testing.T) {
	for seed := range simulated() {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSimulation(t, seed, true)
				if s.config.AggregationFormat == AggregationKPL {
					s.config.AggregationFormat = AggregationConcatenated
				}
				s.run()
			})
		})
	}
}

// TestSimulationCompressed runs the same schedules without frames, and with compression. Some data cannot be compressed, and now
// and then something does not let large requests through. So records come out too large, and are taken apart.
func TestSimulationCompressed(t *testing.T) {
	for seed := range simulated() {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSimulation(t, seed, true)
				s.compress()
				s.run()
			})
		})
	}
}

// simulation is one random schedule.
type simulation struct {
	t        *testing.T
	random   *rand.Rand
	extra    *rand.Rand // of the changes that came later, so that older seeds still mean what they did; nil without them
	kinesis  *kpltest.Kinesis
	producer *Producer
	config   Config
	keys     int
	pause    int // the longest pause before a record in milliseconds; only some records have one
	stream   kpltest.Stream
	unlisted bool          // the shards may not be listed, now and then
	blind    bool          // neither shards nor kind of the stream can be had, now and then: it must not ignore keys
	switches bool          // the stream is switched between the two ways of choosing shards
	twice    bool          // a stream that was recreated may soon be recreated again
	raised   time.Time     // since when the stream takes larger records, and may be known to; zero if it never does
	steady   bool          // the shards stay as they are
	narrow   *narrowClient // lets no large requests through for a while; nil if it always does
	closeIn  time.Duration // of patience for Close
	rates    *rateCheck    // of what is sent

	mu        sync.Mutex
	histories []history          // of the records, by their numbers
	quiet     time.Time          // nobody puts a record before this time
	remains   []*kpltest.Remains // of the streams that were deleted
}

// history is what became of a record in the simulation.
type history struct {
	accepted bool
	size     int    // bytes of data, if it was accepted
	tooLarge bool   // for the service, even if it is compressed
	results  int    // how many Results it had
	result   Result // the last one
}

// newSimulation makes the schedule of a seed. With changes, the stream may also be switched to AUTO and back, be deleted
// twice in a row, or have its limit raised, and permissions may come and go.
func newSimulation(t *testing.T, seed uint64, changes bool) *simulation {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	chance := func(p float64) bool { return random.Float64() < p }
	s := &simulation{t: t, random: random, keys: 1 + random.IntN(200)}
	if changes {
		s.extra = rand.New(rand.NewPCG(seed, 1))
	}
	s.pause = []int{50, 50, 300, 1000}[random.IntN(4)]
	s.stream = kpltest.Stream{Name: testStream, Shards: 1 + random.IntN(8)}
	if chance(0.15) {
		s.stream.Distribution = types.RecordDistributionStrategyAuto
	}
	s.kinesis = kpltest.New(
		kpltest.Config{Seed: seed, ShardLimits: chance(0.5), MaxShardsPerPage: 1 + random.IntN(10)}, s.stream)
	s.config = Config{}.WithDefaults()
	buffered := []time.Duration{NoBuffering, 10 * time.Millisecond, 100 * time.Millisecond, time.Second}
	s.config.RecordMaxBufferedTime = buffered[random.IntN(4)]
	s.config.RecordTTL = time.Duration(2+random.IntN(30)) * time.Second
	s.config.RequestTimeout = time.Duration(1+random.IntN(5)) * time.Second
	s.config.AggregationMaxSize = 64 + random.IntN(60_000)
	s.config.AggregationMaxCount = 1 + random.IntN(2_000)
	if chance(0.1) {
		s.config.AggregationFormat = AggregationNone
	}
	s.config.CollectionMaxCount = 1 + random.IntN(MaxRecordsPerRequest)
	s.config.MaxConnections = 1 + random.IntN(24)
	s.config.MaxOutstandingRecords = 1 + random.IntN(5_000)
	s.config.MaxOutstandingBytes = 1<<20 + random.IntN(20<<20)
	s.config.FailIfThrottled = chance(0.1)
	s.config.RateLimit = []int{100, 100, 20, 50, 150}[random.IntN(5)]
	s.closeIn = time.Hour
	if chance(0.2) {
		s.closeIn = time.Duration(random.IntN(2_000)) * time.Millisecond
	}
	s.injectFaults(chance)
	s.switches = !s.blind && s.changes(0.3)
	s.twice = s.changes(0.3)
	if s.changes(0.1) {
		s.raiseRecordSize()
	}
	return s
}

func (s *simulation) run() {
	var client Client = s.kinesis
	if s.narrow != nil {
		client = s.narrow
	}
	p, err := New(client, s.config)
	require.NoError(s.t, err)
	s.producer = p
	var running sync.WaitGroup
	n, putters := 1+s.random.IntN(3_000), 1+s.random.IntN(4)
	s.histories = make([]history, n)
	_ = s.random.IntN(putters + 1) // so that a seed means what it always did
	for i := range putters {
		random := rand.New(rand.NewPCG(s.random.Uint64(), 0))
		batches := s.random.IntN(2) == 0
		running.Go(func() {
			for number := i; number < n; {
				batch := 1
				if batches {
					batch = 1 + random.IntN(50)
					s.putBatch(random, number, putters, min(batch, (n-number+putters-1)/putters))
				} else {
					s.put(random, number)
				}
				number += batch * putters
			}
		})
	}
	if s.steady = s.random.IntN(2) == 0; !s.steady {
		random, remakes := rand.New(rand.NewPCG(s.random.Uint64(), 0)), s.random.IntN(3) == 0
		running.Go(func() { s.upset(random, remakes) })
	}
	if !s.raised.IsZero() {
		running.Go(func() {
			advance(time.Until(s.raised.Add(-describeInterval)))
			_ = s.kinesis.SetMaxRecordSize(testStream, largerRecords) // there may be no stream just now
		})
	}
	if s.random.IntN(4) > 0 {
		running.Wait()
	} else { // Close in the middle of it
		advance(time.Duration(s.random.IntN(3_000)) * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.closeIn)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		require.ErrorIs(s.t, err, context.DeadlineExceeded)
	}
	running.Wait()
	s.check()
}

// put puts one record, and sometimes waits a little before.
func (s *simulation) put(random *rand.Rand, number int) {
	if random.IntN(20) == 0 {
		advance(time.Duration(random.IntN(s.pause)) * time.Millisecond)
	}
	s.keepQuiet()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	record := s.record(random, number)
	s.accepted(ctx, number, record, s.producer.Put(ctx, record, func(result Result) { s.ended(number, result) }))
}

// putBatch puts some records as one of the callers. It waits for their Results for a longer or shorter time.
func (s *simulation) putBatch(random *rand.Rand, first, step, n int) {
	s.keepQuiet()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(60_000))*time.Millisecond)
	defer cancel()
	batch := s.producer.NewBatch()
	errs := make([]error, n)
	for i := range errs {
		number := first + i*step
		record := s.record(random, number)
		errs[i] = batch.Put(ctx, record)
		s.accepted(ctx, number, record, errs[i])
	}
	results := batch.Wait(ctx)
	if !assert.Len(s.t, results, n) {
		return
	}
	for i, err := range errs {
		if err == nil {
			s.ended(first+i*step, results[i])
		} else {
			assert.Equal(s.t, err, results[i].Err)
		}
	}
}

// record is a random record that tells its number.
func (s *simulation) record(random *rand.Rand, number int) UserRecord {
	size := random.IntN(300)
	if random.IntN(50) == 0 {
		size = random.IntN(200_000)
	}
	if !s.raised.IsZero() && time.Now().After(s.raised) && random.IntN(100) == 0 {
		size = 1<<20 + random.IntN(200_000)
	}
	digits := strconv.Itoa(number)
	data := make([]byte, len(digits)+size)
	copy(data, digits)
	record := UserRecord{Stream: testStream, Data: data}
	if s.config.Compress != nil {
		addNoise(data[len(digits):], number)
	}
	if s.config.AggregationFormat == AggregationConcatenated {
		record.Kind, record.Data = simKind(number, data)
	}
	if random.IntN(3) > 0 {
		record.PartitionKey = "key" + strconv.Itoa(random.IntN(s.keys))
		if random.IntN(10) == 0 {
			record.ExplicitHashKey = hashOf(strconv.Itoa(random.IntN(s.keys))).String()
		}
	}
	return record
}

// accepted notes whether a record was accepted.
func (s *simulation) accepted(ctx context.Context, number int, record UserRecord, err error) {
	if err != nil {
		if ctx.Err() == nil {
			assert.ErrorIs(s.t, err, ErrClosed)
		}
		return
	}
	stats := s.producer.Stats()
	if stats.OutstandingRecords > s.config.MaxOutstandingRecords || stats.OutstandingBytes > s.config.MaxOutstandingBytes {
		s.t.Errorf("too much is outstanding: %+v", stats)
	}
	tooLarge := s.tooLarge(record.Data)
	s.mu.Lock()
	defer s.mu.Unlock()
	history := &s.histories[number]
	history.accepted, history.size, history.tooLarge = true, len(record.Data), tooLarge
}

// ended notes a Result.
func (s *simulation) ended(number int, result Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.histories[number].results++
	s.histories[number].result = result
}
