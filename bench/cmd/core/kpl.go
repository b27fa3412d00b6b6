// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/md5" //nolint:gosec // the service hashes partition keys so
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/bits"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// kplProducer is the library of this repository in its default configuration, but for the format of records and without the
// limits of shards. The client that discards requests has no such limits.
type kplProducer struct {
	*kpl.Producer

	streams []string
}

func newKPL(shards, streams int, format kpl.AggregationFormat) (producer, error) {
	p, err := kpl.New(newDiscard(shards), kpl.Config{RateLimit: 1_000_000, AggregationFormat: format})
	if err != nil {
		return nil, err
	}
	list := make([]string, streams)
	for i := range list {
		list[i] = fmt.Sprintf("stream-%d", i)
	}
	return &kplProducer{p, list}, nil
}

func (p *kplProducer) put(ctx context.Context, stream int, key string, data []byte) error {
	return p.Put(ctx, kpl.UserRecord{Stream: p.streams[stream], PartitionKey: key, Data: data}, nil)
}

func (p *kplProducer) close(ctx context.Context) error { return p.Close(ctx) }

// discard is a client that answers as if every record was stored in its shard, and stores nothing.
type discard struct {
	shards []types.Shard
	step   uint64 // the upper halves of hash keys in a shard; 0 if there is only one
}

func newDiscard(shards int) *discard {
	d := &discard{}
	if shards > 1 {
		d.step = ^uint64(0)/uint64(shards) + 1
	}
	for i := range uint64(shards) { //nolint:gosec // it is positive
		first, last := i*d.step, (i+1)*d.step-1
		if i+1 == uint64(shards) {
			last = ^uint64(0)
		}
		d.shards = append(d.shards, types.Shard{
			ShardId: aws.String(fmt.Sprintf("shardId-%012d", i)),
			HashKeyRange: &types.HashKeyRange{
				StartingHashKey: aws.String(hashKey(first, 0)), EndingHashKey: aws.String(hashKey(last, ^uint64(0))),
			},
		})
	}
	return d
}

func hashKey(high, low uint64) string {
	key := new(big.Int).SetUint64(high)
	return key.Lsh(key, 64).Or(key, new(big.Int).SetUint64(low)).String()
}

// PutRecords answers that all records are stored.
func (d *discard) PutRecords(
	_ context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options),
) (*kinesis.PutRecordsOutput, error) {
	out := &kinesis.PutRecordsOutput{
		FailedRecordCount: aws.Int32(0),
		Records:           make([]types.PutRecordsResultEntry, len(in.Records)),
	}
	for i := range out.Records {
		out.Records[i] = types.PutRecordsResultEntry{ShardId: d.of(&in.Records[i]), SequenceNumber: aws.String("1")}
	}
	return out, nil
}

// of returns the shard that a record goes to.
func (d *discard) of(r *types.PutRecordsRequestEntry) *string {
	if d.step == 0 {
		return d.shards[0].ShardId
	}
	var high, low uint64
	if r.ExplicitHashKey == nil {
		sum := md5.Sum([]byte(*r.PartitionKey)) //nolint:gosec // see above
		high = binary.BigEndian.Uint64(sum[:])
	} else {
		for _, digit := range []byte(*r.ExplicitHashKey) {
			carry, product := bits.Mul64(low, 10)
			var more uint64
			low, more = bits.Add64(product, uint64(digit-'0'), 0)
			high = high*10 + carry + more
		}
	}
	return d.shards[high/d.step].ShardId
}

// ListShards lists the shards.
func (d *discard) ListShards(
	context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options),
) (*kinesis.ListShardsOutput, error) {
	return &kinesis.ListShardsOutput{Shards: d.shards}, nil
}

// DescribeStreamSummary has nothing to say.
func (*discard) DescribeStreamSummary(
	context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options),
) (*kinesis.DescribeStreamSummaryOutput, error) {
	return nil, errors.New("not served")
}
