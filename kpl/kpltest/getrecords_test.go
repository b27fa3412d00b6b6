// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestShardIterators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Config{}, Stream{Name: events, Shards: 1})
		start := time.Now()
		for _, data := range []string{"0", "1", "2"} {
			_, err := k.PutRecords(t.Context(), putInput(entry("a", "", data)))
			require.NoError(t, err)
			require.NoError(t, pause(t.Context(), time.Second))
		}
		number := func(i int) *string { return aws.String(k.Records(events)[i].SequenceNumber) }
		after := func(d time.Duration) *time.Time { return aws.Time(start.Add(d)) }
		type input = kinesis.GetShardIteratorInput
		tests := []struct {
			name string
			in   input
			want string
			late int64 // milliseconds
		}{
			{"trim horizon", input{ShardIteratorType: "TRIM_HORIZON"}, "0", 2000},
			{"latest", input{ShardIteratorType: "LATEST"}, "", 0},
			{
				"at a record",
				input{ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber: number(1)},
				"1", 1000,
			},
			{
				"after a record",
				input{ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: number(1)},
				"2", 0,
			},
			{
				"after the last",
				input{ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: number(2)},
				"", 0,
			},
			{
				"at the time of a record",
				input{ShardIteratorType: "AT_TIMESTAMP", Timestamp: after(time.Second)},
				"1", 1000,
			},
			{
				"between records",
				input{ShardIteratorType: "AT_TIMESTAMP", Timestamp: after(time.Second + 1)},
				"2", 0,
			},
		}
		for _, tt := range tests {
			tt.in.StreamName, tt.in.ShardId = aws.String(events), aws.String("shardId-000000000000")
			it, err := k.getShardIterator(t.Context(), &tt.in)
			require.NoError(t, err, tt.name)
			out, err := k.getRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator, Limit: aws.Int32(1)})
			require.NoError(t, err, tt.name)
			got := ""
			for _, record := range out.Records {
				got += string(record.Data)
			}
			assert.Equal(t, tt.want, got, tt.name)
			assert.Equal(t, tt.late, *out.MillisBehindLatest, tt.name)
			assert.NotNil(t, out.NextShardIterator, "an open shard has no end")
		}
	})
}

func TestShardIteratorErrors(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 1})
	tests := []struct {
		name   string
		stream string
		shard  string
		kind   types.ShardIteratorType
		code   string
	}{
		{"no such stream", "x", "shardId-000000000000", "LATEST", CodeResourceNotFound},
		{"no such shard", events, "shardId-000000000001", "LATEST", CodeResourceNotFound},
		{"no such type", events, "shardId-000000000000", "x", CodeValidation},
		{"no sequence number", events, "shardId-000000000000", "AT_SEQUENCE_NUMBER", CodeInvalidArgument},
		{"no time", events, "shardId-000000000000", "AT_TIMESTAMP", CodeInvalidArgument},
	}
	for _, tt := range tests {
		_, err := k.getShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
			StreamName: &tt.stream, ShardId: &tt.shard, ShardIteratorType: tt.kind,
		})
		require.ErrorContains(t, err, tt.code, tt.name)
	}
}

func TestGetRecordsErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Config{}, Stream{Name: events, Shards: 1})
		it, err := k.getShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
			StreamName: aws.String(events), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: "LATEST",
		})
		require.NoError(t, err)
		get := func(it *string, limit *int32) error {
			_, err := k.getRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it, Limit: limit})
			return err
		}
		require.ErrorContains(t, get(aws.String("x"), nil), CodeInvalidArgument)
		require.ErrorContains(t, get(it.ShardIterator, aws.Int32(0)), CodeValidation)
		require.ErrorContains(t, get(it.ShardIterator, aws.Int32(10_001)), CodeValidation)
		require.NoError(t, pause(t.Context(), 5*time.Minute))
		require.NoError(t, get(it.ShardIterator, nil), "iterators live for five minutes")
		require.NoError(t, k.DeleteStream(events))
		require.ErrorContains(t, get(it.ShardIterator, nil), CodeResourceNotFound)
		require.NoError(t, k.CreateStream(Stream{Name: events, Shards: 1}))
		require.ErrorContains(t, get(it.ShardIterator, nil), CodeResourceNotFound, "it is another stream")
		require.NoError(t, pause(t.Context(), 1))
		require.ErrorContains(t, get(it.ShardIterator, nil), CodeExpiredIterator)
	})
}

func TestGetRecordsStopsAtTenMebibytes(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 1})
	large := entry("a", "", string(make([]byte, 1<<20-1)))
	for range 12 {
		_, err := k.PutRecords(t.Context(), putInput(large))
		require.NoError(t, err)
	}
	it, err := k.getShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
		StreamName: aws.String(events), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: "TRIM_HORIZON",
	})
	require.NoError(t, err)
	var counts []int
	for range 3 {
		out, err := k.getRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
		require.NoError(t, err)
		counts = append(counts, len(out.Records))
		it.ShardIterator = out.NextShardIterator
	}
	assert.Equal(t, []int{10, 2, 0}, counts)
}
