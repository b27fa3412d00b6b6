package kpl

import (
	"fmt"
	"strings"
)

// maxStreamNameLength is the most characters of a stream's name.
const maxStreamNameLength = 128

// checkStream returns nil, or an error that wraps [ErrInvalidRecord] if no stream can have that name or ARN. Of an ARN it
// checks what follows "stream/", because partitions and regions are for the SDK to know.
func checkStream(stream string) error {
	name := stream
	if strings.HasPrefix(stream, "arn:") {
		parts := strings.SplitN(stream, ":", 6)
		if len(parts) < 6 || parts[2] != "kinesis" || !strings.HasPrefix(parts[5], "stream/") {
			return fmt.Errorf("%w: its stream must be a name, or an ARN like arn:aws:kinesis:us-east-1:123456789012:stream/name, "+
				"found %q", ErrInvalidRecord, clip(stream))
		}
		name = strings.TrimPrefix(parts[5], "stream/")
	}
	if n := len(name); n == 0 || n > maxStreamNameLength {
		return fmt.Errorf("%w: the name of its stream must have 1 to %d characters, found %d", ErrInvalidRecord,
			maxStreamNameLength, n)
	}
	if i := strings.IndexFunc(name, notOfStreamName); i >= 0 {
		return fmt.Errorf("%w: the name of its stream may only have the characters a-z, A-Z, 0-9, _, . and -, found %q",
			ErrInvalidRecord, clip(name))
	}
	return nil
}

// notOfStreamName reports whether no name of a stream has that character.
func notOfStreamName(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && r != '_' && r != '.' && r != '-'
}

// wrongAddress reports whether the message of an error says that the name or the ARN of the stream is wrong. Then the service
// has not looked at the records, even if the message says that something is wrong with them too.
func wrongAddress(message string) bool {
	message = strings.ToLower(message)
	for _, member := range []string{"streamname", "streamarn", "streamid"} {
		if strings.Contains(message, "at '"+member+"'") {
			return true
		}
	}
	for _, ofRecord := range []string{"'records", "partitionkey", "partition key", "hashkey", "hash key"} {
		if strings.Contains(message, ofRecord) {
			return false
		}
	}
	for _, words := range []string{"streamname", "stream name", "streamarn", "stream arn", "streamid", "stream id"} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}
