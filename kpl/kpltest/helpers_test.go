// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// events is the name of a stream.
const events = "events"

// entry returns a record to put. An empty explicitHashKey means none.
func entry(partitionKey, explicitHashKey, data string) types.PutRecordsRequestEntry {
	e := types.PutRecordsRequestEntry{PartitionKey: aws.String(partitionKey), Data: []byte(data)}
	if explicitHashKey != "" {
		e.ExplicitHashKey = aws.String(explicitHashKey)
	}
	return e
}

func putInput(entries ...types.PutRecordsRequestEntry) *kinesis.PutRecordsInput {
	return &kinesis.PutRecordsInput{StreamName: aws.String(events), Records: entries}
}

// sdkClient returns the SDK's client for a Kinesis that is served over HTTP until the test ends.
func sdkClient(t *testing.T, k *Kinesis) *kinesis.Client {
	t.Helper()
	server := httptest.NewServer(k.Handler())
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return NewClient(server.URL, transport)
}
