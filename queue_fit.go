// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
)

// queueFit rejects for good what is larger than the whole queue. The queue answers that it is full, or lets the caller wait, so
// that a client would send the same again for ever.
type queueFit[T any] struct {
	config *exporterhelper.QueueBatchConfig // nil without a queue
	bytes  func(T) int
	items  func(T) int
	logger *zap.Logger
	once   *sync.Once
}

func newQueueFit[T any](c *Config, logger *zap.Logger, bytes, items func(T) int) queueFit[T] {
	f := queueFit[T]{bytes: bytes, items: items, logger: logger, once: &sync.Once{}}
	if c.Queue.HasValue() {
		f.config = c.Queue.Get()
	}
	return f
}

// consume hands data on. It counts the size only if the queue does not take the data, or might never answer.
func (f *queueFit[T]) consume(ctx context.Context, data T, next func(context.Context, T) error) error {
	if f.config == nil {
		return next(ctx, data)
	}
	if f.config.BlockOnOverflow && f.config.StorageID != nil {
		if err := f.tooLarge(data); err != nil {
			return err
		}
	}
	err := next(ctx, data)
	if err == nil {
		return nil
	}
	if larger := f.tooLarge(data); larger != nil {
		return larger
	}
	return err
}

// tooLarge returns a permanent error if data is larger than the queue.
func (f *queueFit[T]) tooLarge(data T) error {
	size, unit := 1, "requests"
	switch f.config.Sizer {
	case exporterhelper.RequestSizerTypeBytes:
		size, unit = f.bytes(data), "bytes"
	case exporterhelper.RequestSizerTypeItems:
		size, unit = f.items(data), "items"
	}
	if int64(size) <= f.config.QueueSize {
		return nil
	}
	cause := fmt.Errorf("the request has %d %s and never fits into the queue: "+
		"set sending_queue::queue_size to more than the largest request, found %d", size, unit, f.config.QueueSize)
	err := consumererror.NewPermanent(&pushError{code: codes.InvalidArgument, cause: cause})
	f.once.Do(func() {
		f.logger.Error("A request is larger than the queue and was rejected; others like it are not logged",
			zap.Error(err), zap.Int("rejected_items", f.items(data)))
	})
	return err
}

// The consumers of the signals, with a queueFit before the queue.
type (
	fittingLogs struct {
		consumer.Logs
		fit queueFit[plog.Logs]
	}
	fittingTraces struct {
		consumer.Traces
		fit queueFit[ptrace.Traces]
	}
	fittingMetrics struct {
		consumer.Metrics
		fit queueFit[pmetric.Metrics]
	}
)

// ConsumeLogs implements [consumer.Logs].
func (c *fittingLogs) ConsumeLogs(ctx context.Context, data plog.Logs) error {
	return c.fit.consume(ctx, data, c.Logs.ConsumeLogs)
}

// ConsumeTraces implements [consumer.Traces].
func (c *fittingTraces) ConsumeTraces(ctx context.Context, data ptrace.Traces) error {
	return c.fit.consume(ctx, data, c.Traces.ConsumeTraces)
}

// ConsumeMetrics implements [consumer.Metrics].
func (c *fittingMetrics) ConsumeMetrics(ctx context.Context, data pmetric.Metrics) error {
	return c.fit.consume(ctx, data, c.Metrics.ConsumeMetrics)
}
