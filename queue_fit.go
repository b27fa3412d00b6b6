// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
)

// queueFit rejects for good what is larger than the whole queue. The queue answers that it is full, or lets the caller wait, so
// that a client would send the same again for ever.
type queueFit struct {
	config *exporterhelper.QueueBatchConfig // nil without a queue
	logger *zap.Logger
	once   sync.Once
}

func newQueueFit(c *Config, logger *zap.Logger) *queueFit {
	f := &queueFit{logger: logger}
	if c.Queue.HasValue() {
		f.config = c.Queue.Get()
	}
	return f
}

// check returns a permanent error if a request is larger than the queue.
func (f *queueFit) check(r *request) error {
	if f.config == nil {
		return nil
	}
	size, unit := 1, "requests"
	switch f.config.Sizer {
	case exporterhelper.RequestSizerTypeBytes:
		size, unit = r.BytesSize(), "bytes"
	case exporterhelper.RequestSizerTypeItems:
		size, unit = r.ItemsCount(), "items"
	}
	if int64(size) <= f.config.QueueSize {
		return nil
	}
	cause := fmt.Errorf("the request has %d %s and never fits into the queue: "+
		"set sending_queue::queue_size to more than the largest request, found %d", size, unit, f.config.QueueSize)
	err := consumererror.NewPermanent(&pushError{code: codes.InvalidArgument, cause: cause})
	f.once.Do(func() {
		f.logger.Error("A request is larger than the queue and was rejected; others like it are not logged",
			zap.Error(err), zap.Int("rejected_items", r.ItemsCount()))
	})
	return err
}
