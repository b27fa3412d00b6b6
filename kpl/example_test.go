// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// A stand-in for the service. A program calls kpl.NewFromConfig(awsConfig, kpl.Config{}) instead of kpl.New.
func newClient() kpl.Client {
	return kpltest.New(kpltest.Config{}, kpltest.Stream{Name: "events", Shards: 1})
}

func Example() {
	ctx := context.Background()
	producer, err := kpl.New(newClient(), kpl.Config{})
	if err != nil {
		panic(err)
	}
	result, err := producer.PutWait(ctx, kpl.UserRecord{Stream: "events", PartitionKey: "user-7", Data: []byte("hello")})
	if err != nil {
		panic(err) // the record was not delivered
	}
	fmt.Println(result.Outcome(), result.ShardID, len(result.Attempts))
	if err := producer.Close(ctx); err != nil {
		panic(err)
	}
	// Output: success shardId-000000000000 1
}

func ExampleProducer_Put() {
	ctx := context.Background()
	producer, err := kpl.New(newClient(), kpl.Config{})
	if err != nil {
		panic(err)
	}
	for _, word := range []string{"one", "two", "three"} {
		record := kpl.UserRecord{Stream: "events", Data: []byte(word)} // no partition key: any shard will do
		err := producer.Put(ctx, record, func(result kpl.Result) {
			if result.Err != nil {
				fmt.Println(word, "was not delivered:", result.Err)
			}
		})
		if err != nil {
			fmt.Println(word, "was not accepted:", err)
		}
	}
	if err := producer.Close(ctx); err != nil { // waits for the Results
		panic(err)
	}
	fmt.Println(producer.Stats().OutstandingRecords, "left")
	// Output: 0 left
}

func ExampleBatch() {
	ctx := context.Background()
	producer, err := kpl.New(newClient(), kpl.Config{})
	if err != nil {
		panic(err)
	}
	batch := producer.NewBatch()
	for _, data := range []string{"one", strings.Repeat("two", 1_000_000), "three"} {
		_ = batch.Put(ctx, kpl.UserRecord{Stream: "events", PartitionKey: "key", Data: []byte(data)}) // see its Result
	}
	for i, result := range batch.Wait(ctx) {
		fmt.Println(i, result.Outcome(), result.Err)
	}
	if err := producer.Close(ctx); err != nil {
		panic(err)
	}
	// Output:
	// 0 success <nil>
	// 1 rejected kpl: user record too large: 3000003 bytes with its partition key, the limit is 1048576
	// 2 success <nil>
}

func ExampleObserver() {
	ctx := context.Background()
	observer := kpl.Observer{
		RequestFinished: func(e kpl.RequestEvent) { fmt.Println("Kinesis records sent:", len(e.Entries)) },
		RecordFinished:  func(e kpl.RecordEvent) { fmt.Println("user record:", e.Result.Outcome()) },
	}
	producer, err := kpl.New(newClient(), kpl.Config{Observer: observer})
	if err != nil {
		panic(err)
	}
	if err := producer.Put(ctx, kpl.UserRecord{Stream: "events", Data: []byte("hello")}, nil); err != nil {
		panic(err)
	}
	if err := producer.Close(ctx); err != nil {
		panic(err)
	}
	// Output:
	// Kinesis records sent: 1
	// user record: success
}

func ExampleDeaggregateRecord() {
	record := types.Record{Data: []byte("a record as it is"), PartitionKey: aws.String("user-7")}
	for _, member := range kpl.DeaggregateRecord(&record) {
		fmt.Printf("%s: %s\n", member.PartitionKey, member.Data)
	}
	// Output: user-7: a record as it is
}

func ExampleConfig_Validate() {
	err := kpl.Config{RecordTTL: 50 * time.Millisecond, MaxConnections: -1}.Validate()
	if fields, ok := errors.AsType[kpl.FieldErrors](err); ok {
		for _, f := range fields {
			fmt.Println(f.Field, f.Reason)
		}
	}
	// Output:
	// RecordTTL must be more than 100ms
	// MaxConnections must be from 1 to 10000
}
