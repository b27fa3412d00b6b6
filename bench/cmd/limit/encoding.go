// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"encoding/binary"
)

// encoding is how a request is written.
type encoding struct {
	contentType                                 string
	start, recordStart, recordEnd, between, end string // what stands around the data
	appendData                                  func(dst, data []byte) []byte
	full                                        int // how many bytes leave no room for another record
}

func inJSON() encoding {
	return encoding{
		contentType: "application/x-amz-json-1.1",
		start:       `{"Records":[`,
		recordStart: `{"Data":"`,
		recordEnd:   `","PartitionKey":"` + partitionKey + `"}`,
		between:     ",",
		end:         `],"StreamName":"bench"}`,
		appendData:  base64.StdEncoding.AppendEncode,
		full:        (requestSize - recordSize) / 3 * 4,
	}
}

// inCBOR is what AWS's SDK for Java writes.
func inCBOR() encoding {
	return encoding{
		contentType: "application/x-amz-cbor-1.1",
		start:       "\xbf\x67Records\x9f",
		recordStart: "\xbf\x64Data",
		recordEnd:   "\x6cPartitionKey\x70" + partitionKey + "\xff",
		end:         "\xff\x6aStreamName\x65bench\xff",
		appendData: func(dst, data []byte) []byte {
			dst = binary.BigEndian.AppendUint32(append(dst, 2<<5|26), uint32(len(data))) //nolint:gosec // of a record
			return append(dst, data...)
		},
		full: requestSize - recordSize,
	}
}
