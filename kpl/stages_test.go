// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testRandom is the same in every run.
//
//go:fix inline
func testRandom() *rand.Rand {
	random := rand.NewPCG(1, 2)
	return rand.New(random)
}

// at is a moment of the tests that pass their own now.
func at(d time.Duration) time.Time { return time.Unix(1_000_000, 0).Add(d) }

// waitingRecord is a Kinesis record that came at the given time.
func waitingRecord(lane *lane, size int, received time.Duration) *kinesisRecord {
	r := userRecord{data: make([]byte, size), received: at(received)}
	return &kinesisRecord{members: []userRecord{r}, received: r.received, deadline: r.received, lane: lane}
}

func TestMeter(t *testing.T) {
	m := meter{perSecond: 1000}
	for range 1000 {
		require.False(t, m.readyAt(1).After(at(0)), "it starts full")
		m.take(1, at(0))
	}
	assert.Equal(t, at(time.Millisecond), m.readyAt(1))
	assert.Equal(t, at(10*time.Millisecond), m.readyAt(10))
	assert.Equal(t, at(time.Second), m.readyAt(1000))
	assert.Equal(t, at(time.Second), m.readyAt(5000), "more than it holds has to wait until it is full")
	m.take(5000, at(time.Second))
	assert.Equal(t, at(5*time.Second+time.Millisecond), m.readyAt(1), "and leaves it in debt")
	m.take(1, at(time.Minute))
	assert.Equal(t, at(time.Minute+2*time.Millisecond-time.Second), m.readyAt(1), "it never holds more than a second's worth")
}

// releaseAndSend releases what may be sent and sends it at once.
func releaseAndSend(l *limiter, now time.Time) []*kinesisRecord {
	ready, _ := l.release(now)
	for _, k := range ready {
		k.lane.unrelease(k)
		k.lane.send(k, now)
	}
	return ready
}

func TestLimiterReleasesTheOldestFirst(t *testing.T) {
	config := Config{}.WithDefaults()
	l := newLimiter(&config, testRandom())
	lane, other := l.lane("a"), l.lane("b")
	lane.bytes.take(1<<20, at(0)) // empty
	first, second := waitingRecord(lane, 100_000, 10), waitingRecord(lane, 10, 20)
	retried := waitingRecord(lane, 50_000, 5)
	elsewhere := waitingRecord(other, 100_000, 30)
	for _, k := range []*kinesisRecord{first, second, retried, elsewhere} {
		l.push(k)
	}
	ready, expired := l.release(at(30))
	assert.Empty(t, expired)
	assert.Equal(t, []*kinesisRecord{elsewhere}, ready, "a lane without room holds up no other")
	next, ok := l.nextWake()
	require.True(t, ok)
	readyAt, _ := lane.readyAt(retried)
	assert.Equal(t, readyAt, next)

	assert.Empty(t, releaseAndSend(l, next.Add(-1)))
	assert.Equal(t, []*kinesisRecord{retried}, releaseAndSend(l, next))
	lane.late = 0 // what goes late leaves room for the next
	next, _ = l.nextWake()
	assert.Equal(t, []*kinesisRecord{first}, releaseAndSend(l, next), "the small one waits behind the large one")
	next, _ = l.nextWake()
	assert.Equal(t, []*kinesisRecord{second}, releaseAndSend(l, next))
	_, ok = l.nextWake()
	assert.False(t, ok)
	assert.Zero(t, lane.waitingBytes)
}

// A released record takes from the buckets of its lane when it is sent, not before. Until then the buckets fill up, but never
// above what they hold.
func TestLimiterReleasesNoMoreThanTheShardTakesAtOnce(t *testing.T) {
	config := Config{}.WithDefaults()
	l := newLimiter(&config, testRandom())
	lane := l.lane("a")
	for range 25 {
		l.push(waitingRecord(lane, 50_000, 0))
	}
	released, _ := l.release(at(0))
	assert.Len(t, released, 20, "1 MiB")
	stalled := at(10 * time.Second)
	ready, _ := l.release(stalled)
	assert.Empty(t, ready, "what was released before is still to be sent")
	next, _ := l.nextWake()
	assert.Equal(t, at(config.RecordTTL), next, "no time helps")
	for _, k := range released {
		lane.unrelease(k)
		lane.send(k, stalled)
	}
	lane.late = 0
	next, _ = l.nextWake()
	assert.Equal(t, stalled.Add(21*lane.bytes.cost(50_000)-time.Second), next)
}

func TestLimiterExpires(t *testing.T) {
	config := Config{}.WithDefaults()
	l := newLimiter(&config, testRandom())
	lane := l.lane("a")
	lane.bytes.take(1<<30, at(0)) // the bucket has a debt for a quarter of an hour
	old, young := waitingRecord(lane, 10, 0), waitingRecord(lane, 10, time.Second)
	l.push(old)
	l.push(young)
	next, _ := l.nextWake()
	assert.Equal(t, at(config.RecordTTL), next)
	ready, expired := l.release(next)
	assert.Empty(t, ready)
	assert.Equal(t, []*kinesisRecord{old}, expired)
}

func TestLimiterKeepsToTheShardLimits(t *testing.T) {
	for _, size := range []int{10, 900, 1_100, 50_000, 900_000} {
		for _, percent := range []int{50, 100} {
			t.Run(fmt.Sprint(size, percent), func(t *testing.T) {
				config := Config{}.WithDefaults()
				config.RateLimit, config.RecordTTL = percent, time.Hour
				l := newLimiter(&config, testRandom())
				lane := l.lane("a")
				for range 100_000_000 / (size + 2_000) {
					l.push(waitingRecord(lane, size, 0))
				}
				records, now := 0, at(0)
				for now.Before(at(20 * time.Second)) {
					records += len(releaseAndSend(l, now))
					next, ok := l.nextWake()
					require.True(t, ok)
					require.True(t, next.After(now))
					now = next
				}
				perSecond := min(1000, float64(1<<20)/float64(size)) * float64(percent) / 100
				assert.InEpsilon(t, 21*perSecond, records, 0.1, "20 seconds and the first burst")
			})
		}
	}
}

func TestCollectorFlushes(t *testing.T) {
	config := Config{}.WithDefaults()
	l := newLimiter(&config, testRandom())
	add := func(c *collector, n, size, shards int) {
		for i := range n {
			k := waitingRecord(l.lane(ShardID(strconv.Itoa(i%shards))), size, 0)
			k.deadline = at(time.Second)
			k.lane.release(k)
			c.add(k)
		}
	}
	cases := map[string]struct {
		records, size, shards int
		now                   time.Duration
		due                   bool
		reason                FlushReason
		taken                 int
	}{
		"too early":    {499, 100, 4, 0, false, FlushDeadline, 499},
		"deadline":     {1, 100, 1, time.Second, true, FlushDeadline, 1},
		"count":        {501, 100, 4, 0, true, FlushCount, 500},
		"size":         {60, 100_000, 64, 0, true, FlushSize, 52},
		"one shard":    {3, 100_000, 1, 0, true, FlushShard, 3},
		"four shards":  {4, 100_000, 4, 0, false, FlushDeadline, 4},
		"shard filled": {9, 100_000, 4, 0, true, FlushShard, 9},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			collector := collector{config: &config}
			add(&collector, c.records, c.size, c.shards)
			reason, due := collector.due(at(c.now))
			assert.Equal(t, c.due, due)
			assert.Equal(t, c.reason, reason)
			assert.Len(t, collector.take(false).records, c.taken)
			assert.Len(t, collector.pending, c.records-c.taken)
			collector.takeAll()
			for _, lane := range l.lanes {
				assert.Zero(t, lane.released)
				assert.Zero(t, lane.releasedBytes)
			}
		})
	}
}

func TestShardMap(t *testing.T) {
	high := func(n uint64) hashKey { return hashKey{high: n} }
	m := newShardMap([]shard{
		{"upper", hashRange{high(200), maxHashKey}},
		{"lower", hashRange{minHashKey, hashKey{99, ^uint64(0)}}},
	}, nil, at(0))
	cases := map[string]struct {
		hash hashKey
		want ShardID
	}{
		"first": {minHashKey, "lower"}, "end of lower": {hashKey{99, ^uint64(0)}, "lower"}, "gap": {high(100), ""},
		"start of upper": {high(200), "upper"}, "last": {maxHashKey, "upper"},
	}
	for name, c := range cases {
		i, ok := m.predict(c.hash)
		require.Equal(t, c.want != "", ok, name)
		if ok {
			assert.Equal(t, c.want, m.open[i].id, name)
		}
	}
	next := newShardMap([]shard{{"all", hashRange{minHashKey, maxHashKey}}}, m, at(time.Second))
	keys, ok := next.rangeOf("upper")
	assert.True(t, ok, "requests in flight may still be answered by it")
	assert.Equal(t, high(200), keys.first)
	_, ok = newShardMap(next.open, next, at(2*time.Second)).rangeOf("upper")
	assert.False(t, ok)

	var none *shardMap
	_, ok = none.predict(high(1))
	assert.False(t, ok)
	_, ok = none.rangeOf("upper")
	assert.False(t, ok)
	assert.False(t, none.known())
}

// After many splits and merges, predict finds the same shard as a search through all shards.
func TestPredictFindsTheShardThatServesAKey(t *testing.T) {
	random := testRandom()
	for range 50 {
		var open []shard
		first := minHashKey
		for first != maxHashKey {
			last := hashKey{random.Uint64() >> random.IntN(64), random.Uint64()}
			if last.less(first) || len(open) > 300 {
				last = maxHashKey
			}
			if random.IntN(10) > 0 { // else there is a gap
				open = append(open, shard{ShardID(fmt.Sprint(len(open))), hashRange{first, last}})
			}
			if first = last; last != maxHashKey {
				first.low++
				if first.low == 0 {
					first.high++
				}
			}
		}
		m := newShardMap(open, nil, at(0))
		probe := func(h hashKey) {
			t.Helper()
			i, ok := m.predict(h)
			want := slices.IndexFunc(m.open, func(s shard) bool { return s.keys.contains(h) })
			require.Equal(t, want >= 0, ok, h)
			if ok {
				require.Equal(t, m.open[want].id, m.open[i].id, h)
			}
		}
		for _, s := range open {
			probe(s.keys.first)
			probe(s.keys.last)
		}
		for range 200 {
			probe(hashKey{random.Uint64() >> random.IntN(64), random.Uint64()})
		}
	}
}

func TestKeylessRecordsGoWhereThereIsRoom(t *testing.T) {
	config := Config{}.WithDefaults()
	p := newPipeline(&config, testRandom(), new(memberPool))
	half := hashKey{high: 1 << 63}
	_ = p.setShards(at(0), newShardMap([]shard{
		{"busy", hashRange{minHashKey, hashKey{high: 1<<63 - 1, low: ^uint64(0)}}},
		{"free", hashRange{half, maxHashKey}},
	}, nil, at(0)))
	p.limiter.lane("busy").bytes.take(1<<30, at(0))
	chosen := map[ShardID]int{}
	for range 1000 {
		k := waitingRecord(nil, 10, 0)
		k.keyless = true
		require.True(t, p.router.route(k, at(0)))
		require.Len(t, k.partitionKey, KeylessKeySize)
		require.Equal(t, hashOf(k.partitionKey), k.hash)
		chosen[k.lane.id]++
	}
	assert.Greater(t, chosen["free"], 900, "one in sixteen draws finds four keys of the busy shard")
}

func TestBackoff(t *testing.T) {
	for failures, want := range map[uint8]time.Duration{
		1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 3: 400 * time.Millisecond, 6: 3200 * time.Millisecond,
		7: 3200 * time.Millisecond, 255: 3200 * time.Millisecond,
	} {
		assert.Equal(t, want, backoff(failures), failures)
	}
}

func TestTheZeroConfigIsTheDefault(t *testing.T) {
	require.NoError(t, Config{}.Validate())
	defaults := Config{}.WithDefaults()
	require.NoError(t, defaults.Validate())
	assert.Equal(t, defaults, defaults.WithDefaults())
	value := reflect.ValueOf(defaults)
	for field, v := range value.Fields() {
		optional := field.Type.Kind() == reflect.Bool || field.Name == "Observer" || field.Name == "Compress"
		assert.Equal(t, optional, v.IsZero(), field.Name)
	}
	one := Config{MaxConnections: 7}.WithDefaults()
	one.MaxConnections = defaults.MaxConnections
	assert.Equal(t, defaults, one, "each field is on its own")
}

// A default changes if a field that is set would make it invalid.
func TestDefaultsFitTheFieldsThatAreSet(t *testing.T) {
	for _, size := range []int{1 << 10, 1 << 20, MaxServiceRecordSize} {
		require.NoError(t, Config{MaxRecordSize: size}.Validate(), size)
	}
}

// A throttled record pauses for 50 to 100 ms however often that happens; other failures double the pause.
func TestRetrierPauses(t *testing.T) {
	retrier := retrier{ttl: time.Hour, random: testRandom()}
	members := []userRecord{{received: at(0)}}
	pause := func(add func(time.Time, []userRecord)) time.Duration {
		add(at(0), members)
		next, ok := retrier.next()
		require.True(t, ok)
		members, ok = retrier.take(next)
		require.True(t, ok)
		return next.Sub(at(0))
	}
	for range 1_000 {
		took := pause(retrier.addThrottled)
		require.GreaterOrEqual(t, took, 50*time.Millisecond)
		require.Less(t, took, 100*time.Millisecond)
	}
	for failures := range 300 {
		most := min(100*time.Millisecond<<min(failures, 10), 3200*time.Millisecond)
		took := pause(retrier.addFailed)
		require.GreaterOrEqual(t, took, most/2)
		require.Less(t, took, most)
		require.Less(t, pause(retrier.addThrottled), 100*time.Millisecond)
	}
	retrier.ttl = 60 * time.Millisecond
	assert.Equal(t, 60*time.Millisecond, pause(retrier.addFailed), "a record that expires ends then")
}

func TestAttemptsAreShared(t *testing.T) {
	members := make([]userRecord, 3)
	for i := range 3 {
		addAttempt(members, Attempt{Code: strconv.Itoa(i)})
	}
	assert.Same(t, members[0].attempts, members[2].attempts)
	addAttempt(members[1:2], Attempt{Code: "alone"})
	addAttempt(members, Attempt{Code: "last"})
	codes := func(r *userRecord) (codes []string) {
		for _, attempt := range r.trips() {
			codes = append(codes, attempt.Code)
		}
		return codes
	}
	assert.Equal(t, []string{"0", "1", "2", "last"}, codes(&members[0]))
	assert.Equal(t, []string{"0", "1", "2", "alone", "last"}, codes(&members[1]))
	assert.Equal(t, []string{"0", "1", "2", "last"}, codes(&members[2]))
	assert.Empty(t, (&userRecord{}).trips())
}

func TestConfigValidate(t *testing.T) {
	for field, tt := range map[string]struct {
		config Config
		want   string
	}{
		"MaxRecordSize": {Config{MaxRecordSize: 11 << 20}, "must be from 1024 to 10485760, found 11534336"},
		"AggregationFormat": {
			Config{AggregationFormat: "KPL"}, `must be kpl, concatenated or none, found "KPL"`,
		},
		"AggregationMaxCount":   {Config{AggregationMaxCount: -1}, "must be at least 1, found -1"},
		"AggregationMaxSize":    {Config{AggregationMaxSize: 1<<20 + 1}, "must be from 64 to 1048576 (MaxRecordSize), found 1048577"},
		"CollectionMaxCount":    {Config{CollectionMaxCount: 501}, "must be from 1 to 500, found 501"},
		"CollectionMaxSize":     {Config{CollectionMaxSize: 9}, "must be from 1048576 to 10485760 (MaxRecordSize), found 9"},
		"MaxConnections":        {Config{MaxConnections: -1}, "must be from 1 to 10000, found -1"},
		"RateLimit":             {Config{RateLimit: -1}, "must be from 1 to 1000000, found -1"},
		"MaxOutstandingRecords": {Config{MaxOutstandingRecords: -1}, "must be at least 1, found -1"},
		"MaxOutstandingBytes":   {Config{MaxOutstandingBytes: 1}, "must be at least 1048576 (MaxRecordSize), found 1"},
		"RecordTTL": {
			Config{RecordTTL: 50 * time.Millisecond}, "must be more than 100ms (RecordMaxBufferedTime), found 50ms",
		},
		"RequestTimeout": {Config{RequestTimeout: -1}, "must be positive, found -1ns"},
		"WireProtocol":   {Config{WireProtocol: "http2"}, `must be auto, json or sdk, found "http2"`},
	} {
		t.Run(field, func(t *testing.T) {
			_, err := New(newTestKinesis(1), tt.config)
			require.EqualError(t, err, "kpl: "+field+" "+tt.want)
			var one *FieldError
			require.ErrorAs(t, err, &one)
			assert.Equal(t, field, one.Field)
			assert.Equal(t, reflect.ValueOf(tt.config).FieldByName(field).Interface(), one.Value)
			assert.NotContains(t, one.Reason, "Max")
		})
	}
}

func TestValidateFindsAllFaults(t *testing.T) {
	err := Config{RecordTTL: -1, RecordMaxBufferedTime: NoBuffering, RateLimit: -5}.Validate()
	var fields FieldErrors
	require.ErrorAs(t, err, &fields)
	assert.Equal(t, FieldErrors{
		{Field: "RecordTTL", Value: time.Duration(-1), Reason: "must be positive"},
		{Field: "RateLimit", Value: -5, Reason: "must be from 1 to 1000000"},
	}, fields)
	require.ErrorIs(t, err, fields[1])
	require.EqualError(t, err, "kpl: RecordTTL must be positive, found -1ns\n"+
		"kpl: RateLimit must be from 1 to 1000000, found -5")
}
