// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"slices"
	"sync/atomic"

	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// The memory that a request takes in the queue beside the bytes of its messages.
const (
	requestOverhead = 1024 // the request itself, its context, its place in the queue, and its part of a goroutine
	messageOverhead = 256  // a message, and its user record while the producer has it
)

// request is what the queue holds: the data of one call of ConsumeLogs and the like, as encoded bytes. Most requests hold
// messages. A request of a queue with a storage is plain: it holds OTLP as the storage has it, and its messages are made before
// it is sent. Small requests are plain too if there is compression, because they compress better together.
//
// One goroutine at a time uses a request: that of the caller, then that of the queue's consumer.
type request struct {
	pusher *pusher

	// plain is what no messages are made of yet.
	plain []plainPart
	// messages are what is to be sent, in the order of their items. Some may be finished already.
	messages []*message
	// rejected is what no messages can be made of. The first push takes it in.
	rejected []rejection

	// items is how many log records, spans, data points or samples there are, the rejected ones included. size is the memory that
	// the request takes, in bytes.
	items, size int

	// own are the messages that the request was made with. Merging does not change it.
	own []*message
	// budget counts the request until release; nil if nobody counts.
	budget   *budget
	kept     int // what the request takes until release, beside its messages
	released atomic.Bool
}

var (
	_ xexporterhelper.Request             = (*request)(nil)
	_ xexporterhelper.RequestErrorHandler = (*request)(nil)
)

// newRequest returns a request for encoded pdata. Plain says that its messages are made later.
func (p *pusher) newRequest(encoded *marshaler.Encoded, plain bool) *request {
	r := &request{pusher: p, size: requestOverhead}
	if plain {
		for i := range encoded.Messages {
			r.takePlain(plainPart{otlp: encoded.Messages[i].Data, items: encoded.Messages[i].Items, message: &encoded.Messages[i]})
		}
		r.take(&marshaler.Encoded{Rejected: encoded.Rejected})
	} else {
		r.take(encoded)
	}
	r.own = r.messages
	return r
}

// takePlain adds what no messages are made of yet.
func (r *request) takePlain(part plainPart) {
	r.plain = append(r.plain, part)
	r.items += part.items
	r.size += len(part.otlp)
}

// take adds messages, and the items that fit none.
func (r *request) take(encoded *marshaler.Encoded) {
	r.messages = appendMessages(r.messages, encoded.Messages)
	for _, m := range r.messages[len(r.messages)-len(encoded.Messages):] {
		r.items += m.Items
		r.size += m.size
	}
	for _, err := range encoded.Rejected {
		r.rejected = append(r.rejected, rejection{items: 1, err: err})
	}
	r.items += len(encoded.Rejected)
	for _, err := range encoded.Failed {
		r.rejected = append(r.rejected, rejection{items: err.Items, err: err})
		r.items += err.Items
	}
}

// ItemsCount returns the number of log records, spans, data points or samples.
func (r *request) ItemsCount() int { return r.items }

// BytesSize returns the memory that the request takes, in bytes.
func (r *request) BytesSize() int { return r.size }

// OnError returns a request for the messages that are not finished. The retries of exporterhelper send it after a push that
// failed.
func (r *request) OnError(error) xexporterhelper.Request {
	left := r.left()
	if r.plain != nil || len(left) == len(r.messages) {
		return r
	}
	rest := &request{pusher: r.pusher, messages: left, size: requestOverhead}
	for _, m := range left {
		rest.items += m.Items
		rest.size += m.size
	}
	return rest
}

// left returns the messages that are not finished.
func (r *request) left() []*message {
	left := make([]*message, 0, len(r.messages))
	for _, m := range r.messages {
		left = m.appendLeft(left)
	}
	return left
}

// prepare makes the messages of what is plain. The context has the metadata of the client.
func (r *request) prepare(ctx context.Context) {
	if len(r.plain) == 0 {
		return
	}
	parts := r.plain
	if r.pusher.joins {
		parts = []plainPart{joined(parts)}
	}
	for _, part := range parts {
		r.items -= part.items
		r.size -= len(part.otlp)
		encoded, err := r.pusher.marshaler.MarshalEncoded(r.pusher.signal, part.otlp, r.pusher.options(ctx)...)
		if err != nil {
			r.rejected = append(r.rejected, rejection{items: part.items, err: err})
			r.items += part.items
			continue
		}
		r.pusher.notice(&encoded)
		r.pusher.direct(ctx, encoded.Messages)
		r.take(&encoded)
	}
	r.releasePlain()
}

// releasePlain gives the memory of what is plain back.
func (r *request) releasePlain() {
	for _, part := range r.plain {
		if part.message != nil {
			part.message.Release()
		}
	}
	r.plain = nil
}

// release ends the count of what the request takes of the queue. It may be called more than once.
func (r *request) release() {
	if r.budget == nil || r.released.Swap(true) {
		return
	}
	for _, m := range r.own {
		m.leave()
	}
	r.budget.giveBack(r.kept)
}

// releaser tells a request that the queue is done with it.
type releaser struct{}

// Ref does nothing: a request counts from its acceptance on.
func (releaser) Ref(xexporterhelper.Request) {}

// Unref implements the ReferenceCounter of exporterhelper.
func (releaser) Unref(r xexporterhelper.Request) { r.(*request).release() }

// plainPart is OTLP in protobuf, as a storage has it, and how many items it has.
type plainPart struct {
	otlp    []byte
	items   int
	message *marshaler.Message // owns otlp; nil if nobody does
}

// joined returns one part of several: OTLP requests in a row are one.
func joined(parts []plainPart) plainPart {
	if len(parts) == 1 {
		return parts[0]
	}
	var all plainPart
	for _, part := range parts {
		all.otlp = append(all.otlp, part.otlp...)
		all.items += part.items
	}
	return all
}

// rejection is why some items are in no message.
type rejection struct {
	items int
	err   error
}

// message is a message on its way.
type message struct {
	marshaler.Message

	// finished is set once the message was delivered, was dropped for good, or was cut. Its memory is given back then.
	finished bool
	// parts is what the message was cut into; nil if it was not cut.
	parts []*message
	// size is the memory that the message takes, in bytes. plain is how many bytes its data has before compression.
	size, plain int
	// budget counts the message, share counts it for its shard, and push the push that it is in; nil if nobody counts.
	budget *budget
	share  *shardShare
	push   *shardPush
}

// appendMessages appends messages to list. They are made with two allocations.
func appendMessages(list []*message, made []marshaler.Message) []*message {
	all := make([]message, len(made))
	list = slices.Grow(list, len(made))
	for i := range made {
		all[i].Message, all[i].size, all[i].plain = made[i], sizeOf(&made[i]), made[i].PlainSize()
		list = append(list, &all[i])
	}
	return list
}

// sizeOf returns the memory that a message takes, in bytes.
func sizeOf(m *marshaler.Message) int { return m.Memory() + len(m.PartitionKey) + messageOverhead }

// appendLeft appends the message to list if it is not finished. If it was cut, its parts count instead.
func (m *message) appendLeft(list []*message) []*message {
	if !m.finished {
		return append(list, m)
	}
	for _, part := range m.parts {
		list = part.appendLeft(list)
	}
	return list
}

// finish ends the message. It may be called more than once.
func (m *message) finish() {
	if !m.finished {
		m.handOver()
		m.Release()
	}
}

// handOver ends the message whose memory somebody else releases.
func (m *message) handOver() {
	m.leave()
	m.finished = true
}

// cut ends the message in favor of its parts. They count nowhere: what was cut is about to be sent.
func (m *message) cut(parts []marshaler.Message) {
	m.parts = appendMessages(nil, parts)
	m.finish()
}

// leave takes the message out of all counts.
func (m *message) leave() {
	if m.budget != nil {
		m.budget.giveBack(m.size)
		m.budget = nil
	}
	if m.share == nil {
		return
	}
	m.share.shares.leave(m.share, m.size)
	if m.push != nil {
		m.push.finished(m.share)
	}
	m.share = nil
}
