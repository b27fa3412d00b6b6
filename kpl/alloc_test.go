// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package kpl

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The allocation budgets of the hot paths. The race detector allocates too, so these tests run without it.

func TestPutToResultAllocatesForRequestsOnly(t *testing.T) {
	observer := Observer{
		RecordFinished: func(RecordEvent) {}, RequestFinished: func(RequestEvent) {}, Flushed: func(FlushEvent) {},
	}
	for name, config := range map[string]Config{
		"without an Observer": {},
		"with an Observer":    {Observer: observer},
		"concatenated":        {AggregationFormat: AggregationConcatenated},
		"compressed":          {AggregationFormat: AggregationConcatenated, Compress: compressRuns},
	} {
		t.Run(name, func(t *testing.T) {
			config.RateLimit = 1_000_000 // the sink has no limits
			wholeWay(t, config)
		})
	}
}

func wholeWay(t *testing.T, config Config) {
	config.MaxOutstandingRecords = 1 << 30
	p, err := New(newSink(16), config)
	require.NoError(t, err)
	ctx := context.Background()
	record := sized("partition-key", 200)
	holdBack(p) // how many requests go early depends on the clock
	require.NoError(t, p.Put(ctx, record, nil))
	require.NoError(t, p.FlushWait(ctx))
	// The goroutines of the producer count too: this is all that a record costs, from Put to its Result.
	perRecord := testing.AllocsPerRun(20, func() {
		for range 1000 {
			if err := p.Put(ctx, record, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.FlushWait(ctx); err != nil {
			t.Fatal(err)
		}
	}) / 1000
	assert.LessOrEqual(t, perRecord, 0.07)
	require.NoError(t, p.Close(ctx))
}

func TestPipelineAllocatesForKinesisRecordsOnly(t *testing.T) {
	config := benchmarkConfig()
	p := newPipeline(&config, testRandom(), new(memberPool))
	p.setStream(at(0), description{asked: at(0), outcome: describeDone, kind: streamKind{described: true}})
	_ = p.setShards(at(0), newShardMap(evenShards(1), nil, at(0)))
	records := make([]userRecord, 1000)
	for i := range records {
		r, err := newUserRecord(new(sized("partition-key", 200)), config.MaxRecordSize)
		require.NoError(t, err)
		records[i] = r
	}
	hashKeys(records)
	now := at(0)
	perRecord := testing.AllocsPerRun(20, func() {
		now = now.Add(time.Second)
		for i := range records {
			records[i].received = now
			p.put(now, &records[i])
		}
		for _, request := range p.step(now.Add(config.linger()), callers{}) {
			request.start, request.end = now, now
			request.entries = make([]entryResult, len(request.records))
			for i := range request.entries {
				request.entries[i] = entryResult{shard: p.topology.predicting().open[0].id, sequenceNumber: "1"}
			}
			p.complete(now, request)
		}
		for _, e := range p.effects.ended { // the delivery's part
			p.aggregator.members.put(e.members)
		}
		p.effects.ended, p.effects.flushed = p.effects.ended[:0], p.effects.flushed[:0]
	}) / 1000
	assert.LessOrEqual(t, perRecord, 0.04)
	assert.Zero(t, p.epochs.outstanding, "what was measured is the whole way")
}

// The first round allocates the memory that later rounds use again.
func TestTheAggregatorAllocatesForKinesisRecordsOnly(t *testing.T) {
	for _, format := range []AggregationFormat{AggregationKPL, AggregationConcatenated} {
		t.Run(string(format), func(t *testing.T) { aggregatorAllocates(t, format) })
	}
}

func aggregatorAllocates(t *testing.T, format AggregationFormat) {
	config := benchmarkConfig()
	config.AggregationFormat = format
	a := newAggregator(&config, new(memberPool))
	a.setShards(newShardMap(evenShards(4), nil, at(0)), false)
	records := make([]userRecord, 1000)
	for i := range records {
		in := sized(fmt.Sprintf("partition-key-%d", i), 200)
		if i%4 == 0 {
			in.ExplicitHashKey = "7"
		}
		r, err := newUserRecord(&in, config.MaxRecordSize)
		require.NoError(t, err)
		records[i] = r
	}
	hashKeys(records)
	var closed []closedRecord
	perKinesisRecord := 0.0
	perRound := testing.AllocsPerRun(20, func() {
		closed = closed[:0]
		for i := range records {
			closed = a.add(closed, &records[i])
		}
		closed = a.closeAll(closed, FlushRequest)
		for _, k := range closed { // the delivery's part
			a.members.put(k.members)
		}
		perKinesisRecord = float64(len(closed))
	})
	assert.LessOrEqual(t, perRound/perKinesisRecord, 2.5)
}

// Lists of members are used again even if no two Kinesis records in a row have the same number of members.
func TestOpenRecordsOfAllSizesAllocateNoMembers(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it would empty the pool
	config := benchmarkConfig()
	a := newAggregator(&config, new(memberPool))
	a.setShards(newShardMap(evenShards(64), nil, at(0)), false)
	r, err := newUserRecord(new(sized("partition-key", 200)), config.MaxRecordSize)
	require.NoError(t, err)
	var closed []closedRecord
	fill := func(round int) (members int) {
		closed = closed[:0]
		for i, s := range a.slots.shards.open {
			r.hash = s.keys.first
			for range 16 + (i*7+round*13)%97 {
				closed = a.add(closed, &r)
				members++
			}
		}
		closed = a.closeAll(closed, FlushRequest)
		for _, k := range closed { // the delivery's part
			a.members.put(k.members)
		}
		return members
	}
	for round := range 97 { // of every size in every place
		fill(round)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	members := 0
	for round := range 97 {
		members += fill(round)
	}
	runtime.ReadMemStats(&after)
	assert.Less(t, float64(after.TotalAlloc-before.TotalAlloc)/float64(members), 5.0, "bytes a member, the Kinesis records included")
}

func TestShardOfAllocatesNothing(t *testing.T) {
	p, err := New(newSink(16), benchmarkConfig())
	require.NoError(t, err)
	_, err = p.PutWait(context.Background(), sized("key", 1))
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		_, _, byKey := p.ShardOf(testStream, "key", "")
		_, _, byHash := p.ShardOf(testStream, "key", "340282366920938463463374607431768211455")
		if !byKey || !byHash {
			t.Error("not known")
		}
	}))
	require.NoError(t, p.Close(context.Background()))
}

func TestHashingAllocatesNothing(t *testing.T) {
	records := make([]userRecord, 100)
	for i := range records {
		records[i].partitionKey = strings.Repeat("k", 2*i)
	}
	assert.Zero(t, testing.AllocsPerRun(10, func() { hashKeys(records) }))
}

func TestEncodingAnAggregateAllocatesNothing(t *testing.T) {
	records := make([]UserRecord, 200)
	for i := range records {
		records[i] = sized("key", 200)
	}
	k := aggregate(t, 51_200, records...)[0]
	buffer := make([]byte, 0, k.dataSize())
	assert.Zero(t, testing.AllocsPerRun(10, func() { appendAggregated(buffer, k) }))
}
