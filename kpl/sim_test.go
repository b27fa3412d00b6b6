package kpl

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
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
	simSeeds = flag.Uint64("sim.seeds", 300, "how many random schedules TestSimulation runs")
	simFirst = flag.Uint64("sim.first", 0, "the seed of the first one")
)

// TestSimulation runs random schedules of puts, reshards and faults in virtual time and checks what must hold whatever
// happens: one Result for each record, and no success that readers do not see. A schedule depends on its seed alone.
func TestSimulation(t *testing.T) {
	for seed := *simFirst; seed < *simFirst+*simSeeds; seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { newSimulation(t, seed).run() })
		})
	}
}

// simulation is one random schedule.
type simulation struct {
	t         *testing.T
	random    *rand.Rand
	kinesis   *kpltest.Kinesis
	producer  *Producer
	config    Config
	keys      int
	automatic bool          // the stream chooses shards itself
	closeIn   time.Duration // of patience for Close

	mu      sync.Mutex
	results map[int][]Result
	bytes   map[int]int // sizes of the records that were accepted
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	chance := func(p float64) bool { return random.Float64() < p }
	s := &simulation{t: t, random: random, results: map[int][]Result{}, bytes: map[int]int{}, keys: 1 + random.IntN(200)}
	stream := kpltest.Stream{Name: testStream, Shards: 1 + random.IntN(8)}
	if s.automatic = chance(0.15); s.automatic {
		stream.Distribution = types.RecordDistributionStrategyAuto
	}
	s.kinesis = kpltest.New(
		kpltest.Config{Seed: seed, ShardLimits: chance(0.5), MaxShardsPerPage: 1 + random.IntN(10)}, stream)
	s.config = NewDefaultConfig()
	s.config.RecordMaxBufferedTime = []time.Duration{0, 10 * time.Millisecond, 100 * time.Millisecond, time.Second}[random.IntN(4)]
	s.config.RecordTTL = time.Duration(2+random.IntN(30)) * time.Second
	s.config.RequestTimeout = time.Duration(1+random.IntN(5)) * time.Second
	s.config.AggregationMaxSize = 64 + random.IntN(60_000)
	s.config.AggregationMaxCount = 1 + random.IntN(2_000)
	s.config.AggregationEnabled = !chance(0.1)
	s.config.CollectionMaxCount = 1 + random.IntN(MaxRecordsPerRequest)
	s.config.MaxConnections = 1 + random.IntN(24)
	s.config.MaxOutstandingRecords = 1 + random.IntN(5_000)
	s.config.MaxOutstandingBytes = 1<<20 + random.IntN(20<<20)
	s.config.FailIfThrottled = chance(0.1)
	s.closeIn = time.Hour
	if chance(0.2) {
		s.closeIn = time.Duration(random.IntN(2_000)) * time.Millisecond
	}
	s.injectFaults(chance)
	return s
}

// injectFaults lets some of the things go wrong that can.
func (s *simulation) injectFaults(chance func(float64) bool) {
	puts := func(f kpltest.Fault) { s.kinesis.Inject(kpltest.ForOperation(kpltest.OpPutRecords, f)) }
	spread := time.Duration(1 + s.random.IntN(100))
	s.kinesis.Inject(func(c *kpltest.Call) kpltest.Action {
		return kpltest.Action{Delay: time.Millisecond * time.Duration(1+c.Rand.Int64N(int64(spread)))}
	})
	for _, code := range []string{kpltest.CodeThrottled, kpltest.CodeInternalFailure} {
		if chance(0.5) {
			puts(kpltest.FailRecordFraction(code, s.random.Float64()*0.4))
		}
	}
	calls := []kpltest.Fault{
		kpltest.FailCall(kpltest.CodeInternalFailure), kpltest.FailCall(kpltest.CodeServiceUnavailable),
		kpltest.FailCall(kpltest.CodeThrottling), kpltest.FailCall(kpltest.CodeExpiredToken),
		kpltest.Break(kpltest.ConnectionReset), kpltest.Break(kpltest.ConnectionHangs),
		kpltest.Break(kpltest.ConnectionCut), kpltest.Break(kpltest.ConnectionHangsStored),
	}
	for _, f := range calls {
		if chance(0.2) {
			puts(kpltest.Fraction(s.random.Float64()*0.2, f))
		}
	}
	undescribed := chance(0.3)
	if undescribed {
		s.kinesis.Inject(kpltest.ForOperation(kpltest.OpDescribeStreamSummary, kpltest.FailCall(kpltest.CodeAccessDenied)))
	}
	if chance(0.2) && (!undescribed || !s.automatic) { // by one of them such a stream can be known
		s.kinesis.Inject(kpltest.ForOperation(kpltest.OpListShards,
			kpltest.Fraction(s.random.Float64(), kpltest.FailCall(kpltest.CodeAccessDenied))))
	}
}

func (s *simulation) run() {
	p, err := New(s.kinesis, s.config)
	require.NoError(s.t, err)
	s.producer = p
	var running sync.WaitGroup
	n, putters := 1+s.random.IntN(3_000), 1+s.random.IntN(4)
	callers := p.Callers(s.random.IntN(putters + 1))
	for i := range putters {
		random := rand.New(rand.NewPCG(s.random.Uint64(), 0))
		batches := s.random.IntN(2) == 0
		running.Go(func() {
			for number := i; number < n; {
				batch := 1
				if batches {
					batch = 1 + random.IntN(50)
					s.putBatch(random, callers, number, putters, min(batch, (n-number+putters-1)/putters))
				} else {
					s.put(random, number)
				}
				number += batch * putters
			}
		})
	}
	if s.random.IntN(2) == 0 {
		random := rand.New(rand.NewPCG(s.random.Uint64(), 0))
		running.Go(func() { s.reshard(random) })
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
		advance(time.Duration(random.IntN(50)) * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	record := s.record(random, number)
	s.accepted(ctx, number, record, s.producer.Put(ctx, record, func(result Result) { s.ended(number, result) }))
}

// putBatch puts some records as one of the callers and waits for their Results, with more or less patience.
func (s *simulation) putBatch(random *rand.Rand, callers *Callers, first, step, n int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(60_000))*time.Millisecond)
	defer cancel()
	batch := callers.Begin()
	var numbers []int
	for i := range n {
		number := first + i*step
		record := s.record(random, number)
		if s.accepted(ctx, number, record, batch.Put(ctx, record)) {
			numbers = append(numbers, number)
		}
	}
	results := batch.Wait(ctx)
	if assert.Len(s.t, results, len(numbers)) {
		for i, number := range numbers {
			s.ended(number, results[i])
		}
	}
}

// record is a random record that tells its number.
func (s *simulation) record(random *rand.Rand, number int) UserRecord {
	size := random.IntN(300)
	if random.IntN(50) == 0 {
		size = random.IntN(200_000)
	}
	data := append(strconv.AppendInt(nil, int64(number), 10), make([]byte, size)...)
	record := UserRecord{Stream: testStream, Data: data}
	if random.IntN(3) > 0 {
		record.PartitionKey = fmt.Sprint("key", random.IntN(s.keys))
		if random.IntN(10) == 0 {
			record.ExplicitHashKey = hashOf(strconv.Itoa(random.IntN(s.keys))).String()
		}
	}
	return record
}

// accepted notes whether a record was accepted.
func (s *simulation) accepted(ctx context.Context, number int, record UserRecord, err error) bool {
	if err != nil {
		if ctx.Err() == nil {
			assert.ErrorIs(s.t, err, ErrClosed)
		}
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes[number] = len(record.Data)
	return true
}

// ended notes a Result.
func (s *simulation) ended(number int, result Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results[number] = append(s.results[number], result)
}

// reshard splits and merges shards for a while.
func (s *simulation) reshard(random *rand.Rand) {
	for range 1 + random.IntN(6) {
		advance(time.Duration(random.IntN(2_000)) * time.Millisecond)
		open := s.kinesis.OpenShards(testStream)
		i := random.IntN(len(open))
		if random.IntN(2) == 0 || len(open) == 1 {
			_, _, err := s.kinesis.SplitShard(testStream, open[i].ID, "")
			assert.NoError(s.t, err)
		} else {
			i = min(i, len(open)-2)
			_, err := s.kinesis.MergeShards(testStream, open[i].ID, open[i+1].ID)
			assert.NoError(s.t, err)
		}
	}
}

// check looks at what must hold when all is over.
func (s *simulation) check() {
	t := s.t
	type place struct{ shard, sequence string }
	seen, places := map[int]int{}, map[int]map[place]bool{}
	for _, r := range s.kinesis.UserRecords(testStream) {
		digits := slices.IndexFunc(r.Data, func(b byte) bool { return b == 0 })
		if digits < 0 {
			digits = len(r.Data)
		}
		number, err := strconv.Atoi(string(r.Data[:digits]))
		require.NoError(t, err)
		require.Len(t, r.Data, s.bytes[number], "record %d is whole", number)
		seen[number]++
		if places[number] == nil {
			places[number] = map[place]bool{}
		}
		places[number][place{r.ShardID, r.SequenceNumber}] = true
	}
	require.Len(t, s.results, len(s.bytes), "every record that was accepted has a Result, and no other")
	for _, number := range slices.Sorted(maps.Keys(s.results)) {
		require.Len(t, s.results[number], 1, "record %d has exactly one Result", number)
		result := s.results[number][0]
		if result.Err == nil {
			require.Positive(t, seen[number], "record %d: a success that no reader sees: %+v", number, result)
			require.True(t, places[number][place{string(result.ShardID), result.SequenceNumber}],
				"record %d is not where its Result says: %+v", number, result)
		}
		require.LessOrEqual(t, seen[number], copies(result), "record %d is stored too often: %+v", number, result)
	}
	require.Zero(t, s.producer.Stats().OutstandingRecords)
	require.Zero(t, s.producer.Stats().OutstandingBytes)
	for _, call := range s.kinesis.Calls(kpltest.OpPutRecords) {
		require.LessOrEqual(t, call.Records, s.config.CollectionMaxCount)
		require.LessOrEqual(t, call.Bytes, s.config.CollectionMaxSize)
	}
	require.LessOrEqual(t, s.kinesis.MaxConcurrentCalls(kpltest.OpPutRecords), s.config.MaxConnections)
}

// copies is how many copies of a record there may be: one if it is known to be stored, and one for each attempt of
// which nobody can know, because the answer was lost or the shard was gone.
func copies(result Result) int {
	n := 0
	for _, attempt := range result.Attempts {
		switch attempt.Code {
		case "", CodeConnection, CodeTimeout, CodeCanceled, CodeWrongShard:
			n++
		}
	}
	return n
}
