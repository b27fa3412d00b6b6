package kpl

import (
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// answerReader reads the usual answer to PutRecords, in which every record is stored and no string has an escape. It keeps
// its buffers, and a copy of each shard id it meets.
type answerReader struct {
	answer  []byte
	at      int    // what has been read of it
	numbers []byte // the sequence numbers, one after the other
	stored  []answeredRecord
	shards  map[string]*string
}

// answeredRecord is what an answer says of a record.
type answeredRecord struct {
	shard     *string
	numberEnd int // where its sequence number ends in answerReader.numbers
}

// What an answer of the service stays far below.
const (
	maxShardIDLength = 128    // the service's own limit
	maxShardIDsKept  = 10_000 // by one answerReader
)

// read reads an answer about at most so many records, as the SDK reads it. It returns false, with out as it was, if the
// answer is any other than the usual.
func (r *answerReader) read(answer []byte, records int, out *kinesis.PutRecordsOutput) bool {
	r.answer, r.at = answer, 0
	encryption, ok := r.object(records)
	if !ok {
		return false
	}
	out.EncryptionType = encryption
	out.FailedRecordCount = new(int32)
	// One string has all sequence numbers; whoever keeps one keeps them all.
	all, numbers, start := string(r.numbers), make([]string, len(r.stored)), 0
	out.Records = make([]types.PutRecordsResultEntry, len(r.stored))
	for i, s := range r.stored {
		numbers[i] = all[start:s.numberEnd]
		out.Records[i] = types.PutRecordsResultEntry{SequenceNumber: &numbers[i], ShardId: s.shard}
		start = s.numberEnd
	}
	return true
}

// object reads the outermost object, which has each member once. What follows it does not count.
func (r *answerReader) object(records int) (encryption types.EncryptionType, ok bool) {
	var hasEncryption, hasCount, hasRecords bool
	for separator := byte('{'); r.next(separator); separator = ',' {
		switch string(r.key()) {
		case "EncryptionType":
			text, ok := r.text()
			if hasEncryption || !ok {
				return "", false
			}
			encryption, hasEncryption = types.EncryptionType(text), true
		case "FailedRecordCount":
			if hasCount || !r.next('0') {
				return "", false
			}
			hasCount = true
		case "Records":
			if hasRecords || !r.list(records) {
				return "", false
			}
			hasRecords = true
		default:
			return "", false
		}
	}
	return encryption, hasCount && hasRecords && r.next('}')
}

// list reads what is said of each record.
func (r *answerReader) list(records int) bool {
	r.numbers, r.stored = r.numbers[:0], r.stored[:0]
	for separator := byte('['); r.next(separator); separator = ',' {
		if len(r.stored) == records || !r.entry() {
			return false
		}
	}
	return len(r.stored) > 0 && r.next(']')
}

// entry reads what is said of a record.
func (r *answerReader) entry() bool {
	entry, start := answeredRecord{numberEnd: -1}, len(r.numbers)
	for separator := byte('{'); r.next(separator); separator = ',' {
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
	r.stored = append(r.stored, entry)
	return entry.shard != nil && entry.numberEnd >= 0 && r.next('}')
}

// shard returns the one copy of a shard id.
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

// key reads the name of a member and the colon behind it. It returns nil if there is none.
func (r *answerReader) key() []byte {
	name, ok := r.text()
	if !ok || !r.next(':') {
		return nil
	}
	return name
}

// next reads one character, and the white space before it, if it is the one given.
func (r *answerReader) next(c byte) bool {
	for ; r.at < len(r.answer); r.at++ {
		switch r.answer[r.at] {
		case c:
			r.at++
			return true
		case ' ', '\t', '\n', '\r':
		default:
			return false
		}
	}
	return false
}

// text reads a string of plain ASCII characters.
func (r *answerReader) text() ([]byte, bool) {
	if !r.next('"') {
		return nil, false
	}
	rest := r.answer[r.at:]
	for i, b := range rest {
		if b == '"' {
			r.at += i + 1
			return rest[:i], true
		}
		if b-' ' > '~'-' ' || b == '\\' {
			return nil, false
		}
	}
	return nil, false
}
