// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
)

const (
	targetPrefix = "Kinesis_20131202."
	maxBodySize  = 32 << 20 // bytes; more than the largest request takes in base64
)

// Handler serves each [Operation] of this package over HTTP, in AWS JSON 1.1 and, unless [Config.JSONOnly] is set, in CBOR 1.1.
// It checks no signatures. Connection faults happen to the real connection.
func (k *Kinesis) Handler() http.Handler {
	h := &handler{operations: k.operations(), encodings: []*encoding{inJSON()}}
	if !k.config.JSONOnly {
		h.encodings = append(h.encodings, inCBOR())
	}
	return h
}

type handler struct {
	operations map[Operation]operation
	encodings  []*encoding   // those that are served; the first is used for an unknown content type
	requests   atomic.Uint64 // how many there were, for request ids
}

// operation serves one operation. It takes the input in JSON and returns the output.
type operation func(ctx context.Context, body []byte) (smithy.Serializable, error)

func (k *Kinesis) operations() map[Operation]operation {
	return map[Operation]operation{
		OpPutRecord:  serve(k.putRecord),
		OpPutRecords: serve(k.putRecords),
		OpListShards: serve(func(ctx context.Context, in *listShardsInput) (*kinesis.ListShardsOutput, error) {
			return k.listShards(ctx, in.value())
		}),
		OpGetShardIterator: serve(func(ctx context.Context, in *iteratorInput) (*kinesis.GetShardIteratorOutput, error) {
			return k.getShardIterator(ctx, in.value())
		}),
		OpGetRecords:            serve(k.getRecords),
		OpDescribeStream:        serve(k.describeStream),
		OpDescribeStreamSummary: serve(k.describeStreamSummary),
		OpCreateStream:          serve(k.createStream),
		OpDeleteStream:          serve(k.deleteStream),
		OpListStreams:           serve(k.listStreams),
		OpSplitShard:            serve(k.splitShard),
		OpMergeShards:           serve(k.mergeShards),
		OpUpdateShardCount:      serve(k.updateShardCount),
	}
}

func serve[In any, Out smithy.Serializable](act func(context.Context, *In) (Out, error)) operation {
	return func(ctx context.Context, body []byte) (smithy.Serializable, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, newError(CodeSerialization, "The body is no valid input: %v", err)
		}
		return act(ctx, &in)
	}
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Amzn-Requestid", fmt.Sprintf("00000000-0000-4000-8000-%012x", h.requests.Add(1)))
	in := h.encodingOf(r.Header.Get("Content-Type"))
	out, err := h.handle(w, r, in)
	answered := cmp.Or(in, h.encodings[0])
	w.Header().Set("Content-Type", answered.contentType)
	var answer *apiError
	switch {
	case err == nil:
		respond(w, http.StatusOK, out)
	case errors.As(err, &answer):
		w.Header().Set("X-Amzn-Errortype", answer.code)
		respond(w, answer.status(), answered.fault(answer))
	case errors.Is(err, errReset):
		reset(w)
	case errors.Is(err, errCut):
		cut(w, answered.start)
	default: // The caller is gone.
		panic(http.ErrAbortHandler)
	}
}

// handle returns the body of the answer.
func (h *handler) handle(w http.ResponseWriter, r *http.Request, in *encoding) ([]byte, error) {
	target, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	act := h.operations[Operation(target)]
	if !ok || act == nil {
		return nil, newError(CodeUnknownOperation, "The target %q is not served.", r.Header.Get("X-Amz-Target"))
	}
	if in == nil {
		return nil, newError(CodeSerialization, "The content type %q is not served.", r.Header.Get("Content-Type"))
	}
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), maxBodySize)) + bytes.MinRead)
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBodySize)); err != nil {
		return nil, newError(CodeSerialization, "The body can't be read: %v", err)
	}
	input := body.Bytes()
	if in.toJSON != nil {
		var err error
		if input, err = in.toJSON(input); err != nil {
			return nil, newError(CodeSerialization, "The body is no valid input: %v", err)
		}
	}
	out, err := act(r.Context(), input)
	if err != nil {
		return nil, err
	}
	return in.write(out)
}

func respond(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // An error means that the caller is gone.
}

// reset ends the connection with a TCP reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2 has no connection to reset: this resets the stream of the request.
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = conn.Close() }()
	if secured, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secured.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // If this fails, the connection is closed without a reset.
	}
}

// cut writes half of an answer and breaks the connection.
func cut(w http.ResponseWriter, start string) {
	w.Header().Set("Content-Length", strconv.Itoa(2*len(start)))
	_, _ = io.WriteString(w, start)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// epoch is a time as AWS JSON writes it: a number of seconds since 1970, with a fraction.
type epoch struct{ time.Time }

func (e *epoch) UnmarshalJSON(text []byte) error {
	seconds, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return fmt.Errorf("kpltest: %s is no time", text)
	}
	e.Time = time.UnixMicro(int64(math.Round(seconds * 1e6)))
	return nil
}

func (e *epoch) value() *time.Time {
	if e == nil {
		return nil
	}
	return &e.Time
}

// listShardsInput and iteratorInput read the inputs that contain times.
type listShardsInput struct {
	kinesis.ListShardsInput
	StreamCreationTimestamp *epoch
	ShardFilter             *struct {
		types.ShardFilter
		Timestamp *epoch
	}
}

func (in *listShardsInput) value() *kinesis.ListShardsInput {
	out := in.ListShardsInput
	out.StreamCreationTimestamp = in.StreamCreationTimestamp.value()
	if in.ShardFilter != nil {
		out.ShardFilter = &in.ShardFilter.ShardFilter
		out.ShardFilter.Timestamp = in.ShardFilter.Timestamp.value()
	}
	return &out
}

type iteratorInput struct {
	kinesis.GetShardIteratorInput
	Timestamp *epoch
}

func (in *iteratorInput) value() *kinesis.GetShardIteratorInput {
	out := in.GetShardIteratorInput
	out.Timestamp = in.Timestamp.value()
	return &out
}
