// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func TestMessagesOf(t *testing.T) {
	for name, tt := range map[string]struct {
		data string
		want []string
	}{
		"nothing":                {"", []string{""}},
		"one object":             {`{"a":1}`, []string{`{"a":1}`}},
		"one line":               {"{}\n", []string{"{}\n"}},
		"lines":                  {"{}\n{\"a\":1}", []string{"{}", `{"a":1}`}},
		"lines that all end":     {"{}\n{}\n", []string{"{}", "{}"}},
		"an object over 3 lines": {"{\n\"a\":1\n}", []string{"{\n\"a\":1\n}"}},
		"other text":             {"{}\nend", []string{"{}\nend"}},
	} {
		var got []string
		for _, message := range messagesOf([]byte(tt.data)) {
			got = append(got, string(message))
		}
		assert.Equal(t, tt.want, got, name)
	}
}

// Records without a frame count as all of their items: protobuf messages as one message, and JSON messages one by one.
func TestRecordsWithoutAFrame(t *testing.T) {
	logsJSON := must(t)(new(plog.JSONMarshaler).MarshalLogs(twoLogs()))
	spans := must(t)(new(ptrace.ProtoMarshaler).MarshalTraces(oneSpan()))
	var out bytes.Buffer
	tail := newTail(options{format: formatJSON}, &out)
	shard := types.Shard{ShardId: aws.String("shardId-000000000000")}
	require.NoError(t, tail.handle(batch{shard: shard, records: []types.Record{
		{PartitionKey: aws.String("pk"), Data: bytes.Join([][]byte{logsJSON, logsJSON, logsJSON}, []byte("\n"))},
		{PartitionKey: aws.String("pk"), Data: bytes.Join([][]byte{spans, spans}, nil)},
	}}))
	assert.Len(t, lines(&out), 3+1)
	assert.Equal(t, 6, tail.summary.Items.Logs)
	assert.Equal(t, 2, tail.summary.Items.Traces)
	assert.Zero(t, tail.summary.UndecodableRecords)
}

// Lines that are compressed together count as one message with all of their items, and so do lines in a member of an aggregated
// record.
func TestLinesInOneMessage(t *testing.T) {
	line := string(must(t)(new(plog.JSONMarshaler).MarshalLogs(twoLogs()))) + "\n"
	three := []byte(line + line + line)
	for name, data := range map[string][]byte{"compressed": compressed(t, three), "aggregated": aggregate(lowestHashKey, three)} {
		var out bytes.Buffer
		tail := newTail(options{format: formatJSON}, &out)
		require.NoError(t, tail.handle(batch{shard: types.Shard{ShardId: aws.String("shardId-000000000000")}, records: []types.Record{
			{PartitionKey: aws.String("pk"), Data: data},
		}}), name)
		found := lines(&out)
		require.Len(t, found, 1, name)
		assert.Equal(t, 6, tail.summary.Items.Logs, name)
		assert.Equal(t, 6, strings.Count(found[0], `"body"`), name)
	}
}

// Records with markers are read as what their markers say, although their items could be of another signal.
func TestRecordsWithMarkers(t *testing.T) {
	const item = "\x0a\x0b\x12\x09\x12\x07\x2a\x05\x0a\x03abc" // a log record with only a body, or a span with only a name
	var out bytes.Buffer
	tail := newTail(options{format: formatJSON}, &out)
	records := make([]types.Record, 0, 4)
	const log, span = "\xf8\x7f\x01" + item, "\xf8\x7f\x02" + item
	for _, data := range []string{log, span, item, log + log} {
		records = append(records, types.Record{PartitionKey: aws.String("pk"), Data: []byte(data)})
	}
	require.NoError(t, tail.handle(batch{shard: types.Shard{ShardId: aws.String("shardId-000000000000")}, records: records}))
	assert.Equal(t, 3, tail.summary.Items.Logs)
	assert.Equal(t, 1, tail.summary.Items.Traces)
	assert.Equal(t, 1, tail.summary.UndecodableRecords)
}
