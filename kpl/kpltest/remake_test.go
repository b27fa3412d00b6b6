// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A stream that is deleted and created again has the same shard ids. Their ranges and first sequence numbers are others, and
// the records of the old stream are not there.
func TestStreamMadeAnew(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 2})
	list := func() []types.Shard {
		out, err := k.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(events)})
		require.NoError(t, err)
		return out.Shards
	}
	put := func(data string) types.PutRecordsResultEntry {
		out, err := k.PutRecords(t.Context(), putInput(entry("a", maxHashKey.String(), data)))
		require.NoError(t, err)
		return out.Records[0]
	}
	before := list()
	stored := put("old")
	remains, err := k.TakeStream(events)
	require.NoError(t, err)
	_, err = k.PutRecords(t.Context(), putInput(entry("a", "", "meanwhile")))
	require.ErrorContains(t, err, CodeResourceNotFound)
	_, err = k.TakeStream(events)
	require.ErrorContains(t, err, CodeResourceNotFound)

	require.NoError(t, k.CreateStream(Stream{Name: events, Shards: 3}))
	after := list()
	assert.Equal(t, before[0].ShardId, after[0].ShardId)
	assert.NotEqual(t, before[0].HashKeyRange, after[0].HashKeyRange)
	assert.Greater(t, *after[0].SequenceNumberRange.StartingSequenceNumber, *stored.SequenceNumber)
	put("new")
	assert.Equal(t, []string{"old"}, dataOf(remains.UserRecords()))
	assert.Equal(t, []string{"new"}, dataOf(k.UserRecords(events)))
	require.Len(t, remains.Records(), 1)
	assert.Equal(t, *stored.SequenceNumber, remains.Records()[0].SequenceNumber)
}

func dataOf(records []UserRecord) []string {
	var data []string
	for _, r := range records {
		data = append(data, string(r.Data))
	}
	return data
}
