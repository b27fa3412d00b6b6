// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// AggregationFormat is how several user records become one Kinesis record.
type AggregationFormat string

// The formats.
const (
	// AggregationKPL is the format of the Kinesis Producer Library. Readers need a deaggregator, and get each user record as it
	// was put, with its keys.
	AggregationKPL AggregationFormat = "kpl"
	// AggregationConcatenated puts the data of user records one after the other, with nothing around it. Readers need no
	// deaggregator, but the data must be of a [Kind] that can be read so: OTLP in protobuf, or lines of JSON. Readers
	// see one record, with the partition key of its first user record. It also works on streams that choose shards themselves
	// (record distribution AUTO). [Config.Compress] compresses each of them as one frame.
	AggregationConcatenated AggregationFormat = "concatenated"
	// AggregationNone makes each user record a Kinesis record of its own.
	AggregationNone AggregationFormat = "none"
)

// Kind says what the data of a user record is. With [AggregationConcatenated], only the data of records of one kind shares a
// Kinesis record. The other formats ignore it. A producer should see a few kinds only: for each, it fills one Kinesis record
// for each shard. The zero Kind is a kind like any other.
type Kind struct {
	// Number is what the caller calls the kind. Give different numbers to data that must not be read as one, for example logs
	// and traces, or plain and compressed data.
	Number uint8
	// Newline puts a newline between the data of two records. Set it for lines of text that do not end with one, such as JSON.
	// Leave it out for protobuf, where a newline breaks readers.
	Newline bool
	// Alone makes each record a Kinesis record of its own. Set it for data that means something else behind other data, such as
	// OTLP of profiles, whose parts refer to a dictionary by position.
	Alone bool
}

// separatorSize is how many bytes stand between the data of two records.
func (k Kind) separatorSize() int {
	if k.Newline {
		return 1
	}
	return 0
}
