package kinesiskplexporter

import (
	"context"
	"errors"
	"sync"

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
// ended. What is not sent by then goes back to the queue, which keeps it if it has a storage and retry_on_failure is
// on. Further calls, and calls without Start, do nothing.
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
	drained := make(chan error, 1)
	go func() { drained <- l.helper.Shutdown(ctx) }()
	var helperErr, closeErr error
	select {
	case helperErr = <-drained:
	case <-ctx.Done():
		// Closing the producer ends every push, for the other signals too: the Collector stops all of them together,
		// and their time is over as well.
		closeErr = l.session.producer.Close(ctx)
		helperErr = <-drained
	}
	return errors.Join(helperErr, closeErr, l.sessions.release(ctx, l.config, l.session))
}

// ExporterHelperBatchingEnabled tells the Collector whether the sending_queue makes batches.
func (l *lifecycle) ExporterHelperBatchingEnabled() bool {
	return l.config.Queue.HasValue() && l.config.Queue.Get().Batch.HasValue()
}
