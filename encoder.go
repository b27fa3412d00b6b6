// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
)

// encoder is the entry of one signal: it encodes pdata in the goroutine of the caller, and hands the bytes to the queue of
// exporterhelper. What comes behind it never sees pdata.
type encoder[T any] struct {
	signal[T]
	pusher *pusher
	fit    *queueFit
	next   func(context.Context, T) error // of exporterhelper's component
}

func newEncoder[T any](s signal[T], p *pusher, set exporter.Settings, next func(context.Context, T) error) *encoder[T] {
	return &encoder[T]{signal: s, pusher: p, fit: newQueueFit(p.config, set.Logger), next: next}
}

// Capabilities implements the consumers of all signals. The pdata is only read.
func (e *encoder[T]) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// convert is the converter of exporterhelper's component. It returns the request that consume has made.
func convert[T any](ctx context.Context, _ T) (xexporterhelper.Request, error) {
	return requestOf(ctx), nil
}

// consume hands data over. It returns when the queue has the data, or when the data is delivered if nothing is queued or
// sending_queue::wait_for_result is on.
//
// The error is permanent if nothing of data will ever be accepted. If a part was delivered, the error has the rest. It is
// exporterhelper's if the queue is full.
func (e *encoder[T]) consume(ctx context.Context, data T) error {
	r, err := e.encode(ctx, data)
	if r == nil {
		return err
	}
	if err := e.fit.check(r); err != nil {
		return err
	}
	if err := e.pusher.enter(ctx, r); err != nil {
		return err
	}
	queued := newRequestContext(ctx, r)
	defer queued.detach()
	err = e.next(queued, e.empty())
	if e.pusher.stores {
		r.releasePlain() // the storage has a copy
	}
	if err == nil && e.pusher.queues {
		return nil // the queue has it, and releases it
	}
	r.release()
	if err == nil || e.pusher.queues {
		return err
	}
	return e.rest(r, err)
}

// encode makes the request for data. It returns nil if there is nothing to send: data has no items, or none of them will ever be
// accepted, which the error says.
func (e *encoder[T]) encode(ctx context.Context, data T) (*request, error) {
	p := e.pusher
	m, plain := p.marshaler, p.isPlain(e.items(data))
	if plain {
		m = p.plain
	}
	encoded, err := e.marshal(m, data, p.options(ctx)...)
	if err != nil {
		return nil, consumererror.NewPermanent(err)
	}
	p.notice(&encoded)
	p.direct(ctx, encoded.Messages)
	r := p.newRequest(&encoded, plain)
	if len(r.messages)+len(r.plain) > 0 {
		return r, nil
	}
	v := p.newVerdict()
	v.reject(r)
	return nil, v.err()
}

// rest returns the error for a request that was delivered in part: it has the data that is not finished, and only that.
func (e *encoder[T]) rest(r *request, cause error) error {
	left := r.left()
	if len(left) == len(r.messages) || consumererror.IsPermanent(cause) {
		return cause // the caller still has the data
	}
	if len(left) == 0 {
		return nil // the error is that of a request with which this one was merged
	}
	var rest T
	for i, m := range left {
		data, err := e.unmarshal(e.pusher.marshaler, m.OTLP())
		if err != nil {
			return consumererror.NewPermanent(err) // cannot happen: the marshaler reads all that it wrote
		}
		if i == 0 {
			rest = data
		} else if e.move(data, rest) != nil {
			return cause // profiles that refer to nothing cannot be joined, so all are sent again
		}
	}
	return e.partial(cause, rest)
}
