// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// The code between the marks stands in README.md; package internal/docs compares both.

func readmeLibrary(ctx context.Context, awsConfig aws.Config, payload []byte) error {
	// README library {
	producer, err := kpl.NewFromConfig(awsConfig, kpl.Config{}) // the zero Config is the default
	if err != nil {
		return err
	}
	result, err := producer.PutWait(ctx, kpl.UserRecord{Stream: "events", PartitionKey: "user-7", Data: payload})
	if err != nil {
		return err // not delivered, and why
	}
	fmt.Println("stored on", result.ShardID, "as", result.SequenceNumber, "after", len(result.Attempts), "attempts")
	return producer.Close(ctx) // sends what is buffered and waits
	// }
}

func readmeDeaggregate(record *types.Record, handle func(kpl.Member)) {
	// README deaggregate {
	for _, member := range kpl.DeaggregateRecord(record) { // a record that is no aggregate is one member
		handle(member)
	}
	// }
}

func TestReadme(t *testing.T) {
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: "events", Shards: 1})
	server := httptest.NewServer(k.Handler())
	defer server.Close()
	require.NoError(t, readmeLibrary(t.Context(), aws.Config{
		Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: aws.AnonymousCredentials{},
	}, []byte("payload")))
	stored := k.Records("events")
	require.Len(t, stored, 1)
	var handled []kpl.Member
	handle := func(member kpl.Member) { handled = append(handled, member) }
	readmeDeaggregate(&types.Record{PartitionKey: aws.String("user-7"), Data: stored[0].Data}, handle)
	assert.Equal(t, []kpl.Member{{PartitionKey: "user-7", Data: []byte("payload")}}, handled)
}
