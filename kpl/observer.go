package kpl

import "time"

// Observer is told what happens inside a [Producer], for metrics and logs. It only ever repeats what the Results say:
// nothing depends on it. Its methods are called from the producer's goroutines, several at a time: they must be safe
// for concurrent use, fast, and must not call the producer back. Slices they are given may not be kept.
type Observer interface {
	// RecordFinished is called once for each user record, just before its Result is handed over.
	RecordFinished(stream string, record FinishedRecord)
	// RequestFinished is called once for each PutRecords call.
	RequestFinished(stream string, request FinishedRequest)
	// Misplaced is called for each aggregated record, besides RequestFinished, that was stored where readers skip it and
	// whose members are sent again, with [CodeWrongShard].
	Misplaced(stream string, entry FinishedEntry)
	// Flushed is called when an aggregate is closed or a request is put together.
	Flushed(stream string, stage Stage, reason FlushReason)
	// ShardMapRefreshed is called after each attempt to list the shards: how many are open, or why it failed.
	ShardMapRefreshed(stream string, openShards int, err error)
	// DistributionChanged is called when it turns out that a stream chooses the shard of each record itself (record
	// distribution AUTO; automatic is true then, and the stream gets no aggregates any more), and when it turns out that it
	// does not after all. Inferred says that no description told so, but where records were stored.
	DistributionChanged(stream string, automatic, inferred bool)
	// CBORRefused is called at most once, when the endpoint turns out to take no CBOR ([WireAuto]): with what it said to the
	// call that found out, which is made again in JSON, as all others are from then on.
	CBORRefused(stream string, err error)
	// AvailabilityChanged is called when a stream stops accepting records, with the cause ([ErrUnavailable] and
	// what the service said), and with nil when it accepts them again. Only changes are told.
	AvailabilityChanged(stream string, err error)
}

// FinishedRecord is a user record with its Result.
type FinishedRecord struct {
	Result   Result
	Bytes    int       // length of the data
	Received time.Time // when Put accepted it; of up to 128 that come before the producer takes them up, the first
	Finished time.Time // when its fate was known
}

// FinishedRequest is one PutRecords call.
type FinishedRequest struct {
	Start, End time.Time
	// Code is that of an error of the whole call; empty if the service answered for each record.
	Code string
	// Entries has the Kinesis records of the call, in its order.
	Entries []FinishedEntry
}

// FinishedEntry is one Kinesis record of a PutRecords call.
type FinishedEntry struct {
	UserRecords    int
	Bytes          int     // length of the data as sent
	PredictedShard ShardID // empty if the shards are not known
	ShardID        ShardID // where the service stored it; empty if it did not
	Code           string  // the entry's or the call's error code; empty if stored
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
	if s == StageAggregator {
		return "aggregator"
	}
	return "collector"
}

// FlushReason is why a stage passed on what it had.
type FlushReason uint8

// The flush reasons.
const (
	FlushSize     FlushReason = iota // the next record would not fit
	FlushCount                       // as many records as are allowed
	FlushShard                       // the collector has enough for one shard
	FlushDeadline                    // the oldest record has waited for RecordMaxBufferedTime
	FlushCommit                      // no further record can arrive, or nothing is in flight
	FlushRequest                     // Flush or Close asked for it
)

// String returns the reason as metrics spell it.
func (r FlushReason) String() string {
	return [...]string{"size", "count", "shard", "deadline", "commit", "request"}[r]
}

// NopObserver is an [Observer] that does nothing. Embed it to implement only the methods of interest.
type NopObserver struct{}

// RecordFinished implements [Observer].
func (NopObserver) RecordFinished(string, FinishedRecord) {}

// RequestFinished implements [Observer].
func (NopObserver) RequestFinished(string, FinishedRequest) {}

// Misplaced implements [Observer].
func (NopObserver) Misplaced(string, FinishedEntry) {}

// Flushed implements [Observer].
func (NopObserver) Flushed(string, Stage, FlushReason) {}

// ShardMapRefreshed implements [Observer].
func (NopObserver) ShardMapRefreshed(string, int, error) {}

// CBORRefused implements [Observer].
func (NopObserver) CBORRefused(string, error) {}

// DistributionChanged implements [Observer].
func (NopObserver) DistributionChanged(string, bool, bool) {}

// AvailabilityChanged implements [Observer].
func (NopObserver) AvailabilityChanged(string, error) {}
