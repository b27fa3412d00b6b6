// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

// sink is a service that stores everything where it belongs, in no time and without looking at it.
type sink struct{ shards []types.Shard }

func newSink(shards int) *sink {
	s := &sink{}
	for _, piece := range evenShards(shards) {
		id, first, last := string(piece.id), piece.keys.first.String(), piece.keys.last.String()
		s.shards = append(s.shards, types.Shard{
			ShardId: &id, HashKeyRange: &types.HashKeyRange{StartingHashKey: &first, EndingHashKey: &last},
		})
	}
	return s
}

// evenShards divides the hash keys evenly.
func evenShards(n int) []shard {
	list := make([]shard, n)
	step := ^uint64(0)/uint64(n) + 1
	for i := range list {
		list[i].id = ShardID(fmt.Sprintf("shardId-%012d", i))
		list[i].keys = hashRange{hashKey{high: uint64(i) * step}, hashKey{uint64(i+1)*step - 1, ^uint64(0)}}
	}
	list[n-1].keys.last = maxHashKey
	return list
}

func (s *sink) PutRecords(
	_ context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options),
) (*kinesis.PutRecordsOutput, error) {
	id, sequence := "shardId-000000000000", "1"
	out := &kinesis.PutRecordsOutput{Records: make([]types.PutRecordsResultEntry, len(in.Records))}
	for i := range out.Records {
		out.Records[i] = types.PutRecordsResultEntry{ShardId: &id, SequenceNumber: &sequence}
		if len(s.shards) > 1 {
			hash, err := parseHashKey(*in.Records[i].ExplicitHashKey)
			if err != nil {
				return nil, err
			}
			shard := int(hash.high / (^uint64(0)/uint64(len(s.shards)) + 1))
			out.Records[i].ShardId = s.shards[shard].ShardId
		}
	}
	return out, nil
}

func (s *sink) ListShards(
	context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options),
) (*kinesis.ListShardsOutput, error) {
	return &kinesis.ListShardsOutput{Shards: s.shards}, nil
}

func (*sink) DescribeStreamSummary(
	context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options),
) (*kinesis.DescribeStreamSummaryOutput, error) {
	return nil, errors.New("not served")
}

func benchmarkConfig() Config {
	config := Config{}.WithDefaults()
	config.RateLimit = 1_000_000 // the sink has no limits
	return config
}

// BenchmarkPut measures all that is done for a 200-byte user record: Put, aggregate, encode, hash, request, Result.
func BenchmarkPut(b *testing.B) {
	for _, shards := range []int{1, 64, 1024} {
		b.Run(fmt.Sprintf("shards=%d", shards), func(b *testing.B) {
			p, err := New(newSink(shards), benchmarkConfig())
			require.NoError(b, err)
			keys := make([]string, 1<<16)
			for i := range keys {
				keys[i] = fmt.Sprintf("partition-key-%d", i)
			}
			data := make([]byte, 200)
			ctx := context.Background()
			require.NoError(b, p.Put(ctx, sized("warm up", 1), nil))
			require.NoError(b, p.FlushWait(ctx))
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			b.ResetTimer()
			for i := range b.N {
				record := UserRecord{Stream: testStream, PartitionKey: keys[i&(len(keys)-1)], Data: data}
				if err := p.Put(ctx, record, nil); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, p.Close(ctx))
		})
	}
}

// BenchmarkPipeline measures the work of the loop, which is the one goroutine for all records of a stream. As in a program,
// Put has written each record just before. The figure loop-ns/record is without the time of Put.
func BenchmarkPipeline(b *testing.B) {
	for _, shards := range []int{1, 64, 1024} {
		b.Run(fmt.Sprintf("shards=%d", shards), func(b *testing.B) {
			config := benchmarkConfig()
			p := newPipeline(&config, testRandom(), new(memberPool))
			p.setStream(at(0), description{asked: at(0), outcome: describeDone, kind: streamKind{described: true}})
			_ = p.setShards(at(0), newShardMap(evenShards(shards), nil, at(0)))
			// There are so many that no record is put again before its aggregate is gone.
			records := make([]userRecord, 1<<bits.Len(uint(500*shards)))
			for i := range records {
				r, err := newUserRecord(new(sized(fmt.Sprintf("partition-key-%d", i), 200)), config.MaxRecordSize)
				require.NoError(b, err)
				records[i] = r
			}
			hashKeys(records)
			b.ReportAllocs()
			b.ResetTimer()
			var busy time.Duration
			var ended []ending
			for i := 0; i < b.N; i += 64 {
				now := at(time.Duration(i) * time.Microsecond)
				for j := i; j < i+64; j++ { // Put's part
					r := &records[j&(len(records)-1)]
					r.received, r.attempts, r.due = now, nil, false
				}
				start := time.Now()
				for j := i; j < i+64; j++ {
					p.put(now, &records[j&(len(records)-1)])
				}
				for _, request := range p.step(now, callers{}) {
					request.start, request.end = now, now
					request.entries = make([]entryResult, len(request.records))
					for i, k := range request.records {
						request.entries[i] = entryResult{shard: k.lane.id, sequenceNumber: "1"}
					}
					p.complete(now, request)
				}
				p.nextWake(now)
				ended = append(ended, p.effects.ended...)
				clear(p.effects.ended)
				p.effects.ended, p.effects.flushed = p.effects.ended[:0], p.effects.flushed[:0]
				busy += time.Since(start)
				for _, e := range ended { // the delivery's part
					p.aggregator.members.put(e.members)
				}
				ended = ended[:0]
			}
			b.ReportMetric(float64(busy)/float64(b.N), "loop-ns/record")
		})
	}
}
