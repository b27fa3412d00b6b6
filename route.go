// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"cmp"
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// routeOf returns what [marshaler.Config.Route] is for a pusher; nil if no resource names its stream.
func (p *pusher) routeOf() func(pcommon.Map) string {
	name := p.config.Streams.FromResourceAttribute
	if name == "" {
		return nil
	}
	return func(attributes pcommon.Map) string {
		value, ok := attributes.Get(name)
		if !ok || value.Type() == pcommon.ValueTypeEmpty {
			return ""
		}
		return p.session.live.named(value.AsString(), time.Now())
	}
}

// direct gives each message its stream. It counts the items that do not go where the data says.
func (p *pusher) direct(ctx context.Context, messages []marshaler.Message) {
	if !p.config.Streams.routes() {
		return
	}
	fromClient := ""
	if key := p.config.Streams.FromMetadataKey; key != "" {
		if values := client.FromContext(ctx).Metadata.Get(key); len(values) > 0 {
			fromClient = p.session.live.named(values[0], time.Now())
		}
	}
	for i := range messages {
		m := &messages[i]
		m.Stream = cmp.Or(m.Stream, fromClient)
		if reason, ok := strings.CutSuffix(m.Stream, "/"); ok {
			p.session.telemetry.notRoutedFor(p.signal, m.Items, reason)
			m.Stream = ""
		}
	}
}

// streamOf returns the stream of a message, as the producer calls it.
func (p *pusher) streamOf(m *marshaler.Message) string { return cmp.Or(m.Stream, p.stream) }

// place is where a message is stored.
type place struct {
	stream string      // empty if the signal has one stream only
	shard  kpl.ShardID // empty if nobody knows it
}

// String names the place.
func (p place) String() string {
	switch {
	case p.stream == "":
		return "shard " + string(p.shard)
	case p.shard == "":
		return "stream " + streamLabel(p.stream)
	}
	return "shard " + string(p.shard) + " of stream " + streamLabel(p.stream)
}

// placeOf returns the place that a message goes to, and about how many places there are. It returns false if nothing is known of
// the place.
func (p *pusher) placeOf(m *marshaler.Message) (at place, places int, ok bool) {
	stream := p.streamOf(m)
	shard, open, ok := p.session.producer.ShardOf(stream, m.PartitionKey, m.ExplicitHashKey)
	if !p.config.Streams.routes() {
		return place{shard: shard}, open, ok
	}
	// Another stream may come at any time, so there are at least two.
	return place{stream, shard}, max(2, 1+p.session.live.count()) * max(1, open), true
}
