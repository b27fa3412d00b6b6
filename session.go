// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/exporter"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// connectFunc returns a client of the service for a configuration, and a function that closes its idle connections. The client
// writes what it has to say to the log.
type connectFunc func(context.Context, *Config, *zap.Logger) (kpl.Client, func(), error)

// session is a running producer and what belongs to it. The signals of a component share one.
type session struct {
	producer  *kpl.Producer
	telemetry *telemetry
	closeIdle func()
	check     *startCheck // nil if there is none
	live      *liveStreams
	users     int  // guarded by sessions.mu
	several   bool // there may be more than one stream

	mu      sync.Mutex
	hosts   map[*lifecycle]component.Host // of the signals that run; guarded by mu
	streams streamsHealth                 // guarded by mu
}

// open starts a producer. It sends nothing but the check at the start, if there is one.
func open(ctx context.Context, connect connectFunc, cfg *Config, set exporter.Settings) (*session, error) {
	client, closeIdle, err := connect(ctx, cfg, sessionLog(set, cfg))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", set.ID, err)
	}
	warnOf(set.Logger, cfg.warnings())
	s := &session{
		closeIdle: closeIdle,
		live:      newLiveStreams(cfg),
		several:   cfg.Streams.routes() || len(cfg.streams()) > 1,
		hosts:     map[*lifecycle]component.Host{},
		streams:   streamsHealth{},
	}
	if s.telemetry, err = newTelemetry(set, cfg, s.availability); err != nil {
		return nil, err
	}
	observer := s.telemetry.observer()
	observer.RequestFinished, observer.StreamClosed = s.requestFinished, s.streamClosed
	bounded := cfg.boundedProducer()
	producer := bounded.kplConfig(observer)
	producer.FailIfTooLarge = cfg.Delivery == Confirmed // then a push is there to cut the message
	if cfg.compressesRecords() {
		if producer.Compress, err = marshaler.NewCompressor(cfg.Compression, int(cfg.CompressionParams.Level)); err != nil {
			return nil, fmt.Errorf("%s: %w", set.ID, err)
		}
	}
	s.producer, err = kpl.New(client, producer)
	if err != nil {
		s.telemetry.close()
		return nil, fmt.Errorf("%s: %w", set.ID, err)
	}
	if err := s.telemetry.watch(s.producer, bounded.MaxConnections); err != nil {
		return nil, fmt.Errorf("%s: %w", set.ID, err)
	}
	s.telemetry.started(client, cfg)
	if cfg.AWS.CheckAtStart {
		s.check = newStartCheck(client, cfg.streams(), cfg.Producer.RequestTimeout, s.telemetry)
	}
	return s, nil
}

// close ends the producer. When ctx ends, the records that the producer still holds fail.
func (s *session) close(ctx context.Context) error {
	s.check.stop()
	err := s.producer.Close(ctx)
	s.telemetry.close()
	s.closeIdle()
	if err != nil {
		return fmt.Errorf("not all records had an outcome at shutdown: %w", err)
	}
	return nil
}

// attach reports the state of the streams to the host of a signal from now on.
func (s *session) attach(l *lifecycle, host component.Host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hosts[l] = host
	if trouble := s.streams.trouble(s.several); trouble != nil {
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(trouble))
	}
}

// detach ends these reports.
func (s *session) detach(l *lifecycle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.hosts, l)
}

// availability reports to the hosts why a stream stopped accepting records. If outage is nil, the stream accepts records again.
// No error is reported as permanent: streams are created, and permissions granted, while collectors run.
func (s *session) availability(stream string, outage error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams.outage(stream, outage)
	s.reportLocked()
}

// requestFinished takes in a call. It says that nothing is delivered when that has lasted for a while, and when it is over.
func (s *session) requestFinished(r kpl.RequestEvent) {
	s.telemetry.requestFinished(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	begun, over := s.streams.finished(&r)
	switch {
	case begun != nil:
		s.telemetry.stalled(r.Stream, *begun, s.producer.Stats(), s.queuedLocked())
		s.reportLocked()
	case over > 0:
		s.telemetry.recovered(r.Stream, over)
		s.reportLocked()
	}
}

// streamClosed forgets a stream that data has named and that is not in use any more.
func (s *session) streamClosed(e kpl.StreamEvent) {
	if !s.live.forget(e.Stream) {
		return
	}
	s.telemetry.streams.forget(e.Stream)
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.streams.trouble(s.several) != nil
	delete(s.streams, e.Stream)
	if told {
		s.reportLocked()
	}
}

// trouble returns for how long nothing has been stored although there is data, and whether all streams are unavailable.
func (s *session) trouble(now time.Time) (stalled time.Duration, down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams.stuck(now)
}

// reportLocked tells the hosts how the streams are. The caller holds mu.
func (s *session) reportLocked() {
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if trouble := s.streams.trouble(s.several); trouble != nil {
		event = componentstatus.NewRecoverableErrorEvent(trouble)
	}
	for _, host := range s.hosts {
		componentstatus.ReportStatus(host, event)
	}
}

// queuedLocked returns the size of the queues of all signals, in the unit of their sizer. The caller holds mu.
func (s *session) queuedLocked() (size int64) {
	for l := range s.hosts {
		queued, _ := l.pusher.view.queueSize()
		size += queued
	}
	return size
}

// sessions has the sessions of one factory, one for each configuration in use.
type sessions struct {
	connect connectFunc

	mu      sync.Mutex
	running map[*Config]*session // guarded by mu
	stops   stops                // guarded by mu
}

func newSessions(connect connectFunc) *sessions {
	return &sessions{connect: connect, running: map[*Config]*session{}}
}

// acquire returns the session of a configuration. The first user opens it.
func (s *sessions) acquire(ctx context.Context, cfg *Config, set exporter.Settings) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stops.restart()
	shared := s.running[cfg]
	if shared == nil {
		var err error
		if shared, err = open(ctx, s.connect, cfg, set); err != nil {
			return nil, err
		}
		s.running[cfg] = shared
	}
	shared.users++
	return shared, nil
}

// stopBegins notes that a component stops. It returns when the first component that stops together with it began to.
func (s *sessions) stopBegins(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stops.begin(now)
}

// stopEnds notes that a component has stopped.
func (s *sessions) stopEnds(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stops.end(now)
}

// release gives a session back. The last user closes it.
func (s *sessions) release(ctx context.Context, cfg *Config, shared *session) error {
	s.mu.Lock()
	shared.users--
	last := shared.users == 0
	if last {
		delete(s.running, cfg)
	}
	s.mu.Unlock()
	if !last {
		return nil
	}
	return shared.close(ctx)
}
