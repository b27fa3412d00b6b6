// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// The exporters of the four signals. The encoder takes in data, lifecycle starts and stops exporterhelper's component behind it.
type (
	logsExporter struct {
		*encoder[plog.Logs]
		*lifecycle
	}
	tracesExporter struct {
		*encoder[ptrace.Traces]
		*lifecycle
	}
	metricsExporter struct {
		*encoder[pmetric.Metrics]
		*lifecycle
	}
	profilesExporter struct {
		*encoder[pprofile.Profiles]
		*lifecycle
	}
)

// ConsumeLogs implements [consumer.Logs].
func (e *logsExporter) ConsumeLogs(ctx context.Context, data plog.Logs) error {
	return e.consume(ctx, data)
}

// ConsumeTraces implements [consumer.Traces].
func (e *tracesExporter) ConsumeTraces(ctx context.Context, data ptrace.Traces) error {
	return e.consume(ctx, data)
}

// ConsumeMetrics implements [consumer.Metrics].
func (e *metricsExporter) ConsumeMetrics(ctx context.Context, data pmetric.Metrics) error {
	return e.consume(ctx, data)
}

// ConsumeProfiles implements the consumer of profiles.
func (e *profilesExporter) ConsumeProfiles(ctx context.Context, data pprofile.Profiles) error {
	return e.consume(ctx, data)
}

// lifecycle starts and stops one signal.
//
// It is built around exporterhelper's component, not into it. At shutdown that component first drains its queue and waits for
// all pushes, even if its context has ended. So before that, lifecycle makes the pushes send at once. When drain_timeout is
// over, lifecycle ends the pushes.
type lifecycle struct {
	sessions *sessions
	settings exporter.Settings
	config   *Config
	helper   component.Component
	pusher   *pusher
	slow     bool // pdata is encoded in the slow way, see [marshaler.Marshaler.FallsBack]

	session *session // nil before Start
	stop    sync.Once
}

func newLifecycle(
	s *sessions, set exporter.Settings, c *Config, helper component.Component, p *pusher,
) *lifecycle {
	return &lifecycle{sessions: s, settings: set, config: c, helper: helper, pusher: p, slow: p.fallsBack()}
}

// Start opens the session, or joins the session of another signal, and starts the queue. It sends nothing to the service. If
// the stream cannot be reached, the component's status says so once there is data for it.
func (l *lifecycle) Start(ctx context.Context, host component.Host) error {
	if err := l.pusher.extension.resolve(host); err != nil {
		return fmt.Errorf("%s: %w", l.settings.ID, err)
	}
	session, err := l.sessions.acquire(ctx, l.config, l.settings)
	if err != nil {
		return err
	}
	l.session = session
	l.pusher.start(session)
	if l.slow {
		warnOfFallback(l.settings.Logger)
	}
	session.attach(l, host)
	if err := l.helper.Start(ctx, newQueueHost(host, l.config, session.telemetry.log)); err != nil {
		return errors.Join(err, l.Shutdown(ctx))
	}
	return nil
}

// Shutdown sends what the queue and the producer hold. It returns when each record has its outcome. It gives up when ctx ends,
// when drain_timeout is over, or when it is no use to wait any longer. What is not sent then goes back to the queue, which keeps
// it if it has a storage and retry_on_failure is on. Further calls, and calls without Start, do nothing.
//
// The error is that of ctx, or that of exporterhelper. The end of drain_timeout is no error: the log says what came of it.
func (l *lifecycle) Shutdown(ctx context.Context) error {
	var err error
	l.stop.Do(func() { err = l.shutdown(ctx) })
	return err
}

func (l *lifecycle) shutdown(ctx context.Context) error {
	if l.session == nil {
		return l.helper.Shutdown(ctx)
	}
	now := time.Now()
	d := l.newDrain(l.sessions.stopBegins(now), now)
	d.begins()
	l.session.detach(l)
	l.pusher.drain()
	limited, cancel := d.context(ctx)
	defer cancel()
	drained := make(chan struct{})
	var helperErr, timeErr error
	go func() {
		defer close(drained)
		helperErr = l.helper.Shutdown(limited)
	}()
	reason := d.wait(limited, drained)
	if reason != "" {
		// Closing the producer ends all pushes, also those of other signals. That is right, because the Collector stops all
		// signals at the same time.
		timeErr = ctx.Err()
		_ = l.session.producer.Close(canceledContext()) // it returns the error of that context
	}
	<-drained
	releaseErr := l.sessions.release(limited, l.config, l.session)
	if releaseErr != nil && ctx.Err() == nil {
		reason, releaseErr = timeIsOver, nil
	}
	now = time.Now()
	d.ends(reason, now)
	l.sessions.stopEnds(now)
	return errors.Join(helperErr, timeErr, releaseErr)
}

// canceledContext returns a context that has ended, so that a call with it does not wait.
func canceledContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// ExporterHelperBatchingEnabled says whether sending_queue makes batches. The Collector asks for it.
func (l *lifecycle) ExporterHelperBatchingEnabled() bool {
	return l.config.Queue.HasValue() && l.config.Queue.Get().Batch.HasValue()
}
