// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// pusher sends the requests of one signal. The goroutines of exporterhelper call it.
type pusher struct {
	signal    marshaler.Signal
	config    *Config
	stream    string
	kind      kpl.Kind             // of the messages
	keyed     bool                 // a request has messages of many partition keys
	queues    bool                 // there is a queue, and its callers do not wait for results
	stores    bool                 // the queue has a storage
	marshaler *marshaler.Marshaler // makes messages
	extension *encodingExtension   // that the marshaler uses; nil if none
	plain     *marshaler.Marshaler // encodes pdata whose messages are made behind the queue; nil if there is none
	joins     bool                 // small requests are joined before they are compressed

	budget *budget      // of the queue; nil if exporterhelper's own limit counts
	shares *shardShares // of the budget; nil if shards have none
	view   *helperView
	spans  callSpans

	keySeen  atomic.Bool // something had a value that decides about keys
	draining atomic.Bool // pushes do not wait for the data of others any more
	session  *session    // set by start, before the first push
}

func newPusher(c *Config, set exporter.Settings, s marshaler.Signal) (*pusher, error) {
	if err := c.checkSignal(s); err != nil {
		return nil, fmt.Errorf("%s: %w", set.ID, err)
	}
	p := &pusher{
		view:   &helperView{id: set.ID.String(), keeps: c.storesQueue()},
		signal: s,
		config: c,
		stream: c.stream(s),
		spans:  callSpans{metadata.Tracer(set.TelemetrySettings)},
		kind:   kindOf(s, c.marshalerConfig(s)),
		keyed:  c.partitionKey(s).differs(),
		queues: c.Queue.HasValue() && !c.Queue.Get().WaitForResult,
		stores: c.storesRequests(),
	}
	var err error
	if p.marshaler, err = p.newMarshaler(); err != nil {
		return nil, fmt.Errorf("%s: %w", set.ID, err)
	}
	if bytes := c.queueBytes(); bytes > 0 {
		p.budget = newBudget(bytes, c.Queue.Get().BlockOnOverflow)
		p.view.budget = p.budget
		if c.sharesQueue(s) {
			p.shares = newShardShares(p.budget, c.helperConsumers(), p.placeOf)
		}
	}
	// Messages that are joined have one client and one key. Profiles cannot be joined, see kindOf.
	p.joins = p.queues && !p.stores && !p.keyed && c.Streams.FromMetadataKey == "" && c.Compression != marshaler.NoCompression &&
		!c.compressesRecords() && s != marshaler.Profiles
	if p.stores || p.joins {
		plain := plainFormat
		plain.Oversize = c.Oversize
		if p.plain, err = marshaler.New(plain); err != nil {
			return nil, fmt.Errorf("%s: %w", set.ID, err)
		}
	}
	return p, nil
}

// newMarshaler returns what makes the messages of the signal.
func (p *pusher) newMarshaler() (*marshaler.Marshaler, error) {
	c := p.config.marshalerConfig(p.signal)
	c.Route = p.routeOf()
	if isExtension(c.Encoding) {
		p.extension = newEncodingExtension(p.signal, c.Encoding)
		c.Foreign = p.extension.format()
	} else {
		c.Foreign = foreignFormat(c.Encoding)
	}
	if c.Foreign != nil {
		c.Encoding = ""
		c.Foreign.KeepOTLP = !p.queues // a caller that waits for the result gets the rest as pdata
	}
	return marshaler.New(c)
}

// start lets pushes use a session.
func (p *pusher) start(s *session) {
	p.session = s
}

// smallRequest is how many items a request has at most that is joined with others before it is compressed. Alone, so few items
// compress badly.
const smallRequest = 100

// isPlain reports whether the messages of a request with so many items are made behind the queue.
func (p *pusher) isPlain(items int) bool { return p.stores || p.joins && items <= smallRequest }

// GetKey implements the Partitioner of exporterhelper: it names the requests with which r may be merged.
func (p *pusher) GetKey(_ context.Context, r xexporterhelper.Request) string {
	return p.shares.partition(r.(*request))
}

// drain makes all pushes send what they have at once: those that wait already, and later ones.
func (p *pusher) drain() {
	p.draining.Store(true)
	p.session.producer.Flush()
}

// newVerdict returns an empty verdict.
func (p *pusher) newVerdict() *verdict {
	return &verdict{signal: p.signal, telemetry: p.session.telemetry}
}

// push sends the messages of a request that are not finished. It waits for the Results of the records if the delivery is
// [Confirmed]. It returns nil, an error if messages are left that should be sent again, or a permanent error.
func (p *pusher) push(ctx context.Context, r xexporterhelper.Request) error {
	request := r.(*request)
	request.prepare(ctx)
	v := p.newVerdict()
	v.reject(request)
	messages := request.left()
	if p.shares != nil {
		p.shares.beginPush(messages)
	}
	if p.config.Delivery == FireAndForget {
		p.submit(ctx, messages, v)
	} else {
		p.deliver(ctx, messages, v)
	}
	return v.err()
}

// largeRequest is how many bytes of messages are sent without waiting for messages of other pushes. They fill a PutRecords
// call well enough. The last record may be a small one, which costs one more PUT unit beside more than eighty.
const largeRequest = 2 << 20

// skipsLinger reports whether messages are sent at once instead of waiting for messages of other pushes. A large push gains
// nothing from waiting, and would hold the memory of many small ones meanwhile. With keys of resources it does gain: its
// messages are small, and share aggregated records with those of other pushes.
func (p *pusher) skipsLinger(messages []*message) bool {
	size := 0
	for _, m := range messages {
		size += len(m.Data)
	}
	return !p.keyed && size >= largeRequest
}

// deliver puts messages into the producer and waits for the Result of each. Messages that are too large for what is in front of
// the service are cut in halves and put again, until they pass or have one item.
func (p *pusher) deliver(ctx context.Context, messages []*message, v *verdict) {
	skipLinger := p.skipsLinger(messages)
	for len(messages) > 0 {
		p.deliverOnce(ctx, messages, v, skipLinger)
		messages = p.cutAll(v)
	}
}

// cutAll cuts the messages that were too large, and returns what they are cut into.
func (p *pusher) cutAll(v *verdict) []*message {
	var halves []*message
	for _, m := range v.tooLarge {
		parts, err := p.marshaler.Divide(p.signal, &m.Message, (m.Items+1)/2)
		if err != nil {
			v.leave(m, kpl.OutcomeUnavailable, err)
			continue
		}
		m.cut(parts)
		halves = append(halves, m.parts...)
	}
	v.tooLarge = nil
	return halves
}

// deliverOnce puts messages into the producer and waits for the Result of each.
func (p *pusher) deliverOnce(ctx context.Context, messages []*message, v *verdict, skipLinger bool) {
	batch := p.session.producer.NewBatch()
	batch.OnResult(func(i int, result kpl.Result) {
		if result.Err == nil {
			messages[i].finish() // its memory and its room are free, although others of the push may take a while
		}
	})
	for _, m := range messages {
		_ = batch.Put(ctx, p.record(m)) // its Result has the error
	}
	if skipLinger || p.draining.Load() {
		p.session.producer.Flush()
	}
	results := batch.Wait(ctx)
	p.spans.made(ctx, messages, results, func(m *message) string { return p.streamOf(&m.Message) })
	for i, result := range results {
		v.finished(messages[i], result)
	}
}

// submit puts messages into the producer and does not wait for their Results. A message that the producer accepts is released
// when its Result is there.
func (p *pusher) submit(ctx context.Context, messages []*message, v *verdict) {
	telemetry := p.session.telemetry
	skipLinger := p.skipsLinger(messages)
	for _, m := range messages {
		taken, plain := m.Message, m.plain
		err := p.session.producer.Put(ctx, p.record(m), func(result kpl.Result) {
			if result.Err == nil {
				telemetry.messageStored(p.signal, taken.Items, plain)
			} else {
				telemetry.itemsPut(p.signal, result.Outcome().String(), taken.Items)
				telemetry.lost(p.signal, taken.Items, result.Err)
			}
			taken.Release()
		})
		if err != nil {
			v.finished(m, kpl.Result{Err: err})
			continue
		}
		v.delivered += m.Items
		m.handOver()
	}
	if skipLinger {
		p.session.producer.Flush()
	}
}

// record returns the user record of a message.
func (p *pusher) record(m *message) kpl.UserRecord {
	return kpl.UserRecord{
		Stream: p.streamOf(&m.Message), PartitionKey: m.PartitionKey, ExplicitHashKey: m.ExplicitHashKey, Kind: p.kind, Data: m.Data,
	}
}
