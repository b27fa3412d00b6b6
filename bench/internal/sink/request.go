// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package sink

import (
	"errors"
	"strings"
)

// entry is a record of a PutRecords call, as it stands in the request.
type entry struct{ data, partitionKey, explicitHashKey []byte }

func (e *entry) set(name, value []byte) {
	switch string(name) {
	case "Data":
		e.data = value
	case "PartitionKey":
		e.partitionKey = value
	case "ExplicitHashKey":
		e.explicitHashKey = value
	}
}

var errRequest = errors.New("sink: not a PutRecords request as an SDK writes it")

// encoding reads a request and writes its answer in the same encoding.
type encoding struct {
	eachRecord func(request []byte, f func(entry) error) error // calls f for each record of a request
	dataSize   func(data []byte) int                           // how many bytes the data of an entry stands for

	// The parts of an answer. The id of the shard is between record and recordEnd.
	start, record, recordEnd, between, end string
}

const sequenceNumber = "49546986683135544286507457936321625675700192471156785154"

// encodingOf returns the encoding that a content type names.
func encodingOf(contentType string) encoding {
	if strings.Contains(contentType, "cbor") {
		return encoding{
			eachRecord: eachCBORRecord,
			dataSize:   func(data []byte) int { return len(data) },
			start:      "\xbf\x71FailedRecordCount\x00\x67Records\x9f",
			record:     "\xbf\x6eSequenceNumber\x78\x38" + sequenceNumber + "\x67ShardId\x74",
			recordEnd:  "\xff",
			end:        "\xff\xff",
		}
	}
	return encoding{
		eachRecord: eachJSONRecord,
		dataSize:   decodedSize,
		start:      `{"FailedRecordCount":0,"Records":[`,
		record:     `{"SequenceNumber":"` + sequenceNumber + `","ShardId":"`,
		recordEnd:  `"}`,
		between:    ",",
		end:        `]}`,
	}
}
