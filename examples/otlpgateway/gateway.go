// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// gateway stores requests, whatever protocol they came by.
type gateway struct {
	producer  *kpl.Producer
	marshaler *marshaler.Marshaler
	stream    string
	confirms  bool
	memory    *budget
	bodies    *bodyPool
	maxBody   int    // bytes
	failures  *tally // requests that clients should send again
	losses    *tally // items that were accepted and not delivered
	keyless   *tally // requests that have none of the attributes that make partition keys
}

func newGateway(p *kpl.Producer, m *marshaler.Marshaler, cfg config, logger *slog.Logger) *gateway {
	return &gateway{
		producer:  p,
		marshaler: m,
		stream:    cfg.stream,
		confirms:  cfg.answer == confirmed,
		memory:    newBudget(cfg.memory),
		bodies:    new(bodyPool),
		maxBody:   cfg.maxBody,
		failures:  &tally{logger: logger, level: slog.LevelWarn, text: "requests not taken", unit: "requests"},
		losses:    &tally{logger: logger, level: slog.LevelError, text: "items not delivered", unit: "items"},
		keyless:   &tally{logger: logger, level: slog.LevelWarn, text: "no resource has key attributes", unit: "requests"},
	}
}

// request is an OTLP request that was read.
type request struct {
	signal marshaler.Signal
	json   bool // protobuf otherwise
	body   mem.Buffer
	lease  *lease // of the memory that the request takes
}

// What requests and messages take beside their bytes, roughly.
const (
	requestOverhead = 512
	messageOverhead = 256
)

// jsonFactor is how much more memory JSON takes when it is decoded, roughly.
const jsonFactor = 4

// store stores a request. It owns the body and the lease of the request from then on. The error is that of failure.
func (g *gateway) store(ctx context.Context, r request) (answer, error) {
	if r.json {
		r.lease.resize(jsonFactor * r.lease.bytes)
	}
	encoded, err := g.encode(r)
	r.body.Free()
	if err != nil {
		r.lease.release()
		return answer{}, failure(codes.InvalidArgument, err)
	}
	size := requestOverhead
	for i := range encoded.Messages {
		size += len(encoded.Messages[i].Data) + messageOverhead
	}
	r.lease.resize(size)
	var a answer
	if m := encoded.Mended; m.Any() {
		a.reason = fmt.Sprintf("replaced: %d texts that are not valid UTF-8, %d values that lie too deep", m.Texts, m.Values)
	}
	if encoded.Keyless {
		g.keyless.add(1, errKeyless)
	}
	for _, tooLarge := range encoded.Rejected {
		a.reject(1, tooLarge)
	}
	if g.confirms {
		err = g.confirm(ctx, &encoded, r.lease, &a)
	} else {
		err = g.accept(ctx, &encoded, r.lease)
	}
	return a, err
}

// errKeyless is for the log.
var errKeyless = errors.New("data without the attributes of -kinesis-key-attributes shares one partition key and one shard")

// encode makes messages of a request.
func (g *gateway) encode(r request) (marshaler.Encoded, error) {
	data := r.body.ReadOnlyData()
	if !r.json {
		return g.marshaler.MarshalEncoded(r.signal, data)
	}
	switch r.signal {
	case marshaler.Logs:
		logs, err := new(plog.JSONUnmarshaler).UnmarshalLogs(data)
		if err != nil {
			return marshaler.Encoded{}, err
		}
		return g.marshaler.MarshalLogs(logs)
	case marshaler.Traces:
		traces, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(data)
		if err != nil {
			return marshaler.Encoded{}, err
		}
		return g.marshaler.MarshalTraces(traces)
	default:
		metrics, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(data)
		if err != nil {
			return marshaler.Encoded{}, err
		}
		return g.marshaler.MarshalMetrics(metrics)
	}
}

// confirm puts messages and waits for their results. If some were not stored and can be, it fails, because OTLP cannot say
// which. The client then sends all of them again.
func (g *gateway) confirm(ctx context.Context, encoded *marshaler.Encoded, l *lease, a *answer) error {
	defer l.release()
	defer encoded.Release()
	batch := g.producer.NewBatch()
	for i := range encoded.Messages {
		_ = batch.Put(ctx, g.record(&encoded.Messages[i])) // its Result has the error
	}
	var failed error
	for i, result := range batch.Wait(ctx) {
		switch outcome := result.Outcome(); {
		case outcome == kpl.OutcomeRejected:
			a.reject(encoded.Messages[i].Items, result.Err)
		case outcome != kpl.OutcomeSuccess && failed == nil:
			failed = result.Err
		}
	}
	if failed != nil {
		return g.retryable(failed)
	}
	return nil
}

// accept puts messages and does not wait for their results. It gives the lease back when all of them are there. Put does not
// wait either, as the producer has no bound.
func (g *gateway) accept(ctx context.Context, encoded *marshaler.Encoded, l *lease) error {
	var missing atomic.Int64
	missing.Store(1) // this call
	end := func() {
		if missing.Add(-1) == 0 {
			l.release()
		}
	}
	defer end()
	for i, message := range encoded.Messages {
		missing.Add(1)
		err := g.producer.Put(ctx, g.record(&message), func(result kpl.Result) {
			if result.Err != nil {
				g.losses.add(message.Items, result.Err)
			}
			message.Release()
			end()
		})
		if err == nil {
			continue
		}
		end()
		for _, left := range encoded.Messages[i:] {
			left.Release()
		}
		return g.retryable(err)
	}
	return nil
}

// retryable returns what a client is told about data that it should send again.
func (g *gateway) retryable(cause error) error {
	if errors.Is(cause, context.Canceled) {
		return failure(codes.Canceled, cause) // the client is gone
	}
	g.failures.add(1, cause)
	return failure(codes.Unavailable, cause)
}

// report logs what is not logged yet.
func (g *gateway) report() {
	g.failures.report()
	g.losses.report()
	g.keyless.report()
}

func (g *gateway) record(m *marshaler.Message) kpl.UserRecord {
	return kpl.UserRecord{Stream: g.stream, PartitionKey: m.PartitionKey, Data: m.Data}
}
