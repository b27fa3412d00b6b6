package kinesiskplexporter

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
)

// The exporters of the three signals: what exporterhelper makes consumes, lifecycle starts and stops.
type (
	logsExporter struct {
		consumer.Logs
		*lifecycle
	}
	tracesExporter struct {
		consumer.Traces
		*lifecycle
	}
	metricsExporter struct {
		consumer.Metrics
		*lifecycle
	}
)

// worker is a pusher without its type of data.
type worker interface {
	start(*session)
	drain()
}

// lifecycle starts and stops one signal. It stands around exporterhelper's component, not inside, for that one stops
// its queue first and waits without regard for its context until all pushes are done: whoever is to hurry or end those
// pushes must act before and meanwhile.
type lifecycle struct {
	sessions *sessions
	settings exporter.Settings
	config   *Config
	helper   component.Component
	worker   worker

	session *session // nil before Start
	stop    sync.Once
}

func newLifecycle(
	s *sessions, set exporter.Settings, c *Config, helper component.Component, w worker,
) *lifecycle {
	return &lifecycle{sessions: s, settings: set, config: c, helper: helper, worker: w}
}

// Start opens the session, or joins that of another signal, and starts the queue. It sends nothing to the service: a
// stream that cannot be reached is reported as the component's status, once there is data for it.
func (l *lifecycle) Start(ctx context.Context, host component.Host) error {
	session, err := l.sessions.acquire(ctx, l.config, l.settings)
	if err != nil {
		return err
	}
	l.session = session
	l.worker.start(session)
	session.attach(l, host)
	if err := l.helper.Start(ctx, host); err != nil {
		return errors.Join(err, l.Shutdown(ctx))
	}
	return nil
}

// Shutdown sends what the queue and the producer hold and returns once each record has its outcome, or soon after ctx
// ended or nothing was delivered for as long as a record lives. What is not sent by then goes back to the queue,
// which keeps it if it has a storage and retry_on_failure is on. Further calls, and calls without Start, do nothing.
func (l *lifecycle) Shutdown(ctx context.Context) error {
	var err error
	l.stop.Do(func() { err = l.shutdown(ctx) })
	return err
}

func (l *lifecycle) shutdown(ctx context.Context) error {
	if l.session == nil {
		return l.helper.Shutdown(ctx)
	}
	l.session.detach(l)
	l.worker.drain()
	drained := make(chan struct{})
	var helperErr, timeErr error
	go func() {
		defer close(drained)
		helperErr = l.helper.Shutdown(ctx)
	}()
	if !l.drains(ctx, drained) {
		// Closing the producer ends every push, for the other signals too: the Collector stops all of them together,
		// and their time is over as well.
		timeErr = ctx.Err()
		_ = l.session.producer.Close(canceledContext()) // the error is that of its context
	}
	<-drained
	return errors.Join(helperErr, timeErr, l.sessions.release(ctx, l.config, l.session))
}

// drains waits until the queue is drained. It reports false when ctx ended first, or when nothing was delivered for
// as long as a record lives: the Collector's context has no end, and a queue that nobody takes anything from would be
// tried request by request, for that long each.
func (l *lifecycle) drains(ctx context.Context, drained <-chan struct{}) bool {
	ttl := l.config.Producer.RecordTTL
	timer := time.NewTimer(ttl)
	defer timer.Stop()
	for delivered := l.session.producer.Stats().RecordsDelivered; ; {
		select {
		case <-drained:
			return true
		case <-ctx.Done():
			return false
		case <-timer.C:
			now := l.session.producer.Stats().RecordsDelivered
			if now == delivered {
				return false
			}
			delivered = now
			timer.Reset(ttl)
		}
	}
}

// canceledContext returns a context that has ended.
func canceledContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// ExporterHelperBatchingEnabled tells the Collector whether the sending_queue makes batches.
func (l *lifecycle) ExporterHelperBatchingEnabled() bool {
	return l.config.Queue.HasValue() && l.config.Queue.Get().Batch.HasValue()
}
