// Package kpltest is Amazon Kinesis Data Streams for tests: a stand-in that stores records in memory, routes them to
// shards as the service does, enforces the service's limits, and fails in the ways in which the service and the network
// fail, when and as often as a test asks.
//
// A [Kinesis] has the methods of the SDK's client that a producer calls, so a test hands it to the producer in the
// client's place. Nothing leaves the process then and no goroutine is started, which makes it fit for testing/synctest:
//
//	k := kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{Name: "events", Shards: 4})
//	producer, err := kpl.New(k, kpl.Config{})
//
// [Kinesis.Handler] serves the same, and what else a reader needs, to real clients over HTTP.
//
// # Faults
//
// A [Fault] is asked about each call as it arrives and returns the [Action] to take. There are faults for the common
// cases, faults that pick the calls another fault is for, and any function of that type will do:
//
//	k.Inject(kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2))              // until told otherwise
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
// What a fault draws at random depends on [Config.Seed] and on the call alone, so the same calls fail every time.
// Without ForOperation a fault is for all operations, ListShards too.
//
// # Looking inside
//
// [Kinesis.Records] returns what is stored, [Kinesis.UserRecords] what a reader with the Kinesis Client Library gets to
// see of it, [Kinesis.DroppedAggregates] what such a reader loses; [Remains] has the same of a stream that was deleted
// with [Kinesis.TakeStream]. [Kinesis.Calls] is the log of calls.
// [Kinesis.WaitRecords] and [Kinesis.WaitCalls] wait for what is to come without polling.
//
// # Differences to the service
//
// Streams are there, split and merged at once. Records stay until the stream is deleted. Sequence numbers count, for
// all streams together. Permissions, encryption, consumers and tags do not exist, and reading is not limited.
package kpltest
