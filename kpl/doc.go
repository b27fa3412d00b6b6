// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package kpl sends records to Amazon Kinesis Data Streams as the Kinesis Producer Library (KPL) does. It packs many small
// user records into few Kinesis records and sends them in few requests. It keeps to the limits of each shard, sends again
// what failed, and reports for every record what became of it.
//
//	producer, err := kpl.NewFromConfig(awsConfig, kpl.Config{}) // the zero Config is the default
//	...
//	result, err := producer.PutWait(ctx, kpl.UserRecord{Stream: "events", PartitionKey: "user-7", Data: payload})
//
// Consumers read the records with the Kinesis Client Library, AWS Lambda or Firehose, which all know the KPL's format, or
// with [DeaggregateRecord]. With [AggregationConcatenated] they need none of these.
//
// # How a record gets to its shard
//
//	Put -> aggregator -> limiter -> collector -> sender -> retrier -> Result
//	           ^------------------ again ------------------|
//
// [Producer.Put] checks the record and waits for room. The aggregator packs it with others for the same predicted shard
// into one Kinesis record. This Kinesis record leaves the aggregator when it is full, when its oldest member has waited for
// [Config.RecordMaxBufferedTime], or earlier if no request is in flight and that is cheap. The limiter holds the Kinesis
// record until its shard has capacity. The collector puts Kinesis records of all shards into a request, and the sender makes
// the PutRecords call. The retrier decides for each record what the answer means: delivered, send again, or failed.
//
// Every stream has a pipeline and a few goroutines of its own. They start with its first record, and end when the stream has
// had none for [StreamIdleTime]. One goroutine owns all stages. Others encode and send, keep the list of the shards up to
// date, and hand Results over.
//
// # What is guaranteed
//
//   - Every record that Put accepted gets exactly one [Result], after Close at the latest.
//   - If the Result is a success, readers find the record. Some readers skip an aggregated record that is stored on a shard
//     which does not serve all its members. The producer notices that and sends the members again.
//     There is one exception: a stream with record distribution AUTO that the producer may neither list nor describe. Set
//     [Config.AggregationFormat] to [AggregationConcatenated] or [AggregationNone] there.
//   - A record that the service will never accept does not make other records fail.
//   - The producer holds no more than [Config.MaxOutstandingRecords] and [Config.MaxOutstandingBytes]. At these bounds Put
//     blocks.
//   - No record is sent after [Config.RecordTTL].
//   - The producer works without permission for ListShards. Aggregated records are then smaller, unless the records have no
//     partition keys.
//
// # What is not guaranteed
//
//   - Order. Records of one partition key can overtake each other in four cases. One of them is sent again. Two requests for
//     a shard are in flight. The list of the shards has arrived or changed. Or, without any fault: a record of more than seven
//     eighths of [Config.AggregationMaxSize] is sent by itself at once, before the open aggregated record of its shard.
//   - That a record is stored only once. If an answer is lost, the record may have been stored, and is sent again. The
//     members of an aggregated record are also sent again if it was stored on a shard that does not serve all of them. Most
//     readers see both copies. The Kinesis Client Library skips the first one, but only once it knows the new shards: for
//     about 30 seconds after a reshard it hands over both.
//   - That a record which failed was not stored. The service may have stored it, and its answer may have been lost.
//
// # Words
//
// A user record is what a caller puts. A Kinesis record is what the service stores: a user record as it is, or an aggregated
// record of several. In the format [AggregationConcatenated], the data of several user records is that of one Kinesis record
// without anything around it, and readers see no aggregated record. A request is one PutRecords call.
//
// The partition key of an aggregated record is that of its members if they all have the same; else it is "a". AWS Lambda makes
// batches by that key.
//
// The hash key decides the shard. It is the MD5 of the partition key, or the explicit hash key beside it. The predicted shard
// is the one that the producer expects, the actual shard the one that the service used.
//
// An attempt is one request with the record. The Result is how the record ended. The deadline of a record is when it is sent
// at the latest. A record expires when the producer gives up on it.
package kpl
