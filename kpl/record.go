package kpl

import "time"

// ShardID names a shard as the service does, for example "shardId-000000000002".
type ShardID string

// UserRecord is what a caller hands to [Producer.Put]: one payload and the keys that decide its shard.
type UserRecord struct {
	// Stream is the name of the stream, or its ARN. Required.
	Stream string

	// PartitionKey is 1 to 256 Unicode characters; its MD5 picks the shard. Empty means that the caller does not care:
	// the producer then chooses a shard with room and makes up a key for the Kinesis record it builds.
	PartitionKey string

	// ExplicitHashKey, a decimal number from 0 to 2^128-1, overrides the hash of PartitionKey. Empty means none.
	// It needs a PartitionKey beside it, as it does in the service's API.
	ExplicitHashKey string

	// Data is the payload. The producer owns it from Put until the Result and never writes to it; the caller must not
	// write to it either in that time. Data and PartitionKey together may have at most [Config.MaxRecordSize] bytes.
	Data []byte
}

// Attempt is one trip of a user record in a PutRecords call.
type Attempt struct {
	// Start is when the call was handed to the client, End when its answer or error was there.
	Start, End time.Time

	// ShardID is where the record was stored; empty if it was not.
	ShardID ShardID

	// Code is the service's error code, or one of the Code constants of this package for faults that the service did
	// not name. Empty if the record was stored and counted.
	Code string

	// Message explains Code, at most 256 bytes long.
	Message string
}

// Codes of attempts that failed for a reason the service has no error code for.
const (
	CodeWrongShard    = "WrongShard"          // stored as part of an aggregate that readers drop, so sent again
	CodeCountMismatch = "RecordCountMismatch" // the answer did not have one entry for each record
	CodeTimeout       = "RequestTimeout"      // no answer within Config.RequestTimeout
	CodeConnection    = "ConnectionError"     // no connection, or it broke before the answer was whole
	CodeNotSent       = "RequestNotSent"      // the client could not make a signed request: no credentials, no region
	CodeTooLarge      = "RecordTooLarge"      // larger than the stream takes, so never sent
	CodeCanceled      = "Canceled"            // Close gave up on a call in flight
	CodeUnknown       = "UnknownError"        // the client failed in a way that fits none of the others
)

// Outcome is how a user record ended. Every record ends in exactly one.
type Outcome uint8

// The outcomes. All but OutcomeSuccess and OutcomeRejected leave data that may be put again.
const (
	// OutcomeSuccess: the service stored the record where readers will find it.
	OutcomeSuccess Outcome = iota
	// OutcomeThrottled: the shard had no capacity and Config.FailIfThrottled asked not to retry.
	OutcomeThrottled
	// OutcomeExpired: the record was not stored within Config.RecordTTL.
	OutcomeExpired
	// OutcomeRejected: the service will never accept this record. The only permanent failure.
	OutcomeRejected
	// OutcomeUnavailable: no record will be accepted until somebody acts: access denied, no such stream, a key of KMS
	// disabled, credentials expired. The records of the first request that is refused so end at once; those that wait,
	// and those that come, end or succeed with a probe, which goes after a second at first and after eight at last.
	OutcomeUnavailable
	// OutcomeCanceled: the caller of [Batch.Wait] gave up before the record was sent.
	OutcomeCanceled
	// OutcomeClosed: [Producer.Close] ran out of time before the record's fate was known.
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

// Result is the end of a user record's journey. There is exactly one for each record that Put accepted.
type Result struct {
	// Err is nil if the record was stored, else a [*RecordError].
	Err error

	// ShardID and SequenceNumber say where the record is; empty unless Err is nil. Records of one aggregated record
	// share both.
	ShardID        ShardID
	SequenceNumber string

	// Attempts lists the record's trips, oldest first; on success the last one is the one that stored it. It may be
	// shared with other Results: read only.
	Attempts []Attempt
}

// Outcome says how the record ended.
func (r Result) Outcome() Outcome {
	if e, ok := r.Err.(*RecordError); ok { //nolint:errorlint // Err is set by this package alone and never wrapped.
		return e.Outcome
	}
	return OutcomeSuccess
}
