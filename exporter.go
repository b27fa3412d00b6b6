// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// signal is what differs between logs, traces and metrics.
type signal[T any] struct {
	name      marshaler.Signal
	marshal   func(*marshaler.Marshaler, T) (marshaler.Encoded, error)
	unmarshal func(*marshaler.Marshaler, []byte) (T, error)
	empty     func() T
	move      func(from, to T)              // appends all of the first to the second
	halve     func(T) T                     // leaves half of the items, and returns the others
	partial   func(err error, rest T) error // the error that makes the Collector send rest again, and only that
}

var (
	logsSignal = signal[plog.Logs]{
		name:      marshaler.Logs,
		marshal:   (*marshaler.Marshaler).MarshalLogs,
		unmarshal: (*marshaler.Marshaler).UnmarshalLogs,
		empty:     plog.NewLogs,
		move:      func(from, to plog.Logs) { from.ResourceLogs().MoveAndAppendTo(to.ResourceLogs()) },
		halve:     halveLogs,
		partial:   consumererror.NewLogs,
	}
	tracesSignal = signal[ptrace.Traces]{
		name:      marshaler.Traces,
		marshal:   (*marshaler.Marshaler).MarshalTraces,
		unmarshal: (*marshaler.Marshaler).UnmarshalTraces,
		empty:     ptrace.NewTraces,
		move:      func(from, to ptrace.Traces) { from.ResourceSpans().MoveAndAppendTo(to.ResourceSpans()) },
		halve:     halveTraces,
		partial:   consumererror.NewTraces,
	}
	metricsSignal = signal[pmetric.Metrics]{
		name:      marshaler.Metrics,
		marshal:   (*marshaler.Marshaler).MarshalMetrics,
		unmarshal: (*marshaler.Marshaler).UnmarshalMetrics,
		empty:     pmetric.NewMetrics,
		move:      func(from, to pmetric.Metrics) { from.ResourceMetrics().MoveAndAppendTo(to.ResourceMetrics()) },
		halve:     halveMetrics,
		partial:   consumererror.NewMetrics,
	}
)

// pusher sends the data of one signal. The goroutines of exporterhelper call it.
type pusher[T any] struct {
	signal[T]
	marshaler  *marshaler.Marshaler
	stream     string
	delivery   Delivery
	attributes []string    // partition_key::resource_attributes
	keyed      bool        // a push has messages of many partition keys
	keySeen    atomic.Bool // some resource had an attribute that decides about keys
	config     *Config

	draining atomic.Bool // pushes do not wait for the data of others any more
	session  *session    // set by start, before the first push
}

func newPusher[T any](c *Config, set exporter.Settings, s signal[T]) (*pusher[T], error) {
	m, err := marshaler.New(c.marshalerConfig())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", set.ID, err)
	}
	return &pusher[T]{
		signal:     s,
		marshaler:  m,
		stream:     c.AWS.stream(),
		delivery:   c.Delivery,
		keyed:      len(c.PartitionKey.ResourceAttributes) > 0,
		attributes: c.PartitionKey.ResourceAttributes,
		config:     c,
	}, nil
}

// warnings returns what of the configuration is hardly meant for the signal.
func (p *pusher[T]) warnings() []string { return p.config.warningsOf(p.name) }

// start lets pushes use a session.
func (p *pusher[T]) start(s *session) {
	p.session = s
}

// drain makes all pushes send what they have at once: those that wait already, and later ones.
func (p *pusher[T]) drain() {
	p.draining.Store(true)
	p.session.producer.Flush()
}

// push sends data. It waits for the Results of the records if the delivery is [Confirmed]. It returns nil, an error with the
// data that should be sent again, or a permanent error. It keeps nothing of data.
func (p *pusher[T]) push(ctx context.Context, data T) error {
	encoded, err := p.marshal(p.marshaler, data)
	if err != nil {
		return consumererror.NewPermanent(err)
	}
	defer encoded.Release()
	p.watchKeys(encoded.Keyless)
	if encoded.Mended.Any() {
		p.session.telemetry.mended(p.name, encoded.Mended)
	}
	v := verdict{signal: p.name, telemetry: p.session.telemetry}
	defer v.release()
	for _, err := range encoded.Rejected {
		v.oversize(err)
	}
	skipLinger := p.skipsLinger(encoded.Messages)
	if p.delivery == FireAndForget {
		p.submit(ctx, encoded.Messages, &v, skipLinger)
	} else {
		p.deliver(ctx, encoded.Messages, &v, skipLinger)
	}
	if len(v.left) == 0 || v.delivered+v.dropped == 0 {
		return v.err() // nothing is to be sent again, or all of data, which the Collector still has
	}
	return p.giveBack(&v)
}

// watchKeys warns while no resource has had any of the attributes that decide about partition keys. A wrong name would send
// everything to one shard.
func (p *pusher[T]) watchKeys(keyless bool) {
	switch {
	case !p.keyed || p.keySeen.Load():
	case keyless:
		p.session.telemetry.keyless(p.name, p.attributes)
	default:
		p.keySeen.Store(true)
	}
}

// largeRequest is how many bytes of messages are sent without waiting for messages of other pushes. They fill a PutRecords
// call well enough. The last record may be a small one, which costs one more PUT unit beside more than eighty.
const largeRequest = 2 << 20

// skipsLinger reports whether messages are sent at once instead of waiting for messages of other pushes. A large push gains
// nothing from waiting, and would hold the memory of many small ones meanwhile. With keys of resources it does gain: its
// messages are small, and share aggregated records with those of other pushes.
func (p *pusher[T]) skipsLinger(messages []marshaler.Message) bool {
	size := 0
	for i := range messages {
		size += len(messages[i].Data)
	}
	return !p.keyed && size >= largeRequest
}

// deliver puts messages into the producer and waits for the Result of each. Messages that are too large for what is in front of
// the service are cut in halves and put again, until they pass or have one item.
func (p *pusher[T]) deliver(ctx context.Context, messages []marshaler.Message, v *verdict, skipLinger bool) {
	for len(messages) > 0 {
		p.deliverOnce(ctx, messages, v, skipLinger)
		messages = p.cutAll(v)
	}
}

// cutAll cuts the messages that were too large, and returns what they are cut into.
func (p *pusher[T]) cutAll(v *verdict) []marshaler.Message {
	var halves []marshaler.Message
	for _, message := range v.tooLarge {
		encoded, err := p.cut(message)
		if err != nil {
			v.leave(message, kpl.OutcomeUnavailable, err)
			continue
		}
		v.halves = append(v.halves, encoded...)
		for i := range encoded {
			halves = append(halves, encoded[i].Messages...)
		}
	}
	v.tooLarge = nil
	return halves
}

// cut encodes each half of a message by itself. No message of ours makes it fail.
func (p *pusher[T]) cut(message marshaler.Message) ([]marshaler.Encoded, error) {
	data, err := p.unmarshal(p.marshaler, message.Data)
	if err != nil {
		return nil, err
	}
	rest := p.halve(data)
	var halves []marshaler.Encoded
	for _, half := range []T{data, rest} {
		encoded, err := p.marshal(p.marshaler, half)
		if err != nil {
			return nil, err
		}
		if len(encoded.Rejected) > 0 {
			return nil, encoded.Rejected[0]
		}
		halves = append(halves, encoded)
	}
	return halves, nil
}

// deliverOnce puts messages into the producer and waits for the Result of each.
func (p *pusher[T]) deliverOnce(ctx context.Context, messages []marshaler.Message, v *verdict, skipLinger bool) {
	batch := p.session.producer.NewBatch()
	for i := range messages {
		_ = batch.Put(ctx, p.record(&messages[i])) // its Result has the error
	}
	if skipLinger || p.draining.Load() {
		p.session.producer.Flush()
	}
	for i, result := range batch.Wait(ctx) {
		v.finished(messages[i], result)
	}
}

// submit puts messages into the producer and does not wait for their Results. A message that the producer accepts is released
// when its Result is there. Its place in messages is then empty, so that the caller does not release it too.
func (p *pusher[T]) submit(ctx context.Context, messages []marshaler.Message, v *verdict, skipLinger bool) {
	telemetry := p.session.telemetry
	for i := range messages {
		taken := messages[i]
		err := p.session.producer.Put(ctx, p.record(&taken), func(result kpl.Result) {
			telemetry.itemsPut(p.name, result.Outcome().String(), taken.Items)
			if result.Err != nil {
				telemetry.lost(p.name, taken.Items, result.Err)
			}
			taken.Release()
		})
		if err != nil {
			v.finished(messages[i], kpl.Result{Err: err})
			continue
		}
		v.delivered += messages[i].Items
		messages[i] = marshaler.Message{}
	}
	if skipLinger {
		p.session.producer.Flush()
	}
}

func (p *pusher[T]) record(c *marshaler.Message) kpl.UserRecord {
	return kpl.UserRecord{Stream: p.stream, PartitionKey: c.PartitionKey, Data: c.Data}
}

// giveBack returns the error that hands what is left, and nothing else, back to the Collector.
func (p *pusher[T]) giveBack(v *verdict) error {
	rest := p.empty()
	for _, message := range v.left {
		data, err := p.unmarshal(p.marshaler, message.Data)
		if err != nil {
			return consumererror.NewPermanent(err) // cannot happen: the marshaler reads all that it wrote
		}
		p.move(data, rest)
	}
	return p.partial(v.err(), rest)
}
