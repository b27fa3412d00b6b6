// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// client has the methods that a Kinesis and the SDK's client have in common.
type client interface {
	PutRecords(context.Context, *kinesis.PutRecordsInput, ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error)
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
	DescribeStreamSummary(
		context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options),
	) (*kinesis.DescribeStreamSummaryOutput, error)
}

// TestFaultsOfCalls compares what a caller sees in the same process with what the SDK's client sees over HTTP.
func TestFaultsOfCalls(t *testing.T) {
	isCode := func(code string, status int) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			requireCode(t, code, err)
			var response *awshttp.ResponseError
			require.ErrorAs(t, err, &response)
			assert.Equal(t, status, response.HTTPStatusCode())
		}
	}
	isReset := func(t *testing.T, err error) {
		var send *smithyhttp.RequestSendError
		require.ErrorAs(t, err, &send)
		require.ErrorIs(t, err, syscall.ECONNRESET)
	}
	isCut := func(t *testing.T, err error) {
		var broken *smithy.DeserializationError
		require.ErrorAs(t, err, &broken)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}
	isCanceled := func(t *testing.T, err error) {
		var canceled *smithy.CanceledError
		require.ErrorAs(t, err, &canceled)
		require.ErrorIs(t, err, context.Canceled)
	}
	tests := []struct {
		fault  Fault
		is     func(*testing.T, error)
		stored int
		logged string // Canceled if the caller has to give up
	}{
		{FailCall(CodeThrottled), isCode("ProvisionedThroughputExceededException", 400), 0, CodeThrottled},
		{FailCall(CodeInternalFailure), isCode("InternalFailure", 500), 0, CodeInternalFailure},
		{FailCall(CodeServiceUnavailable), isCode("ServiceUnavailable", 503), 0, CodeServiceUnavailable},
		{FailCall(CodeLimitExceeded), isCode("LimitExceededException", 400), 0, CodeLimitExceeded},
		{FailCall(CodeThrottling), isCode("ThrottlingException", 400), 0, CodeThrottling},
		{FailCall(CodeValidation), isCode("ValidationException", 400), 0, CodeValidation},
		{FailCall(CodeAccessDenied), isCode("AccessDeniedException", 400), 0, CodeAccessDenied},
		{FailCall(CodeExpiredToken), isCode("ExpiredTokenException", 400), 0, CodeExpiredToken},
		{FailCall(CodeUnrecognizedClient), isCode("UnrecognizedClientException", 400), 0, CodeUnrecognizedClient},
		{FailCall(CodeKMSDisabled), isCode("KMSDisabledException", 400), 0, CodeKMSDisabled},
		{Break(ConnectionReset), isReset, 0, "Reset"},
		{Break(ConnectionCut), isCut, 1, "Cut"},
		{Break(ConnectionHangs), isCanceled, 0, "Canceled"},
		{Break(ConnectionHangsStored), isCanceled, 1, "Canceled"},
		{Latency(time.Hour), isCanceled, 0, "Canceled"},
	}
	for i, tt := range tests {
		for _, overHTTP := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %s HTTP %v", i, tt.logged, overHTTP), func(t *testing.T) {
				k := New(Config{}, Stream{Name: events, Shards: 1})
				var c client = k
				if overHTTP {
					c = sdkClient(t, k)
				}
				arrived := make(chan struct{})
				remove := k.Inject(All(tt.fault, Times(1, func(*Call) Action { close(arrived); return Action{Delay: 1} })))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var caller sync.WaitGroup
				if tt.logged == "Canceled" {
					caller.Go(func() {
						<-arrived
						assert.NoError(t, k.WaitRecords(t.Context(), events, tt.stored))
						cancel()
					})
				}
				out, err := c.PutRecords(ctx, putInput(entry("a", "", "x")))
				caller.Wait()
				assert.Nil(t, out)
				tt.is(t, err)
				var operation *smithy.OperationError
				require.ErrorAs(t, err, &operation)
				assert.Equal(t, "Kinesis PutRecords", operation.Service()+" "+operation.Operation())
				require.NoError(t, k.WaitCalls(t.Context(), OpPutRecords, 1))
				assert.Len(t, k.Records(events), tt.stored)
				assert.Equal(t, tt.logged, k.Calls(OpPutRecords)[0].Code)

				remove()
				_, err = c.PutRecords(t.Context(), putInput(entry("a", "", "x")))
				require.NoError(t, err)
			})
		}
	}
}

func TestFaultsOfOtherOperations(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 1})
	k.Inject(ForOperation(OpListShards, FailCall(CodeAccessDenied)))
	k.Inject(ForOperation(OpDescribeStreamSummary, Break(ConnectionReset)))
	for _, c := range []client{k, sdkClient(t, k)} {
		_, err := c.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(events)})
		requireCode(t, CodeAccessDenied, err)
		_, err = c.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: aws.String(events)})
		require.ErrorIs(t, err, syscall.ECONNRESET)
		_, err = c.PutRecords(t.Context(), putInput(entry("a", "", "x")))
		require.NoError(t, err)
	}
}

func TestFailRecords(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 1})
	k.Inject(FailRecords(CodeInternalFailure, func(e types.PutRecordsRequestEntry) bool {
		return strings.HasPrefix(string(e.Data), "bad")
	}))
	for _, c := range []client{k, sdkClient(t, k)} {
		out, err := c.PutRecords(t.Context(), putInput(entry("a", "", "good"), entry("a", "", "bad"), entry("a", "", "good")))
		require.NoError(t, err)
		assert.Equal(t, int32(1), *out.FailedRecordCount)
		assert.Nil(t, out.Records[0].ErrorCode)
		assert.Equal(t, types.PutRecordsResultEntry{
			ErrorCode: aws.String("InternalFailure"), ErrorMessage: aws.String("Internal Service Failure"),
		}, out.Records[1])
		assert.NotNil(t, out.Records[2].SequenceNumber)
	}
	assert.Len(t, k.Records(events), 4)
}

func TestFailRecordFraction(t *testing.T) {
	failures := func(seed uint64) (failed []int) {
		k := New(Config{Seed: seed}, Stream{Name: events, Shards: 1})
		k.Inject(FailRecordFraction(CodeThrottled, 0.2))
		entries := make([]types.PutRecordsRequestEntry, 500)
		for i := range entries {
			entries[i] = entry("a", "", "x")
		}
		for call := range 10 {
			out, err := k.PutRecords(t.Context(), putInput(entries...))
			require.NoError(t, err)
			for i, result := range out.Records {
				if result.ErrorCode != nil {
					failed = append(failed, call*len(entries)+i)
				}
			}
		}
		return failed
	}
	first := failures(1)
	assert.InDelta(t, 1000, len(first), 100)
	assert.Equal(t, first, failures(1), "the same seed fails the same records")
	assert.NotEqual(t, first, failures(2))
}

func TestRandomFaultsDependOnTheCallAlone(t *testing.T) {
	failures := func(disturb func(*Kinesis)) (failed []bool) {
		k := New(Config{}, Stream{Name: events, Shards: 1}, Stream{Name: "other", Shards: 1})
		k.Inject(Fraction(0.5, FailCall(CodeInternalFailure)))
		for range 50 {
			disturb(k)
			_, err := k.PutRecords(t.Context(), putInput(entry("a", "", "x")))
			failed = append(failed, err != nil)
		}
		return failed
	}
	alone := failures(func(*Kinesis) {})
	assert.Contains(t, alone, true)
	assert.Contains(t, alone, false)
	assert.Equal(t, alone, failures(func(k *Kinesis) {
		in := putInput(entry("a", "", "x"))
		in.StreamName = aws.String("other")
		_, _ = k.PutRecords(t.Context(), in)
		_, _ = k.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(events)})
	}))
}

// codes makes n calls on a stream. It returns the first letter of the error code of each, or "." for none.
func codes(t *testing.T, k *Kinesis, stream string, n int) string {
	t.Helper()
	var all strings.Builder
	for range n {
		in := putInput(entry("a", "", "x"))
		in.StreamName = &stream
		_, err := k.PutRecords(t.Context(), in)
		var api smithy.APIError
		switch err {
		case nil:
			all.WriteByte('.')
		default:
			require.ErrorAs(t, err, &api)
			all.WriteByte(api.ErrorCode()[0])
		}
	}
	return all.String()
}

func TestFaultComposition(t *testing.T) {
	internal, denied := FailCall(CodeInternalFailure), FailCall(CodeAccessDenied)
	onlyThird := func(c *Call) Action {
		if c.Number != 3 {
			return Action{}
		}
		return internal(c)
	}
	tests := []struct {
		name   string
		faults []Fault
		want   string
	}{
		{"none", nil, "......"},
		{"until told otherwise", []Fault{internal}, "IIIIII"},
		{"the next two", []Fault{Times(2, internal)}, "II...."},
		{"no time", []Fault{Times(0, internal)}, "......"},
		{"a function", []Fault{onlyThird}, "..I..."},
		{"calls that are left alone do not count", []Fault{Times(1, onlyThird)}, "..I..."},
		{"the first wins", []Fault{Times(2, internal), denied}, "IIAAAA"},
		{"All is the same", []Fault{All(Times(2, internal), denied)}, "IIAAAA"},
		{"Times over All", []Fault{Times(3, All(Latency(time.Microsecond), denied))}, "AAA..."},
		{"always", []Fault{Fraction(1, internal)}, "IIIIII"},
		{"never", []Fault{Fraction(0, internal)}, "......"},
		{"this stream", []Fault{ForStream(events, denied)}, "AAAAAA"},
		{"another stream", []Fault{ForStream("other", denied)}, "......"},
		{"this operation", []Fault{ForOperation(OpPutRecords, Times(1, denied))}, "A....."},
		{"another operation", []Fault{ForOperation(OpListShards, denied)}, "......"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := New(Config{}, Stream{Name: events, Shards: 1})
			for _, fault := range tt.faults {
				k.Inject(fault)
			}
			assert.Equal(t, tt.want, codes(t, k, events, 6))
		})
	}
}

func TestInjectIsRemovable(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 1})
	internal := FailCall(CodeInternalFailure)
	removeFirst := k.Inject(internal)
	removeSecond := k.Inject(internal)
	assert.Equal(t, "I", codes(t, k, events, 1))
	removeFirst()
	removeFirst()
	assert.Equal(t, "I", codes(t, k, events, 1), "the same fault is still there once")
	removeSecond()
	assert.Equal(t, ".", codes(t, k, events, 1))
}

func TestActionAnd(t *testing.T) {
	a := Action{Delay: 1, Connection: ConnectionCut, RecordCodes: []string{"a", "", ""}}
	b := Action{Delay: 2, Connection: ConnectionReset, Code: "b", RecordCodes: []string{"b", "b", ""}}
	assert.Equal(t, Action{3, ConnectionCut, "b", []string{"a", "b", ""}}, a.and(b))
	assert.Equal(t, Action{3, ConnectionReset, "b", []string{"b", "b", ""}}, b.and(a))
	assert.Equal(t, a, a.and(Action{}))
	assert.Equal(t, a, Action{}.and(a))
	assert.Equal(t, []string{"a", "", ""}, a.RecordCodes, "the parts stay as they are")
}

func TestCallShowsTheRequest(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 1})
	var seen []string
	k.Inject(func(c *Call) Action {
		text := fmt.Sprintf("%s %s %d", c.Operation, c.Stream, c.Number)
		for _, record := range c.Records {
			text += " " + string(record.Data)
		}
		seen = append(seen, text)
		return Action{}
	})
	arn := aws.String("arn:aws:kinesis:us-east-1:000000000000:stream/events")
	assert.Equal(t, "..", codes(t, k, events, 2))
	_, err := k.ListShards(t.Context(), &kinesis.ListShardsInput{StreamARN: arn})
	require.NoError(t, err)
	_, err = k.PutRecords(t.Context(), &kinesis.PutRecordsInput{
		StreamARN: arn, Records: []types.PutRecordsRequestEntry{entry("a", "", "y"), entry("b", "", "z")},
	})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"PutRecords events 1 x", "PutRecords events 2 x", "ListShards events 1", "PutRecords events 3 y z",
	}, seen)
}

func TestLatencyInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Config{}, Stream{Name: events, Shards: 1})
		start := time.Now()
		k.Inject(Latency(20 * time.Millisecond))
		k.Inject(func(c *Call) Action { return Action{Delay: time.Duration(c.Number) * time.Second} })
		put := func(ctx context.Context) error {
			_, err := k.PutRecords(ctx, putInput(entry("a", "", "x")))
			return err
		}
		require.NoError(t, put(t.Context()))
		assert.Equal(t, 1020*time.Millisecond, time.Since(start))
		assert.Equal(t, start.Add(1020*time.Millisecond), k.Records(events)[0].Arrived)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, put(ctx), context.DeadlineExceeded)
		assert.Equal(t, 2020*time.Millisecond, time.Since(start))
		require.ErrorIs(t, put(ctx), context.DeadlineExceeded)
		assert.Len(t, k.Records(events), 1)
		assert.Len(t, k.Calls(""), 2, "a call with a dead context does not get out")
	})
}
