// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"strings"
)

// maxStreamNameLength is the most characters of a stream's name.
const maxStreamNameLength = 128

// checkStream returns nil, or an error that wraps [errNoStream] if no stream can have that name or ARN. Of an ARN it
// checks what follows "stream/", because partitions and regions are for the SDK to know.
func checkStream(stream string) error {
	name := stream
	if strings.HasPrefix(stream, "arn:") {
		parts := strings.SplitN(stream, ":", 6)
		if len(parts) < 6 || parts[2] != "kinesis" || !strings.HasPrefix(parts[5], "stream/") {
			return fmt.Errorf("%w: it must be a name, or an ARN like arn:aws:kinesis:us-east-1:123456789012:stream/name, "+
				"found %q", errNoStream, clip(stream))
		}
		name = strings.TrimPrefix(parts[5], "stream/")
	}
	if n := len(name); n == 0 || n > maxStreamNameLength {
		return fmt.Errorf("%w: its name must have 1 to %d characters, found %d", errNoStream,
			maxStreamNameLength, n)
	}
	if i := strings.IndexFunc(name, notOfStreamName); i >= 0 {
		return fmt.Errorf("%w: its name may only have the characters a-z, A-Z, 0-9, _, . and -, found %q",
			errNoStream, clip(name))
	}
	return nil
}

// notOfStreamName reports whether no name of a stream has that character.
func notOfStreamName(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && r != '_' && r != '.' && r != '-'
}
