// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

func Example() {
	k := kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{Name: "events", Shards: 2})
	k.Inject(kpltest.Times(1, kpltest.FailCall(kpltest.CodeInternalFailure)))

	in := &kinesis.PutRecordsInput{
		StreamName: aws.String("events"),
		Records: []types.PutRecordsRequestEntry{
			{PartitionKey: aws.String("pk1"), Data: []byte("hello")},
			{PartitionKey: aws.String("pk2"), Data: []byte("world")},
		},
	}
	_, err := k.PutRecords(context.Background(), in)
	fmt.Println("first try:", err != nil)
	_, err = k.PutRecords(context.Background(), in)
	fmt.Println("second try:", err != nil)

	for _, record := range k.UserRecords("events") {
		fmt.Println(record.ShardID, string(record.Data))
	}
	for _, call := range k.Calls(kpltest.OpPutRecords) {
		fmt.Printf("%d records, %d bytes: %q\n", call.Records, call.Bytes, call.Code)
	}
	// Output:
	// first try: true
	// second try: false
	// shardId-000000000001 hello
	// shardId-000000000000 world
	// 2 records, 16 bytes: "InternalFailure"
	// 2 records, 16 bytes: ""
}
