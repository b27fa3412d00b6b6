// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPutRecordsRoutes(t *testing.T) {
	const (
		quarter = "85070591730234615865843651857942052864" // 2^126
		before  = "85070591730234615865843651857942052863"
		last    = "340282366920938463463374607431768211455"
	)
	tests := []struct {
		name  string
		entry types.PutRecordsRequestEntry
		shard string
	}{
		{"MD5 f7cf… is in the last quarter", entry("pk1", "", "x"), "shardId-000000000003"},
		{"MD5 5c70… is in the second quarter", entry("pk2", "", "x"), "shardId-000000000001"},
		{"the explicit hash key wins", entry("pk1", "0", "x"), "shardId-000000000000"},
		{"end of a range", entry("pk1", before, "x"), "shardId-000000000000"},
		{"start of a range", entry("pk1", quarter, "x"), "shardId-000000000001"},
		{"end of the space", entry("pk2", last, "x"), "shardId-000000000003"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := New(Config{}, Stream{Name: events, Shards: 4})
			out, err := k.PutRecords(t.Context(), putInput(tt.entry))
			require.NoError(t, err)
			assert.Equal(t, int32(0), *out.FailedRecordCount)
			require.Len(t, out.Records, 1)
			assert.Equal(t, tt.shard, *out.Records[0].ShardId)
			assert.Nil(t, out.Records[0].ErrorCode)
		})
	}
}

func TestPutRecordsStores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Config{}, Stream{Name: events, Shards: 2})
		in := putInput(entry("pk2", "", "one"), entry("pk1", "", "two"), entry("pk2", "7", ""))
		out, err := k.PutRecords(t.Context(), in)
		require.NoError(t, err)
		copy(in.Records[0].Data, "XXX") // The caller uses its buffer again.

		const prefix = "49590338271490256608000000000000000000000000000000000"
		now := time.Now()
		assert.Equal(t, []Record{
			{"shardId-000000000000", prefix + "003", "pk2", "", []byte("one"), now},
			{"shardId-000000000001", prefix + "004", "pk1", "", []byte("two"), now},
			{"shardId-000000000000", prefix + "005", "pk2", "7", []byte{}, now},
		}, k.Records(events))
		assert.Equal(t, k.Records(events), k.Records("arn:aws:kinesis:us-east-1:000000000000:stream/events"))
		for i, record := range k.Records(events) {
			assert.Len(t, record.SequenceNumber, 56)
			assert.Equal(t, record.SequenceNumber, *out.Records[i].SequenceNumber)
			assert.Equal(t, record.ShardID, *out.Records[i].ShardId)
		}
		assert.Empty(t, k.Records("other"))
	})
}

func TestPutRecordsByARN(t *testing.T) {
	const arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/events"
	k := New(Config{Account: "123456789012", Region: "eu-west-1"}, Stream{Name: events, Shards: 1})
	put := func(in *kinesis.PutRecordsInput) error {
		in.Records = []types.PutRecordsRequestEntry{entry("a", "", "x")}
		_, err := k.PutRecords(t.Context(), in)
		return err
	}
	require.NoError(t, put(&kinesis.PutRecordsInput{StreamARN: aws.String(arn)}))
	require.NoError(t, put(&kinesis.PutRecordsInput{StreamARN: aws.String(arn), StreamName: aws.String(events)}))
	for _, other := range []string{strings.Replace(arn, "eu-", "us-", 1), arn + "s", "arn:", events} {
		var notFound *types.ResourceNotFoundException
		require.ErrorAs(t, put(&kinesis.PutRecordsInput{StreamARN: aws.String(other)}), &notFound, other)
	}
	assert.Len(t, k.Records(events), 2)
}

func TestPutRecordsValidates(t *testing.T) {
	const mib = 1 << 20
	repeat := func(n int, e types.PutRecordsRequestEntry) []types.PutRecordsRequestEntry {
		entries := make([]types.PutRecordsRequestEntry, n)
		for i := range entries {
			entries[i] = e
		}
		return entries
	}
	large := func(size int) types.PutRecordsRequestEntry { return entry("a", "", strings.Repeat("x", size-1)) }
	tests := []struct {
		name   string
		stream string
		code   string // empty: accepted
		in     []types.PutRecordsRequestEntry
	}{
		{"no record", events, CodeValidation, nil},
		{"500 records", events, "", repeat(500, entry("a", "", "x"))},
		{"501 records", events, CodeValidation, repeat(501, entry("a", "", "x"))},
		{"record of 1 MiB with its key", events, "", repeat(1, large(mib))},
		{"record over 1 MiB with its key", events, CodeValidation, append(repeat(1, entry("a", "", "x")), large(mib+1))},
		{"record of 2 MiB for a stream that takes it", "wide", "", repeat(1, large(2*mib))},
		{"record over 2 MiB for that stream", "wide", CodeValidation, repeat(1, large(2*mib+1))},
		{"request of 10 MiB", events, "", repeat(10, large(mib))},
		{"request over 10 MiB", events, CodeInvalidArgument, append(repeat(10, large(mib)), entry("a", "", ""))},
		{"empty data", events, "", repeat(1, entry("a", "", ""))},
		{"no data", events, CodeValidation, []types.PutRecordsRequestEntry{{PartitionKey: aws.String("a")}}},
		{"no partition key", events, CodeValidation, []types.PutRecordsRequestEntry{{Data: []byte("x")}}},
		{"empty partition key", events, CodeValidation, repeat(1, entry("", "", "x"))},
		{"partition key of 256 characters", events, "", repeat(1, entry(strings.Repeat("ü", 256), "", "x"))},
		{"partition key of 257 characters", events, CodeValidation, repeat(1, entry(strings.Repeat("u", 257), "", "x"))},
		{"explicit hash key with a sign", events, CodeValidation, repeat(1, entry("a", "-1", "x"))},
		{
			"explicit hash key of 2^128", events, CodeInvalidArgument,
			repeat(1, entry("a", "340282366920938463463374607431768211456", "x")),
		},
		{"no such stream", "other", CodeResourceNotFound, repeat(1, entry("a", "", "x"))},
		{"no stream", "", CodeInvalidArgument, repeat(1, entry("a", "", "x"))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := New(Config{}, Stream{Name: events, Shards: 1}, Stream{Name: "wide", Shards: 1, MaxRecordSize: 2 * mib})
			out, err := k.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: &tt.stream, Records: tt.in})
			if tt.code == "" {
				require.NoError(t, err)
				assert.Len(t, out.Records, len(tt.in))
				assert.Len(t, k.Records(tt.stream), len(tt.in))
				return
			}
			var api smithy.APIError
			require.ErrorAs(t, err, &api)
			assert.Equal(t, tt.code, api.ErrorCode())
			assert.Empty(t, k.Records(events), "a rejected call stores nothing")
			assert.Equal(t, tt.code, k.Calls(OpPutRecords)[0].Code)
		})
	}
}

func TestPutRecordsMaxRequestSize(t *testing.T) {
	k := New(Config{MaxRequestSize: 6}, Stream{Name: events, Shards: 1})
	_, err := k.PutRecords(t.Context(), putInput(entry("a", "", "12"), entry("b", "", "34")))
	require.NoError(t, err)
	_, err = k.PutRecords(t.Context(), putInput(entry("a", "", "12"), entry("b", "", "345")))
	var invalid *types.InvalidArgumentException
	require.ErrorAs(t, err, &invalid)
}

func TestShardLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Config{ShardLimits: true}, Stream{Name: events, Shards: 2})
		put := func() *kinesis.PutRecordsOutput {
			var entries []types.PutRecordsRequestEntry
			for range 399 {
				entries = append(entries, entry("pk2", "", "x")) // all for shard 0
			}
			out, err := k.PutRecords(t.Context(), putInput(append(entries, entry("pk1", "", "x"))...))
			require.NoError(t, err)
			return out
		}
		assert.Equal(t, int32(0), *put().FailedRecordCount)
		assert.Equal(t, int32(0), *put().FailedRecordCount)
		out := put()
		assert.Equal(t, int32(197), *out.FailedRecordCount, "1,197 records for a shard that takes 1,000")
		assert.NotNil(t, out.Records[201].SequenceNumber)
		assert.Equal(t, types.PutRecordsResultEntry{
			ErrorCode: aws.String("ProvisionedThroughputExceededException"),
			ErrorMessage: aws.String(
				"Rate exceeded for shard shardId-000000000000 in stream events under account 000000000000."),
		}, out.Records[202])
		assert.Equal(t, "shardId-000000000001", *out.Records[399].ShardId, "the other shard is not throttled")

		require.NoError(t, pause(t.Context(), 100*time.Millisecond))
		assert.Equal(t, int32(299), *put().FailedRecordCount, "100 ms are good for 100 records")
		assert.Equal(t, 197, k.Calls(OpPutRecords)[2].Failed)
	})
}

func TestAutoDistribution(t *testing.T) {
	shards := func(seed uint64) map[string]int {
		k := New(Config{Seed: seed}, Stream{Name: events, Shards: 4, Distribution: types.RecordDistributionStrategyAuto})
		for range 400 {
			_, err := k.PutRecords(t.Context(), putInput(entry("a", "0", "x")))
			require.NoError(t, err)
		}
		counts := map[string]int{}
		for _, record := range k.Records(events) {
			counts[record.ShardID]++
		}
		return counts
	}
	counts := shards(1)
	assert.Len(t, counts, 4, "the service ignores keys")
	for id, n := range counts {
		assert.InDelta(t, 100, n, 40, id)
	}
	assert.Equal(t, counts, shards(1))
	assert.NotEqual(t, counts, shards(2))
}

func TestCreateAndDeleteStream(t *testing.T) {
	k := New(Config{})
	require.NoError(t, k.CreateStream(Stream{Name: events, Shards: 1}))
	_, err := k.PutRecords(t.Context(), putInput(entry("a", "", "old")))
	require.NoError(t, err)
	require.ErrorContains(t, k.CreateStream(Stream{Name: events, Shards: 1}), CodeResourceInUse)
	require.NoError(t, k.DeleteStream("arn:aws:kinesis:us-east-1:000000000000:stream/events"))
	require.ErrorContains(t, k.DeleteStream(events), CodeResourceNotFound)
	require.NoError(t, k.CreateStream(Stream{Name: events, Shards: 2}))
	assert.Empty(t, k.Records(events))

	for _, bad := range []Stream{
		{Name: "", Shards: 1},
		{Name: "a b", Shards: 1},
		{Name: strings.Repeat("x", 129), Shards: 1},
		{Name: "a", Shards: 0},
		{Name: "a", Shards: 1, MaxRecordSize: 1},
		{Name: "a", Shards: 1, MaxRecordSize: 10<<20 + 1024},
		{Name: "a", Shards: 1, MaxRecordSize: 1<<20 + 1},
	} {
		require.ErrorContains(t, k.CreateStream(bad), CodeValidation)
		assert.Panics(t, func() { New(Config{}, bad) })
	}
}

func TestConcurrentUse(t *testing.T) {
	k := New(Config{ShardLimits: true}, Stream{Name: events, Shards: 1})
	k.Inject(FailRecordFraction(CodeInternalFailure, 0.1))
	var writers sync.WaitGroup
	var stored atomic.Int64
	for range 4 {
		writers.Go(func() {
			for i := range 50 {
				out, err := k.PutRecords(t.Context(), putInput(entry("a", "", "x"), entry(strconv.Itoa(i), "", "y")))
				if assert.NoError(t, err) {
					stored.Add(2 - int64(*out.FailedRecordCount))
				}
			}
		})
	}
	for i := range 20 {
		_, _, err := k.SplitShard(events, fmt.Sprintf("shardId-%012d", 2*i), "")
		require.NoError(t, err)
		_ = k.UserRecords(events)
		_ = k.Calls("")
	}
	writers.Wait()
	records := k.Records(events)
	assert.Len(t, records, int(stored.Load()))
	numbers := map[string]bool{}
	for _, record := range records {
		numbers[record.SequenceNumber] = true
	}
	assert.Len(t, numbers, len(records), "no sequence number is given twice")
	assert.Len(t, k.Calls(OpPutRecords), 200)
}

func TestSequence(t *testing.T) {
	for _, s := range []sequence{0, 1, 10, ^sequence(0)} {
		parsed, ok := parseSequence(s.String())
		assert.True(t, ok)
		assert.Equal(t, s, parsed)
	}
	assert.Less(t, sequence(9).String(), sequence(10).String())
	for _, bad := range []string{
		"", "1", sequence(1).String() + "0", strings.Replace(sequence(1).String(), "0001", "00x1", 1),
		sequencePrefix + strings.Repeat("9", 36),
	} {
		_, ok := parseSequence(bad)
		assert.False(t, ok, bad)
	}
}

func BenchmarkPutRecords(b *testing.B) {
	const count = 500
	in := putInput()
	for i := range count {
		in.Records = append(in.Records, entry("key "+strconv.Itoa(i), "", strings.Repeat("x", 200)))
	}
	k := New(Config{}, Stream{Name: events, Shards: 16})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.PutRecords(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/record")
}

// The KPL 1.1.1 sends records without partition keys to streams that choose shards themselves. Other streams reject them.
func TestRecordsWithoutPartitionKeys(t *testing.T) {
	automatic := Stream{Name: "auto", Shards: 2, Distribution: types.RecordDistributionStrategyAuto}
	k := New(Config{}, automatic, Stream{Name: "keys", Shards: 2})
	records := []types.PutRecordsRequestEntry{{Data: []byte("data")}}
	_, err := k.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: aws.String("keys"), Records: records})
	require.ErrorContains(t, err, "partitionKey")
	_, err = k.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: aws.String("auto"), Records: records})
	require.NoError(t, err)
	assert.Empty(t, k.Records("auto")[0].PartitionKey)
	require.NoError(t, k.SetDistribution("keys", types.RecordDistributionStrategyAuto))
	_, err = k.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: aws.String("keys"), Records: records})
	require.NoError(t, err)
	require.Error(t, k.SetDistribution("none", types.RecordDistributionStrategyAuto))
}
