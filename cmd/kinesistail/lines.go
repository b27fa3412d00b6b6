// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "bytes"

// messagesOf returns the messages in the data of a Kinesis record without a frame. Objects of JSON, each in a line, are one
// message each. All other data is one message.
func messagesOf(data []byte) [][]byte {
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	if len(lines) == 1 {
		return [][]byte{data}
	}
	for _, line := range lines {
		if !bytes.HasPrefix(line, []byte("{")) || !bytes.HasSuffix(line, []byte("}")) {
			return [][]byte{data}
		}
	}
	return lines
}
