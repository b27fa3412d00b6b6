// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package sink_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/sink"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// serve starts a sink and returns an SDK client and a control for it.
func serve(t *testing.T, shards int) (*kinesis.Client, sink.Control) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error)
	go func() { ended <- sink.New(shards).Serve(listener) }()
	t.Cleanup(func() {
		assert.NoError(t, listener.Close())
		assert.ErrorIs(t, <-ended, net.ErrClosed)
	})
	url := "http://" + listener.Addr().String()
	return kinesis.New(kinesis.Options{
		Region: "us-west-2", BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}), sink.Control{Endpoint: url}
}

// record returns a record of so many bytes, partition key included.
func record(size int, key string) types.PutRecordsRequestEntry {
	return types.PutRecordsRequestEntry{Data: make([]byte, size-len(key)), PartitionKey: &key}
}

func TestPutRecordsIsCounted(t *testing.T) {
	client, control := serve(t, 4)
	input := &kinesis.PutRecordsInput{StreamName: aws.String("any"), Records: []types.PutRecordsRequestEntry{
		record(10, "a"), record(11, "b"), record(12, "c"), // each with another padding in base64
		record(25_600, "d"), record(25_601, "e"), record(300_000, strings.Repeat("f", 256)),
	}}
	output, err := client.PutRecords(t.Context(), input)
	require.NoError(t, err)
	assert.Len(t, output.Records, 6)
	assert.Zero(t, *output.FailedRecordCount)

	counts, err := control.Counts(t.Context())
	require.NoError(t, err)
	assert.Greater(t, counts.Wire, (10+11+12+25_600+25_601+300_000)*4/3)
	counts.Wire = 0
	assert.Equal(t, result.Counts{
		Calls: 1, Records: 6, Bytes: 10 + 11 + 12 + 25_600 + 25_601 + 300_000, PutUnits: 1 + 1 + 1 + 1 + 2 + 12,
	}, counts)

	require.NoError(t, control.Reset(t.Context()))
	counts, err = control.Counts(t.Context())
	require.NoError(t, err)
	assert.Zero(t, counts.Records)
}

// The shard of a record is the one whose listed range has the hash key of the record.
func TestShards(t *testing.T) {
	client, _ := serve(t, 3)
	listed, err := client.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String("any")})
	require.NoError(t, err)
	require.Len(t, listed.Shards, 3)
	for _, shard := range listed.Shards {
		for _, key := range []*string{shard.HashKeyRange.StartingHashKey, shard.HashKeyRange.EndingHashKey} {
			r := record(100, "any")
			r.ExplicitHashKey = key
			output, err := client.PutRecords(t.Context(), &kinesis.PutRecordsInput{
				StreamName: aws.String("any"), Records: []types.PutRecordsRequestEntry{r},
			})
			require.NoError(t, err)
			assert.Equal(t, *shard.ShardId, *output.Records[0].ShardId)
		}
	}
	output, err := client.PutRecords(t.Context(), &kinesis.PutRecordsInput{
		StreamName: aws.String("any"), Records: []types.PutRecordsRequestEntry{record(100, "a")}, // its MD5 begins with 0c
	})
	require.NoError(t, err)
	assert.Equal(t, "shardId-000000000000", *output.Records[0].ShardId)
}

func TestDescribe(t *testing.T) {
	client, _ := serve(t, 2)
	stream, err := client.DescribeStream(t.Context(), &kinesis.DescribeStreamInput{StreamName: aws.String("any")})
	require.NoError(t, err)
	assert.Len(t, stream.StreamDescription.Shards, 2)
	summary, err := client.DescribeStreamSummary(t.Context(),
		&kinesis.DescribeStreamSummaryInput{StreamName: aws.String("any")})
	require.NoError(t, err)
	assert.Equal(t, types.StreamStatusActive, summary.StreamDescriptionSummary.StreamStatus)
}

func TestUnknownOperation(t *testing.T) {
	client, _ := serve(t, 1)
	_, err := client.ListStreams(t.Context(), &kinesis.ListStreamsInput{}, func(o *kinesis.Options) {
		o.Retryer = aws.NopRetryer{}
	})
	assert.ErrorContains(t, err, "UnknownOperationException")
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sink.New(1)
		s.Delay = 10 * time.Millisecond
		began := time.Now()
		assert.Equal(t, http.StatusOK, status(t, s, `{"Records":[{"Data":"AAAA","PartitionKey":"a"}]}`))
		assert.Equal(t, s.Delay, time.Since(began))
	})
}

// A request that cannot be read gets an error and is not counted.
func TestUnreadableRequestsGetAnError(t *testing.T) {
	s := sink.New(2)
	for name, body := range map[string]string{
		"no records":       `{"StreamName":"any"}`,
		"no object":        `{"Records":["a"]}`,
		"unfinished":       `{"Records":[{"Data":"AAAA","PartitionKey":"a"`,
		"no value":         `{"Records":[{"Data"}]}`,
		"unfinished value": `{"Records":[{"Data":"AAAA`,
		"bad hash key":     `{"Records":[{"Data":"AAAA","PartitionKey":"a","ExplicitHashKey":"x"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, http.StatusBadRequest, status(t, s, body))
			assert.Zero(t, s.Counts())
		})
	}
	assert.Equal(t, http.StatusOK, status(t, s, `{"Records":[{"Data":"AAAA","PartitionKey":"a"}]}`))
}

// status puts a body and returns the status of the answer.
func status(t *testing.T, s *sink.Sink, body string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "Kinesis_20131202.PutRecords")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code
}

// The requests of kinesis_kpl in CBOR are counted and answered as the same requests in JSON.
func TestCBORIsCountedAsJSONIs(t *testing.T) {
	client, control := serve(t, 4)
	var counts [2]result.Counts
	for i, protocol := range []kpl.WireProtocol{kpl.WireAuto, kpl.WireJSON} {
		require.NoError(t, control.Reset(t.Context()))
		config := kpl.Config{}.WithDefaults()
		config.WireProtocol, config.AggregationFormat, config.RecordTTL = protocol, kpl.AggregationNone, time.Minute
		p, err := kpl.New(client, config)
		require.NoError(t, err)
		for _, size := range []int{1, 22, 23, 254, 255, 256, 25_599, 25_600, 70_000} {
			got, err := p.PutWait(t.Context(), kpl.UserRecord{Stream: "any", PartitionKey: "a", Data: make([]byte, size)})
			require.NoError(t, err)
			require.NoError(t, got.Err)
			assert.Equal(t, kpl.ShardID("shardId-000000000000"), got.ShardID)
			assert.NotEmpty(t, got.SequenceNumber)
			require.Len(t, got.Attempts, 1)
		}
		require.NoError(t, p.Close(t.Context()))
		counts[i], err = control.Counts(t.Context())
		require.NoError(t, err)
	}
	assert.Less(t, counts[0].Wire, counts[1].Wire, "CBOR is shorter")
	counts[0].Wire, counts[1].Wire = 0, 0
	assert.Equal(t, counts[1], counts[0])
	assert.Equal(t, 9, counts[0].Calls)
	assert.Equal(t, 8+1+3, counts[0].PutUnits)
}

func TestRequestsInCBORThatAreNone(t *testing.T) {
	const good = "\xbf\x67Records\x9f\xbf\x64Data\x41x\x6cPartitionKey\x61a\xff\xff\xff"
	for end := range len(good) + 1 {
		answer := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(good[:end]))
		r.Header.Set("X-Amz-Target", "Kinesis_20131202.PutRecords")
		r.Header.Set("Content-Type", "application/x-amz-cbor-1.1")
		sink.New(1).ServeHTTP(answer, r)
		assert.Equal(t, end >= len(good)-1, answer.Code == http.StatusOK, "%d bytes", end)
	}
}
