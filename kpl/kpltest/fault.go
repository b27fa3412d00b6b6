package kpltest

import (
	"math/rand/v2"
	"slices"
	"time"

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
)

// Call is an API call as a [Fault] sees it, before it is handled.
type Call struct {
	Operation Operation
	// Stream is the name of the stream, empty for calls that name none.
	Stream string
	// Number counts the calls of this operation on this stream, from 1.
	Number int
	// Records is what PutRecords or PutRecord brings. It must not be changed, nor kept.
	Records []types.PutRecordsRequestEntry
	// Rand is where a fault draws from. What it draws depends on the seed and on Operation, Stream and Number alone.
	Rand *rand.Rand

	failed int // records refused one by one, once the call is handled
}

// Connection is what happens to the connection of a call.
type Connection uint8

// The connection faults. Served by [Kinesis.Handler] they happen to the real connection.
const (
	ConnectionFine        Connection = iota
	ConnectionReset                  // it is reset before the call is handled: nothing is stored
	ConnectionHangs                  // nothing is stored, and no answer comes until the caller's context ends
	ConnectionCut                    // the call is handled, then the connection breaks in the middle of the answer
	ConnectionHangsStored            // the call is handled, but no answer comes until the caller's context ends
)

// Action is what a [Fault] does to a call. The zero Action does nothing.
type Action struct {
	// Delay passes before the call is handled.
	Delay time.Duration
	// Connection is what happens to the connection.
	Connection Connection
	// Code, unless empty, is the error that answers the whole call; nothing is stored. See the Code constants.
	Code string
	// RecordCodes, unless nil, has an error code for each record of the call. Those where it is empty are stored.
	RecordCodes []string
}

// nothing reports whether the action does nothing.
func (a Action) nothing() bool {
	return a.Delay == 0 && a.Connection == ConnectionFine && a.Code == "" && a.RecordCodes == nil
}

// and joins two actions: delays add up, and where both set the same thing, a wins.
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

// Fault decides what happens to a call. It is called once for each call, one call at a time in the order of their
// arrival, so it may keep state; it must return at once and must not call the [Kinesis].
type Fault func(*Call) Action

// Latency delays each call.
func Latency(d time.Duration) Fault { return func(*Call) Action { return Action{Delay: d} } }

// FailCall answers the whole call with an error.
func FailCall(code string) Fault { return func(*Call) Action { return Action{Code: code} } }

// Break does something to the connection.
func Break(c Connection) Fault { return func(*Call) Action { return Action{Connection: c} } }

// FailRecords answers those records with an error code for which match is true.
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

// FailRecordFraction answers the fraction p of records, from 0 to 1, with an error code.
func FailRecordFraction(code string, p float64) Fault {
	return func(call *Call) Action {
		return FailRecords(code, func(types.PutRecordsRequestEntry) bool { return call.Rand.Float64() < p })(call)
	}
}

// ForOperation limits a fault to the calls of one operation.
func ForOperation(operation Operation, f Fault) Fault {
	return when(func(call *Call) bool { return call.Operation == operation }, f)
}

// ForStream limits a fault to the calls on one stream.
func ForStream(name string, f Fault) Fault {
	return when(func(call *Call) bool { return call.Stream == name }, f)
}

// Fraction limits a fault to the fraction p of calls, from 0 to 1.
func Fraction(p float64, f Fault) Fault {
	return when(func(call *Call) bool { return call.Rand.Float64() < p }, f)
}

// Times lets a fault act n times and no more. Calls that the fault does nothing to do not count.
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

// All joins faults. Delays add up; where several would fail the same thing, the first of them does.
func All(faults ...Fault) Fault {
	return func(call *Call) Action {
		var all Action
		for _, f := range faults {
			all = all.and(f(call))
		}
		return all
	}
}

func when(condition func(*Call) bool, f Fault) Fault {
	return func(call *Call) Action {
		if !condition(call) {
			return Action{}
		}
		return f(call)
	}
}
