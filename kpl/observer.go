// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

// Observer is told what happens inside a [Producer], for metrics and logs. Set the functions that you want to be called,
// and leave the others nil, which costs nothing. New functions and new fields of events may be added later.
//
// Nothing depends on an Observer: what became of a record is in its Result too. The producer's goroutines call the
// functions, several at a time. A function must be safe for concurrent use, return soon, and call nothing of the producer but
// Stats. It may keep an event, but not the slices in it.
//
// Package kplotel has an Observer that makes OpenTelemetry metrics.
type Observer struct {
	// RecordFinished is called once for each user record that Put accepted, just before its Result is handed over.
	RecordFinished func(RecordEvent)
	// RequestFinished is called once for each PutRecords call.
	RequestFinished func(RequestEvent)
	// Misplaced is called when an aggregated record was stored on a shard whose readers skip it. Its members are sent again.
	// The record is in the event of its request as well, as stored.
	Misplaced func(MisplacedEvent)
	// Flushed is called when an aggregated record or a request is complete.
	Flushed func(FlushEvent)
	// ShardsListed is called after each attempt to list the shards of a stream.
	ShardsListed func(ListingEvent)
	// StreamDescribed is called after each DescribeStreamSummary call that worked.
	StreamDescribed func(DescriptionEvent)
	// DistributionChanged is called when the producer learns that it was wrong about who chooses the shard of a record. At
	// first it assumes [DistributionByKey] for every stream, also for one that it has forgotten (see [StreamIdleTime]).
	DistributionChanged func(DistributionEvent)
	// CBORUnsupported is called when the endpoint turns out to support no CBOR (see [WireAuto]). The call that showed it is
	// made again in JSON, and later calls are made in JSON until CBORSupported is called. Both may be called several times,
	// in turns, for endpoints that change.
	CBORUnsupported func(CBOREvent)
	// CBORSupported is called when the endpoint supports CBOR again, after CBORUnsupported. Calls are made in CBOR again.
	CBORSupported func(CBOREvent)
	// AvailabilityChanged is called when a stream stops accepting records, and when it accepts them again. So two calls in a
	// row for one stream never say the same, even if the producer has forgotten the stream in between (see [StreamIdleTime]).
	AvailabilityChanged func(AvailabilityEvent)
	// StreamClosed is called when the producer has forgotten an idle stream (see [StreamIdleTime]). If a record comes for the
	// stream at that moment, events of the stream that begins then may be told before.
	StreamClosed func(StreamEvent)
}

// notify calls a function of an Observer, if it is set.
func notify[Event any](function func(Event), event Event) {
	if function != nil {
		function(event)
	}
}

// RecordEvent is a user record with its Result.
type RecordEvent struct {
	Stream string // as in the UserRecord
	Result Result
	Bytes  int // length of the data
	// Received is when Put accepted the record. Up to 128 records that Put accepts in a row have the time of the first.
	Received time.Time
	Finished time.Time // when its outcome was known
}

// RequestEvent is one PutRecords call.
type RequestEvent struct {
	Stream     string
	Start, End time.Time
	// Code is the error code of the call, or one of the Code constants; empty if the service answered for each record.
	Code string
	// Message explains Code; empty if Code is.
	Message string
	// RequestID is what the service calls the call; empty if there was no answer.
	RequestID string
	// Entries has the Kinesis records of the call, in its order.
	Entries []FinishedEntry
}

// FinishedEntry is one Kinesis record of a PutRecords call.
type FinishedEntry struct {
	UserRecords    int
	Bytes          int     // length of the data as sent
	PutUnits       int     // PUT payload units that the record costs if it is stored, see [PutUnit]
	PredictedShard ShardID // empty if the shards are not known
	ShardID        ShardID // where the service stored it; empty if it did not
	Code           string  // error code of the record or of the call; empty if it was stored
	Message        string  // explains Code
	// Held is how long the limits of the shard held the record back, after it was complete and before it was put into a call.
	Held time.Duration
}

// MisplacedEvent is an aggregated record that was stored where readers skip it.
type MisplacedEvent struct {
	Stream string
	Entry  FinishedEntry // with CodeWrongShard
}

// FlushEvent is a stage that has passed on an aggregated record or a request.
type FlushEvent struct {
	Stream string
	Stage  Stage
	Reason FlushReason
}

// ListingEvent is an attempt to list the shards of a stream.
type ListingEvent struct {
	Stream     string
	OpenShards int   // zero if Err is not nil
	Err        error // nil if it worked
}

// DescriptionEvent is what the service says about a stream.
type DescriptionEvent struct {
	Stream       string
	Distribution Distribution
	// MaxRecordSize is the most bytes of data and partition key in a record; zero if the service does not say.
	MaxRecordSize int
	// Channels is how many channels the stream has. A channel is a delivery of the service, for instance to S3. It hands over
	// Kinesis records as they are, and does not take aggregated records apart.
	Channels int
}

// DistributionEvent says who chooses the shards of a stream.
type DistributionEvent struct {
	Stream       string
	Distribution Distribution
	Source       DistributionSource
}

// CBOREvent says whether the endpoint supports CBOR.
type CBOREvent struct {
	Stream string // of the call that showed it
	Err    error  // what an endpoint without CBOR answered; nil if the endpoint supports CBOR again
}

// StreamEvent names a stream.
type StreamEvent struct {
	Stream string // as in the UserRecord
}

// AvailabilityEvent says whether a stream accepts records.
type AvailabilityEvent struct {
	Stream string
	// Err wraps [ErrUnavailable] and has the message of the service. It is nil if the stream accepts records again.
	Err error
}

// unknownName is what values that have no name are called.
const unknownName = "unknown"

// Distribution is who chooses the shard of a record.
type Distribution uint8

// The distributions.
const (
	DistributionByKey     Distribution = iota // the hash key does
	DistributionAutomatic                     // the service does, and ignores keys; no record gets the KPL's format then
)

// String returns the distribution in lower case.
func (d Distribution) String() string {
	switch d {
	case DistributionByKey:
		return "by key"
	case DistributionAutomatic:
		return "automatic"
	}
	return unknownName
}

// DistributionSource is how the producer learned of a distribution.
type DistributionSource uint8

// The sources.
const (
	SourceDescription DistributionSource = iota // the service's description of the stream
	SourcePlacement                             // the shards on which the service stored records
)

// String returns the source in lower case.
func (s DistributionSource) String() string {
	switch s {
	case SourceDescription:
		return "description"
	case SourcePlacement:
		return "placement of records"
	}
	return unknownName
}

// Stage is a place where records are put together.
type Stage uint8

// The stages that flush.
const (
	StageAggregator Stage = iota // user records into a Kinesis record
	StageCollector               // Kinesis records into a request
)

// String returns the stage as metrics spell it.
func (s Stage) String() string {
	switch s {
	case StageAggregator:
		return "aggregator"
	case StageCollector:
		return "collector"
	}
	return unknownName
}

// FlushReason is why a stage passed on an aggregated record or a request.
type FlushReason uint8

// The flush reasons.
const (
	FlushSize     FlushReason = iota // the next record would not fit
	FlushCount                       // as many records as are allowed
	FlushShard                       // the collector has enough for one shard
	FlushDeadline                    // the oldest record has waited for RecordMaxBufferedTime
	FlushCommit                      // nothing is in flight, and to go early is cheap
	FlushRequest                     // Flush or Close asked for it
)

// String returns the reason as metrics spell it.
func (r FlushReason) String() string {
	switch r {
	case FlushSize:
		return "size"
	case FlushCount:
		return "count"
	case FlushShard:
		return "shard"
	case FlushDeadline:
		return "deadline"
	case FlushCommit:
		return "commit"
	case FlushRequest:
		return "request"
	}
	return unknownName
}
