package kpl

import "time"

// effects is what the loop has to carry out.
type effects struct {
	ended        []ending
	flushed      []flushed
	misplaced    []FinishedEntry
	wantShards   bool
	wantStream   bool
	distribution []streamInfo // changes of who chooses shards, oldest first
	availability []error      // changes, oldest first; nil means available
}

// ending is user records that have come to the same end at the same time; or, without any, the end of a FlushWait.
type ending struct {
	members        []userRecord // its own
	outcome        Outcome
	stored         Attempt // of a success, the attempt that brought it
	sequenceNumber string
	fault          fault // explains a failure that no attempt of the records themselves does
	at             time.Time
	flushed        chan<- struct{}
}

type flushed struct {
	stage  Stage
	reason FlushReason
}

// retryGroup is user records that pause after an attempt.
type retryGroup struct {
	at      time.Time
	members []userRecord
}

// storedRecord is a Kinesis record that is stored and waits for a newer shard map to be judged.
type storedRecord struct {
	*kinesisRecord
	attempt        Attempt // the one that stored it
	sequenceNumber string
}
