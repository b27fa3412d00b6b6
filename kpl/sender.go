// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/md5x8"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire"
)

// sender carries requests out. Its workers encode, hash, call and report what the service said; they decide nothing.
// The pipeline never has more than Config.MaxConnections requests in flight, so there are as many workers at most.
type sender struct {
	ctx      context.Context //nolint:containedctx // it is the life of the workers
	client   Client
	config   *Config
	buffers  *freeBuffers
	encoding *wire.Encoding
	stream   string
	complete func(*request)

	queue   chan *request
	busy    chan struct{} // a token for each request that is queued or being sent
	workers int           // owned by the loop
	running sync.WaitGroup
}

// newSender returns the sender of a stream, which has no worker yet. It calls complete for each request when its call has
// ended.
func newSender(ctx context.Context, shared *shared, stream string, complete func(*request)) *sender {
	return &sender{
		ctx: ctx, client: shared.client, config: &shared.config, buffers: &shared.buffers, encoding: shared.encoding,
		stream: stream, complete: complete,
		queue: make(chan *request, shared.config.MaxConnections),
		busy:  make(chan struct{}, shared.config.MaxConnections),
	}
}

// send hands r to a worker. It does not block: the queue has room for all requests that may be in flight.
func (s *sender) send(r *request) {
	s.busy <- struct{}{}
	if len(s.busy) > s.workers {
		s.workers++
		s.running.Go(newWorker(s).run)
	}
	s.queue <- r
}

// close ends the workers when they have sent what is queued, and waits for them.
func (s *sender) close() {
	close(s.queue)
	s.running.Wait()
}

// worker sends one request at a time. It keeps its small buffers from one to the next.
type worker struct {
	*sender
	frames   []byte   // the data of records with several members
	messages [][]byte // in frames, what the MD5 at the end of each is of
	md5      md5x8.Hasher
	sums     [][md5x8.Size]byte
	digits   []byte // of all hash keys
	ends     []int  // of each in digits
	hashKeys []string
	entries  []types.PutRecordsRequestEntry
	finished []FinishedEntry
	wire     *wire.Protocol
	options  []func(*kinesis.Options) // of each call
}

func newWorker(s *sender) *worker {
	w := &worker{sender: s, wire: wire.NewProtocol(s.encoding), options: []func(*kinesis.Options){callOptions}}
	if s.config.WireProtocol != WireSDK {
		w.options = append(w.options, w.wire.Install)
	}
	return w
}

func (w *worker) run() {
	for r := range w.queue {
		w.do(r)
		w.report(r)
		<-w.busy
		w.complete(r)
	}
}

// do carries r out and notes the outcome in it.
func (w *worker) do(r *request) {
	w.frames = w.buffers.take()
	input := w.input(r)
	ctx, cancel := context.WithTimeout(w.ctx, w.config.RequestTimeout)
	defer cancel()
	r.start = time.Now()
	output, err := w.client.PutRecords(ctx, input, w.options...)
	w.reportEncoding(err)
	if err != nil && w.wire.Again() {
		output, err = w.client.PutRecords(ctx, input, w.options...)
		w.reportEncoding(err)
	}
	r.end = time.Now()
	clear(w.entries)
	w.wire.Forget()
	w.buffers.give(w.frames)
	w.frames = nil
	r.read(output, err)
}

// reportEncoding tells the observer what the last call showed about the encoding of requests. The error is that of the call.
func (w *worker) reportEncoding(err error) {
	switch w.wire.Finish() {
	case wire.Unchanged:
	case wire.CBORBack:
		notify(w.config.Observer.CBORSupported, CBOREvent{Stream: w.stream})
	case wire.CBORLost:
		if err == nil {
			err = errNotForEachRecord
		}
		f := faultOfCall(err)
		notify(w.config.Observer.CBORUnsupported, CBOREvent{w.stream, fmt.Errorf("%s: %s", f.code, f.message)})
	}
}

// errNotForEachRecord is the error of a success that does not say what became of each record.
var errNotForEachRecord = errors.New("the answer does not have one entry for each record")

// read notes what came of the call. An answer that does not have one entry for each record is an error of the whole call.
func (r *request) read(output *kinesis.PutRecordsOutput, err error) {
	if err == nil && len(output.Records) != len(r.records) {
		err = countMismatchError{len(output.Records), len(r.records)}
	}
	if err != nil {
		r.err, r.requestID = err, requestIDOf(err)
		return
	}
	r.requestID, _ = awsmiddleware.GetRequestIDMetadata(output.ResultMetadata)
	r.entries = make([]entryResult, len(output.Records))
	for i := range output.Records {
		r.entries[i] = readEntry(&output.Records[i])
	}
}

// readEntry reads what the service says about a record: its sequence number, or else why there is none.
func readEntry(e *types.PutRecordsResultEntry) entryResult {
	if number := aws.ToString(e.SequenceNumber); number != "" {
		return entryResult{shard: ShardID(clip(aws.ToString(e.ShardId))), sequenceNumber: number}
	}
	if e.ErrorCode == nil && e.ErrorMessage == nil {
		return entryResult{code: CodeUnknown, message: "the answer has neither a sequence number nor an error code"}
	}
	f := faultOfEntry(aws.ToString(e.ErrorCode), aws.ToString(e.ErrorMessage))
	return entryResult{code: f.code, message: f.message}
}

// input encodes r.
func (w *worker) input(r *request) *kinesis.PutRecordsInput {
	size := 0
	for _, k := range r.records {
		if k.joined() && k.compressed == nil {
			size += k.dataSize()
		}
	}
	if w.frames == nil || cap(w.frames) < size { // the service takes a record without a byte, but not one without data
		w.frames = make([]byte, 0, size)
	}
	frames := w.frames[:0]
	w.entries, w.messages = w.entries[:0], w.messages[:0]
	w.writeHashKeys(r.records)
	for i, k := range r.records {
		data, start := k.members[0].data, len(frames)
		switch {
		case k.compressed != nil:
			data = *k.compressed
		case k.framed():
			var message []byte
			frames, message = appendAggregated(frames, k)
			data, w.messages = frames[start:], append(w.messages, message)
		case k.joined():
			frames = appendConcatenated(frames, k)
			data = frames[start:]
		}
		w.entries = append(w.entries, types.PutRecordsRequestEntry{
			Data:            data,
			PartitionKey:    k.outerPartitionKey(),
			ExplicitHashKey: &w.hashKeys[i],
		})
	}
	w.sums = w.md5.Sums(w.sums[:0], w.messages)
	for i, message := range w.messages {
		copy(message[len(message):len(message)+md5x8.Size], w.sums[i][:])
	}
	clear(w.messages)
	input := &kinesis.PutRecordsInput{Records: w.entries}
	input.StreamName, input.StreamARN = streamAddress(w.stream)
	return input
}

// writeHashKeys writes the hash key of each record in decimal, all of them in one string.
func (w *worker) writeHashKeys(records []*kinesisRecord) {
	w.digits, w.ends, w.hashKeys = w.digits[:0], w.ends[:0], w.hashKeys[:0]
	for _, k := range records {
		w.digits = k.hash.appendDecimal(w.digits)
		w.ends = append(w.ends, len(w.digits))
	}
	all, start := string(w.digits), 0
	for _, end := range w.ends {
		w.hashKeys = append(w.hashKeys, all[start:end])
		start = end
	}
}

// report tells the observer about r.
func (w *worker) report(r *request) {
	if w.config.Observer.RequestFinished == nil {
		return
	}
	var call fault
	if r.err != nil {
		call = faultOfCall(r.err)
	}
	whole := call.code
	w.finished = w.finished[:0]
	for i, k := range r.records {
		entry := FinishedEntry{
			UserRecords: len(k.members), Bytes: k.dataSize(), PutUnits: unitsOf(k.size()), PredictedShard: k.predictedShard(),
			Held: k.held, Code: whole, Message: call.message,
		}
		if whole == "" && r.entries[i].sequenceNumber != "" {
			entry.ShardID = r.entries[i].shard
		} else if whole == "" {
			entry.Code, entry.Message = r.entries[i].code, r.entries[i].message
		}
		w.finished = append(w.finished, entry)
	}
	w.config.Observer.RequestFinished(RequestEvent{
		Stream: w.stream, Start: r.start, End: r.end, Code: whole, Message: call.message, RequestID: r.requestID, Entries: w.finished,
	})
}
