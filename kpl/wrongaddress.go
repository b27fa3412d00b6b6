// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "strings"

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
