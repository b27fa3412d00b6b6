// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// What exporterhelper calls things. If a version of the Collector changes one of these names, the lines about a drain say less,
// and TestHelperView fails.
const (
	droppingData     = "Exporting failed. Dropping data."
	droppedItems     = "dropped_items"
	interruptedError = "interrupted due to shutdown"
)

// keptInStorage is what the log says of data that exporterhelper calls dropped, although the storage keeps it.
const keptInStorage = "A stop ended an attempt to deliver. The storage keeps the data, and the next start delivers it"

// helperView is what exporterhelper says about one signal in its metrics and its log, and nowhere else: the size of its queue,
// and how many items it gave up. The view reads along. It changes two things that would be wrong: if a budget limits the queue,
// the metrics of the queue show the budget, and the log does not call dropped what the storage keeps.
type helperView struct {
	id     string  // of the component
	budget *budget // nil if exporterhelper's own limit counts
	keeps  bool    // a storage keeps what a stop interrupts

	dropped, interrupted atomic.Int64

	mu     sync.Mutex
	size   metric.Callback                // observes the size of the queue; nil if there is none; guarded by mu
	failed map[string]metric.Int64Counter // of items that the queue did not take, by name; guarded by mu
}

// loss is how many items exporterhelper gave up.
type loss struct {
	interrupted int64 // by a stop; a queue with a storage keeps them
	dropped     int64 // for another reason, such as max_elapsed_time
}

// settings returns set with a log and with metrics that the view reads along.
func (v *helperView) settings(set exporter.Settings) exporter.Settings {
	set.Logger = set.Logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core { return viewCore{core, v} }))
	set.MeterProvider = viewProvider{set.MeterProvider, v}
	return set
}

// losses returns what exporterhelper has given up since its start.
func (v *helperView) losses() loss { return loss{v.interrupted.Load(), v.dropped.Load()} }

// queueSize returns the size of the queue in the unit of its sizer. It returns false if there is no queue.
func (v *helperView) queueSize() (int64, bool) {
	if v.budget != nil {
		return v.budget.used.Load(), true
	}
	v.mu.Lock()
	size := v.size
	v.mu.Unlock()
	if size == nil {
		return 0, false
	}
	var o sizeObserver
	if size(context.Background(), &o) != nil {
		return 0, false
	}
	return o.value, true
}

// viewCore lets the view read the lines about items that exporterhelper gives up.
type viewCore struct {
	zapcore.Core

	view *helperView
}

// With implements [zapcore.Core].
func (c viewCore) With(fields []zapcore.Field) zapcore.Core {
	return viewCore{c.Core.With(fields), c.view}
}

// Check implements [zapcore.Core]. The view reads the lines that a sampler leaves out as well.
func (c viewCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if strings.HasPrefix(entry.Message, droppingData) {
		return checked.AddCore(entry, lossCore(c))
	}
	return c.Core.Check(entry, checked)
}

// lossCore counts the items of a line and passes the line on.
type lossCore struct {
	zapcore.Core

	view *helperView
}

// Write implements [zapcore.Core]. Of a push that was delivered in part, only the rest counts. What was rejected for good
// counts elsewhere.
func (c lossCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	var cause error
	items := int64(0)
	for i := range fields {
		switch field := &fields[i]; field.Key {
		case "error":
			cause, _ = field.Interface.(error)
		case droppedItems:
			items = field.Integer
		}
	}
	if push, ok := errors.AsType[*pushError](cause); ok {
		items = int64(push.left)
	}
	if cause != nil && strings.HasPrefix(cause.Error(), interruptedError) {
		c.view.interrupted.Add(items)
		if c.view.keeps {
			entry.Level, entry.Message, entry.Stack = zapcore.InfoLevel, keptInStorage, ""
		}
	} else {
		c.view.dropped.Add(items)
	}
	if passed := c.Check(entry, nil); passed != nil {
		passed.Write(fields...)
	}
	return nil
}
