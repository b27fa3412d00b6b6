// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
)

// errForeignRequest says that a request comes from another exporter, which exporterhelper never lets happen.
var errForeignRequest = errors.New("a request of another exporter cannot be merged")

// MergeSplit appends what is in other, which may be nil, and cuts the whole into requests of at most maxSize items or bytes. If
// maxSize is 0, nothing is cut.
//
// No item is lost. A request is larger than maxSize only if it has one message that is, or one item. The last request is the
// smallest, because exporterhelper may merge it with more.
func (r *request) MergeSplit(
	ctx context.Context, maxSize int, sizer exporterhelper.RequestSizerType, other xexporterhelper.Request,
) ([]xexporterhelper.Request, error) {
	if other != nil {
		o, ok := other.(*request)
		if !ok {
			return nil, errForeignRequest
		}
		r.merge(o)
	}
	measure := measureOf(sizer)
	if maxSize == 0 || measure(r) <= maxSize {
		return []xexporterhelper.Request{r}, nil
	}
	r.prepare(ctx)
	return r.split(maxSize, measure), nil
}

// measureOf returns the function that measures a request.
func measureOf(sizer exporterhelper.RequestSizerType) func(*request) int {
	if sizer == exporterhelper.RequestSizerTypeBytes {
		return (*request).BytesSize
	}
	return (*request).ItemsCount
}

// merge appends what is in another request.
func (r *request) merge(o *request) {
	r.plain = append(r.plain, o.plain...)
	r.messages = append(r.messages, o.messages...)
	r.rejected = append(r.rejected, o.rejected...)
	r.items += o.items
	r.size += o.size
}

// split puts the messages into requests, in their order. A message with too many items for one request is divided first.
func (r *request) split(maxSize int, measure func(*request) int) []xexporterhelper.Request {
	parts := []*request{{pusher: r.pusher, rejected: r.rejected, items: rejectedItems(r.rejected), size: requestOverhead}}
	for _, m := range r.messages {
		for _, m := range r.divide(m, maxSize, measure) {
			last := parts[len(parts)-1]
			grown := request{items: last.items + m.Items, size: last.size + m.size}
			if measure(&grown) > maxSize && last.items > 0 {
				last = &request{pusher: r.pusher, size: requestOverhead}
				parts = append(parts, last)
			}
			last.messages = append(last.messages, m)
			last.items += m.Items
			last.size += m.size
		}
	}
	smallest := 0
	for i := range parts {
		if measure(parts[i]) < measure(parts[smallest]) {
			smallest = i
		}
	}
	last := parts[smallest]
	parts = append(slices.Delete(parts, smallest, smallest+1), last)
	requests := make([]xexporterhelper.Request, len(parts))
	for i := range parts {
		requests[i] = parts[i]
	}
	return requests
}

// divide returns the message, or parts of it that are within maxSize items.
func (r *request) divide(m *message, maxSize int, measure func(*request) int) []*message {
	if measure(&request{items: m.Items}) <= maxSize {
		return []*message{m}
	}
	parts, err := r.pusher.marshaler.Divide(r.pusher.signal, &m.Message, maxSize)
	if err != nil {
		return []*message{m} // a request that is too large is better than none
	}
	m.cut(parts)
	return m.parts
}

// rejectedItems returns how many items are rejected.
func rejectedItems(rejected []rejection) (items int) {
	for _, r := range rejected {
		items += r.items
	}
	return items
}
