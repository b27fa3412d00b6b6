// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// BenchmarkCompression compares messages of one log record each that are sent as they are, compressed one by one, or compressed
// record by record. It reports the time of a message in the producer and in the compression. It also reports the bytes and the
// PUT units that are billed, as parts of the plain bytes.
func BenchmarkCompression(b *testing.B) {
	compress, err := marshaler.NewCompressor(marshaler.Zstd, 0)
	require.NoError(b, err)
	for _, size := range []int{200, 600, 2000} {
		messages := serviceMessages(b, size)
		for _, tt := range []struct {
			name    string
			config  kpl.Config
			prepare func([]byte) []byte
		}{
			{"kpl", kpl.Config{}, nil},
			{"concatenated", kpl.Config{AggregationFormat: kpl.AggregationConcatenated}, nil},
			{"kpl, each message", kpl.Config{}, func(m []byte) []byte { return compress(nil, m) }},
			{"concatenated, each record", kpl.Config{AggregationFormat: kpl.AggregationConcatenated, Compress: compress}, nil},
		} {
			b.Run(fmt.Sprintf("bytes=%d/%s", size, tt.name), func(b *testing.B) {
				tt.config.RateLimit = 1_000_000
				putAll(b, tt.config, messages, tt.prepare)
			})
		}
	}
}

// serviceMessages encodes log records of about a size, one in each message.
func serviceMessages(b *testing.B, size int) [][]byte {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	messages := make([][]byte, 4096)
	for i := range messages {
		logs := plog.NewLogs()
		resource := logs.ResourceLogs().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", fmt.Sprint("service-", random.IntN(50)))
		record := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.SetTimestamp(1_790_000_000_000_000_000)
		id := [16]byte{}
		for j := range id {
			id[j] = byte(random.Uint32())
		}
		record.SetTraceID(id)
		record.Body().SetStr(linesOf(random, 1, size-70)[0])
		var err error
		messages[i], err = (&plog.ProtoMarshaler{}).MarshalLogs(logs)
		require.NoError(b, err)
	}
	return messages
}

// putAll puts messages without keys.
func putAll(b *testing.B, config kpl.Config, messages [][]byte, prepare func([]byte) []byte) {
	b.Helper()
	counter := &countingClient{}
	p, err := kpl.New(counter, config)
	require.NoError(b, err)
	ctx := context.Background()
	for _, m := range messages { // the shards are known then, and how well the messages are compressed
		require.NoError(b, p.Put(ctx, kpl.UserRecord{Stream: testStream, Data: m}, nil))
	}
	require.NoError(b, p.FlushWait(ctx))
	counter.bytes.Store(0)
	counter.units.Store(0)
	b.ReportAllocs()
	b.ResetTimer()
	plain := 0
	for i := range b.N {
		m := messages[i%len(messages)]
		plain += len(m)
		if prepare != nil {
			m = prepare(m)
		}
		if err := p.Put(ctx, kpl.UserRecord{Stream: testStream, Data: m}, nil); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, p.Close(ctx))
	b.SetBytes(int64(plain / b.N))
	b.ReportMetric(float64(counter.bytes.Load())/float64(plain), "bytes/plain")
	b.ReportMetric(float64(counter.units.Load())*kpl.PutUnit/float64(plain), "units/plain")
}

// countingClient counts what is billed and stores nothing.
type countingClient struct{ bytes, units atomic.Int64 }

func (c *countingClient) PutRecords(
	_ context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options),
) (*kinesis.PutRecordsOutput, error) {
	out := &kinesis.PutRecordsOutput{Records: make([]types.PutRecordsResultEntry, len(in.Records))}
	for i, r := range in.Records {
		size := int64(len(r.Data) + len(aws.ToString(r.PartitionKey)))
		c.bytes.Add(size)
		c.units.Add((size + kpl.PutUnit - 1) / kpl.PutUnit)
		out.Records[i] = types.PutRecordsResultEntry{ShardId: aws.String("shardId-000000000000"), SequenceNumber: aws.String("1")}
	}
	return out, nil
}

func (*countingClient) ListShards(
	context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options),
) (*kinesis.ListShardsOutput, error) {
	last := "340282366920938463463374607431768211455"
	return &kinesis.ListShardsOutput{Shards: []types.Shard{{
		ShardId:      aws.String("shardId-000000000000"),
		HashKeyRange: &types.HashKeyRange{StartingHashKey: aws.String("0"), EndingHashKey: &last},
	}}}, nil
}

func (*countingClient) DescribeStreamSummary(
	context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options),
) (*kinesis.DescribeStreamSummaryOutput, error) {
	return nil, errors.New("not served")
}
