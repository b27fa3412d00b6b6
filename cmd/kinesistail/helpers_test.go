// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"crypto/md5"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const stream = "telemetry"

// Hash keys by which the records of these tests choose their shard.
const (
	lowestHashKey  = "0"
	highestHashKey = "340282366920938463463374607431768211455"
)

// put stores records: each is text with the explicit hash key before it, as in "0 text".
func put(t *testing.T, k *kpltest.Kinesis, records ...string) {
	t.Helper()
	for _, r := range records {
		hashKey, data, _ := strings.Cut(r, " ")
		putData(t, k, hashKey, []byte(data))
	}
}

// putData stores a record with the partition key "pk".
func putData(t *testing.T, k *kpltest.Kinesis, hashKey string, data []byte) {
	t.Helper()
	_, err := k.PutRecords(context.WithoutCancel(t.Context()), &kinesis.PutRecordsInput{
		StreamName: aws.String(stream),
		Records: []types.PutRecordsRequestEntry{
			{PartitionKey: aws.String("pk"), ExplicitHashKey: aws.String(hashKey), Data: data},
		},
	})
	require.NoError(t, err)
}

// aggregate frames user records as the KPL does. Each has the partition key "member" and the explicit hash key given.
func aggregate(hashKey string, data ...[]byte) []byte {
	bytesField := func(b []byte, number protowire.Number, value []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), value)
	}
	indexField := func(b []byte, number protowire.Number) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), 0)
	}
	message := bytesField(nil, 1, []byte("member"))
	message = bytesField(message, 2, []byte(hashKey))
	for _, d := range data {
		message = bytesField(message, 3, bytesField(indexField(indexField(nil, 1), 2), 3, d))
	}
	return frame(message)
}

// frame puts a message into the frame of an aggregated record.
func frame(message []byte) []byte {
	sum := md5.Sum(message)
	return fmt.Appendf(nil, "\xf3\x89\x9a\xc2%s%s", message, sum[:])
}

// inProcess is an HTTP client that calls a handler directly. Without a network it works in a synctest bubble.
type inProcess struct{ handler http.Handler }

func (c inProcess) Do(r *http.Request) (response *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	defer func() { // A server breaks the connection for this panic.
		switch reason := recover(); reason {
		case nil:
		case any(http.ErrAbortHandler):
			response, err = nil, cmp.Or(r.Context().Err(), http.ErrAbortHandler)
		default:
			panic(reason)
		}
	}()
	recorder := httptest.NewRecorder()
	c.handler.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// newReader returns a reader of k with the SDK's client.
func newReader(k *kpltest.Kinesis) *reader {
	return &reader{stream: stream, client: kinesis.New(kinesis.Options{
		BaseEndpoint: aws.String("https://kinesis.invalid"),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
		HTTPClient:   inProcess{k.Handler()},
		Retryer:      newRetryer(),
	})}
}
