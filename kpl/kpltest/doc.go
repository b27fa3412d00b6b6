// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package kpltest is Amazon Kinesis Data Streams for tests. It stores records in memory, routes them to shards as the
// service does, and enforces the limits of the service. A test can make it fail as the service and the network fail, when
// the test wants and as often as it wants.
//
// A [Kinesis] has the methods of the SDK's client that a producer calls. A test gives the Kinesis to the producer in place of
// the client. Then nothing leaves the process and no goroutine is started, so the test can run in testing/synctest:
//
//	k := kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{Name: "events", Shards: 4})
//	producer, err := kpl.New(k, kpl.Config{})
//
// [Kinesis.Handler] serves the same API, and the calls that readers need, to real clients over HTTP.
//
// # Faults
//
// A [Fault] is a function. It is called for each call that arrives, and returns the [Action] to take. This package has
// faults for the common cases, and functions that limit a fault to some of the calls. A test can write its own:
//
//	k.Inject(kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2))              // 1 in 5 records, from now on
//	k.Inject(kpltest.Times(3, kpltest.FailCall(kpltest.CodeInternalFailure)))     // the next 3 calls
//	k.Inject(kpltest.ForOperation(kpltest.OpPutRecords,                           // 1 in 10 PutRecords calls,
//		kpltest.ForStream("events",                                               // on one stream,
//			kpltest.Fraction(0.1, kpltest.Break(kpltest.ConnectionCut)))))        // is stored but not answered
//	allow := k.Inject(kpltest.ForOperation(kpltest.OpListShards, kpltest.FailCall(kpltest.CodeAccessDenied)))
//	allow() // ends the fault
//	k.Inject(func(call *kpltest.Call) kpltest.Action { // latency that grows
//		return kpltest.Action{Delay: time.Duration(call.Number) * time.Millisecond}
//	})
//
// The random numbers of a fault depend only on [Config.Seed] and on the call, so the same calls fail in every run.
// A fault without ForOperation is for all operations, also for ListShards.
//
// # Looking inside
//
// [Kinesis.Records] returns the Kinesis records that are stored. [Kinesis.UserRecords] returns the user records that a reader
// with the Kinesis Client Library (KCL) gets, and [Kinesis.DroppedAggregates] the aggregated records that such a reader drops.
// [Kinesis.TakeStream] deletes a stream and returns its records. [Kinesis.Calls] returns the log of calls.
// [Kinesis.WaitRecords] and [Kinesis.WaitCalls] wait for records and calls without polling.
//
// # Differences to the service
//
// Creating, deleting, splitting and merging take no time. Records stay until their stream is deleted. Sequence numbers are
// consecutive over all streams. There are no permissions, encryption, registered consumers and tags. Reading has no rate limit.
package kpltest
