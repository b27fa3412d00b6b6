// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Operation is the name of a Kinesis API operation.
type Operation string

// The operations that a [Kinesis] serves.
const (
	OpPutRecord             Operation = "PutRecord"
	OpPutRecords            Operation = "PutRecords"
	OpListShards            Operation = "ListShards"
	OpGetShardIterator      Operation = "GetShardIterator"
	OpGetRecords            Operation = "GetRecords"
	OpDescribeStream        Operation = "DescribeStream"
	OpDescribeStreamSummary Operation = "DescribeStreamSummary"
	OpCreateStream          Operation = "CreateStream"
	OpDeleteStream          Operation = "DeleteStream"
	OpListStreams           Operation = "ListStreams"
	OpSplitShard            Operation = "SplitShard"
	OpMergeShards           Operation = "MergeShards"
	OpUpdateShardCount      Operation = "UpdateShardCount"
)

// Call is an API call as a [Fault] sees it, before the call is handled.
type Call struct {
	// Operation is the operation that is called.
	Operation Operation
	// Stream is the name of the stream, even if there is no such stream. It is empty for a call that names no stream.
	Stream string
	// Number is the number of this call among the calls of this operation on this stream. The first is 1.
	Number int
	// Records are the records of a PutRecords or PutRecord call. A fault must not change them, and must not keep them.
	Records []types.PutRecordsRequestEntry
	// Rand is the source of random numbers for faults. The numbers depend only on [Config.Seed], Operation, Stream and
	// Number.
	Rand *rand.Rand

	failed int // how many records got an error code of their own; set when the call is handled
}

// Connection says what happens to the connection of a call. With [Kinesis.Handler] it happens to the real connection.
type Connection uint8

// The kinds of [Connection].
const (
	ConnectionFine        Connection = iota // nothing happens
	ConnectionReset                         // the connection is reset before the call is handled; nothing is stored
	ConnectionHangs                         // nothing is stored, and no answer comes until the caller's context ends
	ConnectionCut                           // records are stored, then the connection breaks in the middle of the answer
	ConnectionHangsStored                   // records are stored, but no answer comes until the caller's context ends
)

// Action is what a [Fault] does to a call. The zero Action does nothing.
type Action struct {
	// Delay is how long the call waits before it is handled. Zero means not at all.
	Delay time.Duration
	// Connection says what happens to the connection.
	Connection Connection
	// Code is the error code that answers the whole call, see the Code constants. Nothing is stored then. Empty means no
	// error.
	Code string
	// RecordCodes has an error code for each record of the call, in the order of the records. A record whose code is empty
	// is stored. Nil means that all are.
	RecordCodes []string
}

// nothing reports whether the action does nothing.
func (a Action) nothing() bool {
	return a.Delay == 0 && a.Connection == ConnectionFine && a.Code == "" && a.RecordCodes == nil
}

// and combines two actions. Delays add up. If both set the same field, the one of a counts.
func (a Action) and(b Action) Action {
	a.Delay += b.Delay
	if a.Connection == ConnectionFine {
		a.Connection = b.Connection
	}
	if a.Code == "" {
		a.Code = b.Code
	}
	switch {
	case a.RecordCodes == nil:
		a.RecordCodes = b.RecordCodes
	case b.RecordCodes != nil:
		a.RecordCodes = slices.Clone(a.RecordCodes)
		for i, code := range b.RecordCodes {
			if a.RecordCodes[i] == "" {
				a.RecordCodes[i] = code
			}
		}
	}
	return a
}

// Fault decides what happens to a call. It is called once for each call, in the order in which the calls arrive, and never
// for two calls at the same time. So a Fault may keep state. It must return at once, and must not call the [Kinesis].
type Fault func(*Call) Action

// Latency delays each call.
func Latency(d time.Duration) Fault { return func(*Call) Action { return Action{Delay: d} } }

// FailCall answers each call with an error code. Nothing is stored.
func FailCall(code string) Fault { return func(*Call) Action { return Action{Code: code} } }

// Break breaks the connection of each call.
func Break(c Connection) Fault { return func(*Call) Action { return Action{Connection: c} } }

// FailRecords gives an error code to each record for which match returns true. The other records of the call are stored.
func FailRecords(code string, match func(types.PutRecordsRequestEntry) bool) Fault {
	return func(call *Call) Action {
		var action Action
		for i, record := range call.Records {
			if match(record) {
				if action.RecordCodes == nil {
					action.RecordCodes = make([]string, len(call.Records))
				}
				action.RecordCodes[i] = code
			}
		}
		return action
	}
}

// FailShard gives an error code to each record for a shard, by its hash key.
func FailShard(code string, shard OpenShard) Fault {
	start, _, _ := parseHashKey(shard.StartingHashKey)
	end, _, _ := parseHashKey(shard.EndingHashKey)
	return FailRecords(code, func(r types.PutRecordsRequestEntry) bool {
		key := hashOf(aws.ToString(r.PartitionKey))
		if r.ExplicitHashKey != nil {
			key, _, _ = parseHashKey(*r.ExplicitHashKey)
		}
		return start.compare(key) <= 0 && key.compare(end) <= 0
	})
}

// FailRecordFraction gives an error code to the fraction p of all records, from 0 to 1, chosen at random.
func FailRecordFraction(code string, p float64) Fault {
	return func(call *Call) Action {
		return FailRecords(code, func(types.PutRecordsRequestEntry) bool { return call.Rand.Float64() < p })(call)
	}
}

// ForOperation limits a fault to the calls of one operation.
func ForOperation(operation Operation, f Fault) Fault {
	return when(func(call *Call) bool { return call.Operation == operation }, f)
}

// ForStream limits a fault to the calls on the stream of a name.
func ForStream(name string, f Fault) Fault {
	return when(func(call *Call) bool { return call.Stream == name }, f)
}

// Fraction limits a fault to the fraction p of all calls, from 0 to 1, chosen at random.
func Fraction(p float64, f Fault) Fault {
	return when(func(call *Call) bool { return call.Rand.Float64() < p }, f)
}

// Times limits a fault to the first n calls for which the fault returns an [Action] that is not zero.
func Times(n int, f Fault) Fault {
	return func(call *Call) Action {
		if n <= 0 {
			return Action{}
		}
		action := f(call)
		if !action.nothing() {
			n--
		}
		return action
	}
}

// All combines faults. Delays add up. If several faults set the same field of [Action], the first of them counts.
func All(faults ...Fault) Fault {
	return func(call *Call) Action {
		var all Action
		for _, f := range faults {
			all = all.and(f(call))
		}
		return all
	}
}

// when limits a fault to the calls for which condition returns true.
func when(condition func(*Call) bool, f Fault) Fault {
	return func(call *Call) Action {
		if !condition(call) {
			return Action{}
		}
		return f(call)
	}
}
