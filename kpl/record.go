// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

// ShardID names a shard as the service does, for example "shardId-000000000002".
type ShardID string

// UserRecord is what a caller hands to [Producer.Put]: one payload and the keys that decide its shard.
type UserRecord struct {
	// Stream is the name of the stream, or its ARN. Required.
	Stream string

	// PartitionKey is 1 to 256 Unicode characters; its MD5 picks the shard. If it is empty, the producer chooses a shard
	// with room and makes up a key for the Kinesis record.
	PartitionKey string

	// ExplicitHashKey, a decimal number from 0 to 2^128-1, overrides the hash of PartitionKey. Empty means none.
	// It needs a PartitionKey beside it, as it does in the service's API.
	ExplicitHashKey string

	// Kind says what Data is. It matters with [AggregationConcatenated] only.
	Kind Kind

	// Data is the payload. From Put until the Result, neither the caller nor the producer may write to it. Data and
	// PartitionKey together may have at most [Config.MaxRecordSize] bytes.
	Data []byte
}

// Attempt is one PutRecords call with a user record in it.
type Attempt struct {
	// Start is when the call was handed to the client, End when its answer or error was there.
	Start, End time.Time

	// ShardID is where the record was stored; empty if it was not.
	ShardID ShardID

	// Code is the service's error code, or one of the Code constants for faults without one. Empty if this attempt made the
	// record a success.
	Code string

	// Message explains Code. Of what the service or the client said, it has 256 bytes from the beginning and 1 KiB from the end
	// at most, with an ellipsis between them if there was more.
	Message string

	// RequestID is what the service calls the call, for questions to its support; empty if there was no answer.
	RequestID string

	// AnswerLost says that the call may have stored the record although it failed: the request was on its way, and there was no
	// answer, or none that makes sense.
	AnswerLost bool
}

// Codes of attempts that failed for a reason the service has no error code for.
const (
	CodeWrongShard    = "WrongShard"          // stored in an aggregated record that readers skip, so sent again
	CodeCountMismatch = "RecordCountMismatch" // the answer did not have one entry for each record
	CodeTimeout       = "RequestTimeout"      // no answer within Config.RequestTimeout
	CodeConnection    = "ConnectionError"     // no connection, or it broke before the answer was whole
	CodeCertificate   = "CertificateError"    // the endpoint has a certificate that is not trusted, expired, or not its own
	CodeNotSent       = "RequestNotSent"      // the client could not make a signed request, e.g. without credentials
	CodeTooLarge      = "RecordTooLarge"      // larger than the stream takes, so never sent
	// CodeRequestTooLarge: something in front of the service, such as a proxy, does not let a request of this size through
	// (HTTP status 413). The service itself never saw the record.
	CodeRequestTooLarge = "RequestTooLarge"
	CodeCanceled        = "Canceled"     // Close gave up on a call in flight
	CodeUnknown         = "UnknownError" // the client failed in a way that fits none of the others
)

// Outcome is how a user record ended. Every record ends in exactly one.
type Outcome uint8

// The outcomes. After all but OutcomeSuccess and OutcomeRejected the same record may be put again.
const (
	// OutcomeSuccess: the service stored the record where readers will find it.
	OutcomeSuccess Outcome = iota
	// OutcomeThrottled: the shard had no capacity, and [Config.FailIfThrottled] is set.
	OutcomeThrottled
	// OutcomeExpired: the record was not stored within [Config.RecordTTL].
	OutcomeExpired
	// OutcomeRejected: the record will never be accepted, by the service or by Put. The only permanent failure.
	OutcomeRejected
	// OutcomeUnavailable: the stream accepts no records until somebody acts. Access is denied, there is no such stream, a
	// key of KMS is disabled, or credentials have expired. Records of the request that failed end at once. The producer
	// then sends one request at a time, after 1, 2 and 4 s, and every 8 s from then on. The other records wait for the next
	// such request, and end as it does if it fails too. With [Config.FailIfTooLarge], a record that is
	// too large for a proxy ends so too, with CodeRequestTooLarge.
	OutcomeUnavailable
	// OutcomeCanceled: a context ended before the record was sent, that of Put or of [Batch.Wait].
	OutcomeCanceled
	// OutcomeClosed: [Producer.Close] ran out of time before the record's outcome was known, or Put was called after it.
	OutcomeClosed
)

// String returns the outcome as metrics and logs spell it, in lower case.
func (o Outcome) String() string {
	switch o {
	case OutcomeSuccess:
		return "success"
	case OutcomeThrottled:
		return "throttled"
	case OutcomeExpired:
		return "expired"
	case OutcomeRejected:
		return "rejected"
	case OutcomeUnavailable:
		return "unavailable"
	case OutcomeCanceled:
		return "canceled"
	case OutcomeClosed:
		return "closed"
	}
	return "unknown"
}

// Result is how a user record ended. There is exactly one for each record that Put accepted, and for each Put of a [Batch].
type Result struct {
	// Err is nil if the record was stored. Otherwise it is a [*RecordError].
	Err error

	// ShardID and SequenceNumber say where the record is stored; empty unless Err is nil. The members of an aggregated
	// record share both.
	ShardID        ShardID
	SequenceNumber string

	// Attempts has the record's attempts, oldest first. On success the last one stored the record. Do not change the list:
	// it may be shared with other Results.
	Attempts []Attempt
}

// Outcome says how the record ended.
func (r Result) Outcome() Outcome {
	if e, ok := r.Err.(*RecordError); ok { //nolint:errorlint // Err is set by this package alone and never wrapped.
		return e.Outcome
	}
	return OutcomeSuccess
}
