// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"context"
	"crypto/md5" //nolint:gosec // It is how Kinesis places keys.
	"math/big"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

// StoredRecord is a Kinesis record with its user records.
type StoredRecord struct {
	Shard          types.Shard
	SequenceNumber string
	UserRecords    []UserRecord
	// Dropped says that the Kinesis Client Library gives no user record of this Kinesis record to a reader, because one of
	// them does not belong to the shard.
	Dropped bool
}

// Aggregated reports whether the record is an aggregated record.
func (r *StoredRecord) Aggregated() bool {
	return len(r.UserRecords) > 0 && r.UserRecords[0].Aggregated
}

// ReadStream returns all Kinesis records of a stream, shard by shard. It reads as the Kinesis Client Library does, but uses
// AWS's deaggregator for Node.js.
func ReadStream(ctx context.Context, t testing.TB, client *kinesis.Client, stream string) []StoredRecord {
	t.Helper()
	var records []types.Record
	var stored []StoredRecord
	for _, shard := range ListShards(ctx, t, client, stream) {
		for _, r := range readShard(ctx, t, client, stream, *shard.ShardId) {
			records = append(records, r)
			stored = append(stored, StoredRecord{Shard: shard, SequenceNumber: *r.SequenceNumber})
		}
	}
	for i, userRecords := range Deaggregate(t, records) {
		stored[i].UserRecords = userRecords
		for _, r := range userRecords {
			stored[i].Dropped = stored[i].Dropped || r.Aggregated && !Owns(t, stored[i].Shard, r.PartitionKey, r.ExplicitHashKey)
		}
	}
	return stored
}

// ListShards returns all shards of a stream, closed ones too.
func ListShards(ctx context.Context, t testing.TB, client *kinesis.Client, stream string) []types.Shard {
	t.Helper()
	var shards []types.Shard
	in := &kinesis.ListShardsInput{StreamName: &stream}
	for {
		out, err := client.ListShards(ctx, in)
		require.NoError(t, err)
		shards = append(shards, out.Shards...)
		if out.NextToken == nil {
			return shards
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken}
	}
}

func readShard(ctx context.Context, t testing.TB, client *kinesis.Client, stream, shard string) []types.Record {
	t.Helper()
	iterator, err := client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: &stream, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	require.NoError(t, err)
	var records []types.Record
	for next := iterator.ShardIterator; next != nil; {
		out, err := client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: next})
		require.NoError(t, err)
		if len(out.Records) == 0 && aws.ToInt64(out.MillisBehindLatest) == 0 {
			break
		}
		records = append(records, out.Records...)
		next = out.NextShardIterator
	}
	return records
}

// Owns reports whether the hash key of a user record is in the range of a shard. explicitHashKey may be empty.
func Owns(t testing.TB, shard types.Shard, partitionKey, explicitHashKey string) bool {
	t.Helper()
	sum := md5.Sum([]byte(partitionKey)) //nolint:gosec // see the import
	key := new(big.Int).SetBytes(sum[:])
	if explicitHashKey != "" {
		key = number(t, explicitHashKey)
	}
	return key.Cmp(number(t, *shard.HashKeyRange.StartingHashKey)) >= 0 &&
		key.Cmp(number(t, *shard.HashKeyRange.EndingHashKey)) <= 0
}

func number(t testing.TB, decimal string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(decimal, 10)
	require.True(t, ok, "%q is no number", decimal)
	return n
}
