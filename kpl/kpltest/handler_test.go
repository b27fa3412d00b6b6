// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// connector makes a client of the SDK for a Kinesis.
type connector func(t *testing.T, k *Kinesis) *kinesis.Client

// inBothEncodings runs a test with the SDK's client, which uses JSON, and with one that uses CBOR.
func inBothEncodings(t *testing.T, test func(t *testing.T, connect connector)) {
	t.Run("JSON", func(t *testing.T) { test(t, sdkClient) })
	t.Run("CBOR", func(t *testing.T) {
		test(t, func(t *testing.T, k *Kinesis) *kinesis.Client {
			t.Helper()
			options := sdkClient(t, k).Options()
			options.Protocol = cborProtocol{rpcv2.NewCBOR(schemas.Kinesis_20131202)}
			return kinesis.New(options)
		})
	})
}

// cborProtocol is the protocol of other SDKs: CBOR, with the HTTP headers of AWS JSON.
type cborProtocol struct{ *rpcv2.Protocol }

func (p cborProtocol) SerializeRequest(
	ctx context.Context, schema *smithy.OperationSchema, in smithy.Serializable, r *smithyhttp.Request,
) error {
	if err := p.Protocol.SerializeRequest(ctx, schema, in, r); err != nil {
		return err
	}
	r.URL.Path = "/"
	r.Header.Set("X-Amz-Target", "Kinesis_20131202."+schema.ID().Name)
	r.Header.Set("Content-Type", "application/x-amz-cbor-1.1")
	return nil
}

// TestSDKWritesAndReads creates, uses, reshards and deletes a stream with the SDK's client.
func TestSDKWritesAndReads(t *testing.T) {
	inBothEncodings(t, func(t *testing.T, connect connector) {
		k := New(Config{})
		c := connect(t, k)
		ctx, name := t.Context(), aws.String(events)
		arn := aws.String("arn:aws:kinesis:us-east-1:000000000000:stream/events")
		_, err := c.CreateStream(ctx, &kinesis.CreateStreamInput{
			StreamName: name, ShardCount: aws.Int32(1), MaxRecordSizeInKiB: aws.Int32(2048),
		})
		require.NoError(t, err)
		_, err = c.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: name, ShardCount: aws.Int32(1)})
		requireCode(t, CodeResourceInUse, err)

		data := []byte{0, 1, 0xfe, 0xff, '"', '\\'}
		put, err := c.PutRecords(ctx, &kinesis.PutRecordsInput{StreamARN: arn, Records: []types.PutRecordsRequestEntry{
			{Data: data, PartitionKey: aws.String("ключ \"1\"")}, {Data: []byte{}, PartitionKey: aws.String("b")},
		}})
		require.NoError(t, err)
		assert.Equal(t, int32(0), *put.FailedRecordCount)
		one, err := c.PutRecord(ctx, &kinesis.PutRecordInput{
			StreamName: name, Data: []byte("single"), PartitionKey: aws.String("c"), ExplicitHashKey: aws.String("5"),
		})
		require.NoError(t, err)
		assert.Equal(t, "shardId-000000000000", *one.ShardId)
		assert.Equal(t, data, k.Records(events)[0].Data)
		assert.Equal(t, "5", k.Records(events)[2].ExplicitHashKey)

		_, err = c.SplitShard(ctx, &kinesis.SplitShardInput{
			StreamARN: arn, ShardToSplit: aws.String("shardId-000000000000"), NewStartingHashKey: aws.String("10"),
		})
		require.NoError(t, err)
		read := readShard(t, c, "shardId-000000000000", 1)
		require.Len(t, read.records, 3)
		assert.Equal(t, data, read.records[0].Data)
		assert.Equal(t, "ключ \"1\"", *read.records[0].PartitionKey)
		assert.Equal(t, *put.Records[1].SequenceNumber, *read.records[1].SequenceNumber)
		assert.WithinDuration(t, time.Now(), *read.records[2].ApproximateArrivalTimestamp, time.Minute)
		require.Len(t, read.children, 2, "the end of a closed shard tells what comes next")
		assert.Equal(t, types.ChildShard{
			ShardId: aws.String("shardId-000000000001"), ParentShards: []string{"shardId-000000000000"},
			HashKeyRange: &types.HashKeyRange{StartingHashKey: aws.String("0"), EndingHashKey: aws.String("9")},
		}, read.children[0])

		_, err = c.MergeShards(ctx, &kinesis.MergeShardsInput{
			StreamName: name, ShardToMerge: aws.String("shardId-000000000002"),
			AdjacentShardToMerge: aws.String("shardId-000000000001"),
		})
		require.NoError(t, err)
		read = readShard(t, c, "shardId-000000000001", 10)
		require.Len(t, read.children, 1)
		assert.Equal(t, []string{"shardId-000000000002", "shardId-000000000001"}, read.children[0].ParentShards)

		_, err = c.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: name})
		require.NoError(t, err)
		_, err = c.DescribeStream(ctx, &kinesis.DescribeStreamInput{StreamName: name})
		requireCode(t, CodeResourceNotFound, err)
	})
}

// shardRead is the result of reading a shard to its end.
type shardRead struct {
	records  []types.Record
	children []types.ChildShard
}

// readShard reads a closed shard of events from its start to its end.
func readShard(t *testing.T, c *kinesis.Client, shardID string, limit int32) (read shardRead) {
	t.Helper()
	start, err := c.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
		StreamName: aws.String(events), ShardId: &shardID, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	require.NoError(t, err)
	for next := start.ShardIterator; next != nil; {
		out, err := c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: next, Limit: &limit})
		require.NoError(t, err)
		assert.LessOrEqual(t, len(out.Records), int(limit))
		read.records = append(read.records, out.Records...)
		read.children = out.ChildShards
		next = out.NextShardIterator
	}
	return read
}

func TestSDKDescribes(t *testing.T) {
	inBothEncodings(t, func(t *testing.T, connect connector) {
		k := New(Config{}, Stream{Name: "b", Shards: 3, MaxRecordSize: 10 << 20}, Stream{Name: "a", Shards: 1},
			Stream{Name: "c", Shards: 1, Distribution: types.RecordDistributionStrategyAuto})
		_, _, err := k.SplitShard("b", "shardId-000000000000", "")
		require.NoError(t, err)
		c, ctx := connect(t, k), t.Context()

		for _, description := range []client{k, c} {
			in := &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("b")}
			summary, err := description.DescribeStreamSummary(ctx, in)
			require.NoError(t, err)
			got := summary.StreamDescriptionSummary
			assert.WithinDuration(t, time.Now(), *got.StreamCreationTimestamp, time.Minute)
			got.StreamCreationTimestamp = nil
			assert.Equal(t, &types.StreamDescriptionSummary{
				StreamName: aws.String("b"), StreamARN: aws.String("arn:aws:kinesis:us-east-1:000000000000:stream/b"),
				StreamStatus: "ACTIVE", StreamModeDetails: &types.StreamModeDetails{StreamMode: "PROVISIONED"},
				RetentionPeriodHours: aws.Int32(24), EncryptionType: "NONE", ConsumerCount: aws.Int32(0),
				EnhancedMonitoring: []types.EnhancedMetrics{{ShardLevelMetrics: []types.MetricsName{}}},
				OpenShardCount:     aws.Int32(4), MaxRecordSizeInKiB: aws.Int32(10240),
				RecordDistributionStrategy: "USER_PARTITION_KEY",
			}, got)
			in.StreamName = aws.String("c")
			summary, err = description.DescribeStreamSummary(ctx, in)
			require.NoError(t, err)
			assert.Equal(t, types.RecordDistributionStrategyAuto, summary.StreamDescriptionSummary.RecordDistributionStrategy)
		}

		var ids []string
		in := &kinesis.DescribeStreamInput{StreamName: aws.String("b"), Limit: aws.Int32(2)}
		for more := true; more; {
			out, err := c.DescribeStream(ctx, in)
			require.NoError(t, err)
			for _, sh := range out.StreamDescription.Shards {
				ids = append(ids, *sh.ShardId)
			}
			in.ExclusiveStartShardId = &ids[len(ids)-1]
			more = *out.StreamDescription.HasMoreShards
		}
		assert.Equal(t, []string{
			"shardId-000000000000", "shardId-000000000001", "shardId-000000000002", "shardId-000000000003",
			"shardId-000000000004",
		}, ids)
	})
}

func TestSDKLists(t *testing.T) {
	inBothEncodings(t, func(t *testing.T, connect connector) {
		k := New(Config{}, Stream{Name: "b", Shards: 4}, Stream{Name: "a", Shards: 1}, Stream{Name: "c", Shards: 1})
		c, ctx := connect(t, k), t.Context()

		var names []string
		pages := kinesis.NewListStreamsPaginator(c, &kinesis.ListStreamsInput{Limit: aws.Int32(2)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			require.NoError(t, err)
			assert.Len(t, page.StreamSummaries, len(page.StreamNames))
			names = append(names, page.StreamNames...)
		}
		assert.Equal(t, []string{"a", "b", "c"}, names)

		listed, err := c.ListShards(ctx, &kinesis.ListShardsInput{StreamName: aws.String("b")})
		require.NoError(t, err)
		direct, err := k.ListShards(ctx, &kinesis.ListShardsInput{StreamName: aws.String("b")})
		require.NoError(t, err)
		assert.Equal(t, direct.Shards, listed.Shards, "the wire changes nothing")
		for when, want := range map[time.Time]int{time.Now().Add(-time.Hour): 0, time.Now().Add(time.Hour): 4} {
			filter := &types.ShardFilter{Type: types.ShardFilterTypeAtTimestamp, Timestamp: &when}
			listed, err = c.ListShards(ctx, &kinesis.ListShardsInput{
				StreamName: aws.String("b"), ShardFilter: filter,
			})
			require.NoError(t, err)
			assert.Len(t, listed.Shards, want)
		}
	})
}

func TestSDKPutRecordFails(t *testing.T) {
	inBothEncodings(t, func(t *testing.T, connect connector) {
		k := New(Config{}, Stream{Name: events, Shards: 1})
		c := connect(t, k)
		k.Inject(FailRecordFraction(CodeThrottled, 1))
		_, err := c.PutRecord(t.Context(), &kinesis.PutRecordInput{
			StreamName: aws.String(events), Data: []byte("x"), PartitionKey: aws.String("a"),
		})
		var throttled *types.ProvisionedThroughputExceededException
		require.ErrorAs(t, err, &throttled)
		assert.Equal(t, "Rate exceeded for shard shardId-000000000000 in stream events under account 000000000000.",
			*throttled.Message)
	})
}

func TestSDKSendsTheLargestRequest(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 1, MaxRecordSize: 10 << 20})
	_, err := sdkClient(t, k).PutRecords(t.Context(), putInput(entry("a", "", strings.Repeat("x", 10<<20-1))))
	require.NoError(t, err)
	assert.Equal(t, 10<<20, k.Calls(OpPutRecords)[0].Bytes)
}

func TestHandlerAnswers(t *testing.T) {
	const jsonType = "application/x-amz-json-1.1"
	list := `{"StreamName":"events","ShardFilter":{"Type":"AT_TIMESTAMP","Timestamp":1e9}}`
	tests := []struct {
		name        string
		target      string
		contentType string
		body        string
		status      int
		code        string
	}{
		{"good", "Kinesis_20131202.ListShards", jsonType, list, 200, ""},
		{"no target", "", jsonType, list, 400, CodeUnknownOperation},
		{"another service", "DynamoDB_20120810.ListTables", jsonType, "{}", 400, CodeUnknownOperation},
		{"another operation", "Kinesis_20131202.SubscribeToShard", jsonType, "{}", 400, CodeUnknownOperation},
		{"XML", "Kinesis_20131202.ListShards", "text/xml", "<a/>", 400, CodeSerialization},
		{"no JSON", "Kinesis_20131202.ListShards", jsonType, "{", 400, CodeSerialization},
		{"no base64", "Kinesis_20131202.PutRecord", jsonType, `{"Data":"%"}`, 400, CodeSerialization},
		{
			"no time", "Kinesis_20131202.GetShardIterator", jsonType, `{"Timestamp":"2026-01-01T00:00:00Z"}`,
			400, CodeSerialization,
		},
		{
			"no data", "Kinesis_20131202.PutRecord", jsonType, `{"StreamName":"events","PartitionKey":"a"}`,
			400, CodeValidation,
		},
		{"too large", "Kinesis_20131202.PutRecord", jsonType, strings.Repeat(" ", 32<<20+1), 400, CodeSerialization},
		{"split without a key", "Kinesis_20131202.SplitShard", jsonType, `{"StreamName":"events"}`, 400, CodeValidation},
	}
	handler := New(Config{}, Stream{Name: events, Shards: 1}).Handler()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(tt.body))
			request.Header.Set("X-Amz-Target", tt.target)
			request.Header.Set("Content-Type", tt.contentType)
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			assert.Equal(t, tt.status, answer.Code)
			assert.NotEmpty(t, answer.Header().Get("x-amzn-RequestId"))
			assert.Equal(t, tt.code, answer.Header().Get("X-Amzn-ErrorType"))
			assert.Equal(t, jsonType, answer.Header().Get("Content-Type"))
			var body struct {
				Type    string `json:"__type"`
				Message string
			}
			require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &body))
			assert.Equal(t, tt.code, body.Type)
			assert.Equal(t, tt.code == "", body.Message == "")
		})
	}
}

func TestHandlerRequestIDsDiffer(t *testing.T) {
	handler := New(Config{}).Handler()
	seen := map[string]bool{}
	for range 3 {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody))
		seen[answer.Header().Get("X-Amzn-Requestid")] = true
	}
	assert.Len(t, seen, 3)
}

// TestHandlerCutsInTheMiddle looks at the bytes of a broken answer.
func TestHandlerCutsInTheMiddle(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 1})
	k.Inject(Break(ConnectionCut))
	server := httptest.NewServer(k.Handler())
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL,
		bytes.NewReader([]byte(`{"StreamName":"events","Records":[{"Data":"eA==","PartitionKey":"a"}]}`)))
	require.NoError(t, err)
	request.Header.Set("X-Amz-Target", "Kinesis_20131202.PutRecords")
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	response, err := server.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusOK, response.StatusCode)
	body, err := io.ReadAll(response.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Len(t, body, int(response.ContentLength)/2)
	assert.Len(t, k.Records(events), 1)
}

func TestHandlerAnswersInCBORWhereItIsServed(t *testing.T) {
	const cborType = "application/x-amz-cbor-1.1"
	for _, tt := range []struct {
		name     string
		jsonOnly bool
		body     string
		answer   string // its content type
	}{
		{"no CBOR", false, "\xff", cborType},
		{"half a map", false, "\xbf\x6aStreamName", cborType},
		{"a list", false, "\x80", cborType},
		{"not served", true, "\xa0", "application/x-amz-json-1.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(tt.body))
			request.Header.Set("X-Amz-Target", "Kinesis_20131202.ListShards")
			request.Header.Set("Content-Type", cborType)
			answer := httptest.NewRecorder()
			New(Config{JSONOnly: tt.jsonOnly}, Stream{Name: events, Shards: 1}).Handler().ServeHTTP(answer, request)
			assert.Equal(t, http.StatusBadRequest, answer.Code)
			assert.Equal(t, tt.answer, answer.Header().Get("Content-Type"))
			assert.Contains(t, answer.Body.String(), CodeSerialization)
		})
	}
}
