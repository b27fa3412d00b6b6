// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// answerReader reads the usual answer to PutRecords: every record is stored, and all strings are plain ASCII. It keeps its
// buffers for the next answer, and one copy of each shard id.
type answerReader struct {
	encodedAnswer // the answer that is being read

	numbers []byte           // the sequence numbers, one after the other
	stored  []answeredRecord // the records
	shards  map[string]*string
}

// encodedAnswer reads an answer piece by piece, in the encoding of the answer. Its methods return false or nil if another piece
// is next, or one that is not usual.
type encodedAnswer interface {
	start(answer []byte) // begins with another answer
	object() bool        // opens an object
	list() bool          // opens a list
	// more goes to the next member of what was opened last. If there is none, it closes what was opened last.
	more() (more, ok bool)
	key() []byte          // the name of a member of an object
	text() ([]byte, bool) // a string of plain ASCII characters
	zero() bool           // the number 0
}

// answerDepth is how many objects and lists of an answer are open at a time, at most: the outermost object, its list of
// records, and a record.
const answerDepth = 3

// answeredRecord is what an answer says of a record.
type answeredRecord struct {
	shard     *string
	numberEnd int // where its sequence number ends in answerReader.numbers, or -1 before there is one
}

// Answers of the service stay far below these.
const (
	maxShardIDLength = 128    // the service's own limit
	maxShardIDsKept  = 10_000 // the most copies of shard ids that an answerReader keeps
)

// read reads an answer about at most so many records into out, as the SDK would. If the answer is not the usual one, read
// returns false and leaves out as it was.
func (r *answerReader) read(answer []byte, records int, out *kinesis.PutRecordsOutput) bool {
	r.start(answer)
	encryption, ok := r.outermost(records)
	if !ok {
		return false
	}
	out.EncryptionType = encryption
	out.FailedRecordCount = new(int32)
	// One string has all sequence numbers. To keep one of them is to keep all in memory.
	all, numbers, start := string(r.numbers), make([]string, len(r.stored)), 0
	out.Records = make([]types.PutRecordsResultEntry, len(r.stored))
	for i, s := range r.stored {
		numbers[i] = all[start:s.numberEnd]
		out.Records[i] = types.PutRecordsResultEntry{SequenceNumber: &numbers[i], ShardId: s.shard}
		start = s.numberEnd
	}
	return true
}

// outermost reads the outermost object, which must have no member twice. What follows the object is not read.
func (r *answerReader) outermost(records int) (encryption types.EncryptionType, ok bool) {
	var hasEncryption, hasCount, hasRecords bool
	if !r.object() {
		return "", false
	}
	for {
		more, ok := r.more()
		if !more {
			return encryption, ok && hasCount && hasRecords
		}
		switch string(r.key()) {
		case "EncryptionType":
			text, ok := r.text()
			if hasEncryption || !ok {
				return "", false
			}
			encryption, hasEncryption = types.EncryptionType(text), true
		case "FailedRecordCount":
			if hasCount || !r.zero() {
				return "", false
			}
			hasCount = true
		case "Records":
			if hasRecords || !r.records(records) {
				return "", false
			}
			hasRecords = true
		default:
			return "", false
		}
	}
}

// records reads the list with an entry for each record.
func (r *answerReader) records(most int) bool {
	r.numbers, r.stored = r.numbers[:0], r.stored[:0]
	if !r.list() {
		return false
	}
	for {
		more, ok := r.more()
		if !more {
			return ok && len(r.stored) > 0
		}
		if len(r.stored) == most || !r.record() {
			return false
		}
	}
}

// record reads the entry of one record.
func (r *answerReader) record() bool {
	entry, start := answeredRecord{numberEnd: -1}, len(r.numbers)
	if !r.object() {
		return false
	}
	for {
		more, ok := r.more()
		if !more {
			r.stored = append(r.stored, entry)
			return ok && entry.shard != nil && entry.numberEnd >= 0
		}
		switch string(r.key()) {
		case "SequenceNumber":
			text, ok := r.text()
			if !ok {
				return false
			}
			r.numbers = append(r.numbers[:start], text...)
			entry.numberEnd = len(r.numbers)
		case "ShardId":
			text, ok := r.text()
			if !ok || len(text) > maxShardIDLength {
				return false
			}
			entry.shard = r.shard(text)
		default:
			return false
		}
	}
}

// shard returns the copy of a shard id that all records share.
func (r *answerReader) shard(id []byte) *string {
	if known, ok := r.shards[string(id)]; ok {
		return known
	}
	if r.shards == nil || len(r.shards) == maxShardIDsKept {
		r.shards = map[string]*string{}
	}
	text := string(id)
	r.shards[text] = &text
	return &text
}
