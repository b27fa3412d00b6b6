// Package kpl sends records to Amazon Kinesis Data Streams as the Kinesis Producer Library (KPL) does: it packs many
// small user records into few Kinesis records, sends them in few requests, keeps to the limits of each shard, tries
// again what failed, and says of every single record what became of it.
//
//	producer, err := kpl.NewFromConfig(awsConfig, kpl.Config{})
//	...
//	result, err := producer.PutWait(ctx, kpl.UserRecord{Stream: "events", PartitionKey: "user-7", Data: payload})
//
// Consumers read the records with the Kinesis Client Library, AWS Lambda or Firehose, all of which know the KPL's
// format, or with [Deaggregate].
//
// # The way of a record
//
//	Put -> aggregator -> limiter -> collector -> sender -> retrier -> Result
//	           ^------------------ again ------------------|
//
// [Producer.Put] checks the record and waits for room. The aggregator joins it with others for the same predicted
// shard into one Kinesis record, which leaves when it is full, when its oldest member has waited for
// [Config.RecordMaxBufferedTime], or when no further record can arrive. The limiter holds it until its shard may take
// it. The collector puts Kinesis records of all shards into a PutRecords request, the sender carries it out, and the
// retrier decides what the answer means for each record: delivered, again, or an end.
//
// Every stream has a pipeline of its own, which starts with its first record. One goroutine owns all its stages;
// another few encode and send; one keeps the map of the shards; one hands Results over.
//
// # What is guaranteed
//
//   - Every record that Put accepted gets exactly one [Result], after Close at the latest.
//   - A success is where readers find it: not on a shard whose readers would drop the aggregate it is in. Two kinds of
//     stream can break that unnoticed: one that chooses shards itself, if the producer may not ask what it is (set
//     [Config.AggregationEnabled] to false there), and one that was deleted and made anew while nothing was sent.
//   - A record that the service will never accept takes no other record with it.
//   - The producer holds no more than [Config.MaxOutstandingRecords] and [Config.MaxOutstandingBytes]; Put blocks.
//   - No record is sent after [Config.RecordTTL].
//   - It works without permission for ListShards: with smaller aggregates for records that have partition keys of
//     their own, and no difference for those that have none.
//
// # What is not
//
//   - Order. Records of one partition key overtake each other when one of them is retried, and when two requests for a
//     shard are in flight.
//   - That a record is stored once. If an answer is lost the record may have been stored, and is sent again. The same
//     goes for the members of an aggregate that landed on a shard which does not serve all of them: readers that know
//     hash key ranges, as the Kinesis Client Library does, skip the first copy; others see both.
//   - That a record which failed was not stored: the last answer may have been the one that was lost.
//
// # Words
//
// A user record is what a caller puts, a Kinesis record what the service stores: a user record as it is, or an
// aggregated record of several. The hash key, the MD5 of the partition key or the explicit hash key given with it,
// decides the shard: the predicted one by our map, the actual one by the service's. An attempt is one trip in a
// PutRecords call, with an outcome; the Result is the end. The deadline is when to send a record at the latest, the
// expiry when to give it up.
package kpl
