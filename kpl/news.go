// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

// streamNews is what the refresher or the describer has found out about a stream. One of the fields is set.
type streamNews struct {
	shards      *shardMap // the shards were listed
	err         error     // they could not be listed
	description *description
}

// describeInterval is the usual time between two DescribeStreamSummary calls. A younger description is taken for true.
const describeInterval = 10 * time.Second

// description is how a DescribeStreamSummary call ended.
type description struct {
	asked   time.Time // when the call began
	outcome describeOutcome
	kind    streamKind // if outcome is describeDone
	// channels is how many channels the stream has, if outcome is describeDone.
	channels int
}

// describeOutcome is how a DescribeStreamSummary call ended.
type describeOutcome uint8

const (
	describeNone     describeOutcome = iota // no call about this stream has ended yet
	describeDone                            // it returned a description
	describeDenied                          // there is none to be had: it is not allowed, or the endpoint does not know the call
	describeFailed                          // it failed for a reason that may pass
	describeNoStream                        // the stream does not exist
)
