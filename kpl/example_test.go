package kpl_test

import (
	"context"
	"fmt"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// A stand-in for the service; a program has kinesis.NewFromConfig(awsConfig) in its place.
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
		panic(err) // the record was not accepted
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
	workers := producer.NewCallerGroup(1) // one worker: while it waits, nobody else can put anything
	batch := workers.NewBatch()
	for _, word := range []string{"one", "two", "three"} {
		if err := batch.Put(ctx, kpl.UserRecord{Stream: "events", PartitionKey: word, Data: []byte(word)}); err != nil {
			panic(err)
		}
	}
	for i, result := range batch.Wait(ctx) {
		fmt.Println(i, result.Outcome())
	}
	if err := producer.Close(ctx); err != nil {
		panic(err)
	}
	// Output:
	// 0 success
	// 1 success
	// 2 success
}
