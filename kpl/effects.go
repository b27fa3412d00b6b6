// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

// effects is what the loop has to do for the pipeline. The pipeline adds to it; the loop reads it and then empties it.
type effects struct {
	ended        []ending
	flushed      []flushed
	misplaced    []FinishedEntry
	toCompress   []*kinesisRecord // records to compress
	distribution []streamKind     // changes of who chooses shards, oldest first
	availability []error          // changes, oldest first; nil means available
}

// end hands over Results, or the end of a FlushWait.
func (e *effects) end(ended ending) { e.ended = append(e.ended, ended) }

// flush notes that a stage passed on what it had.
func (e *effects) flush(stage Stage, reason FlushReason) {
	e.flushed = append(e.flushed, flushed{stage, reason})
}

// misplace notes that a record was stored where readers drop it.
func (e *effects) misplace(entry FinishedEntry) { e.misplaced = append(e.misplaced, entry) }

// compress notes that a record is to be compressed.
func (e *effects) compress(k *kinesisRecord) { e.toCompress = append(e.toCompress, k) }

// changeDistribution notes that from now on the keys of records choose their shards, or do not choose them any more.
func (e *effects) changeDistribution(kind streamKind) { e.distribution = append(e.distribution, kind) }

// changeAvailability notes why the stream accepts no records any more; nil if it accepts them again.
func (e *effects) changeAvailability(err error) { e.availability = append(e.availability, err) }

// reset empties the lists and keeps their memory, but not that of a burst.
func (e *effects) reset() {
	e.ended, e.flushed, e.misplaced = emptied(e.ended), emptied(e.flushed), emptied(e.misplaced)
	e.distribution, e.availability = emptied(e.distribution), emptied(e.availability)
	e.toCompress = emptied(e.toCompress)
}

// maxKept is how many elements a list may have room for and still be kept for use again. The endings of so many records take
// about a megabyte. A hundred thousand records that expire at the same time would take twenty, for as long as the stream lives.
const maxKept = 4096

// emptied returns an empty list in the memory of one that nobody needs any more, or in none if the list was large.
func emptied[T any](list []T) []T {
	if cap(list) > maxKept {
		return nil
	}
	clear(list)
	return list[:0]
}

// ending is user records that have come to the same end at the same time. Without members it is the end of a FlushWait.
type ending struct {
	members        []userRecord // nothing else refers to this list
	outcome        Outcome
	stored         Attempt // of a success: the attempt that stored the records
	sequenceNumber string
	fault          fault // explains a failure if no attempt of the records does
	at             time.Time
	flushed        chan<- struct{} // of a Flush; else nil
}

// flushed says which stage passed on what it had, and why.
type flushed struct {
	stage  Stage
	reason FlushReason
}
