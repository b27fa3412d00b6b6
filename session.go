package kinesiskplexporter

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// connectFunc returns a client of the service for a configuration, and a function that closes its idle connections.
type connectFunc func(context.Context, *Config) (kpl.Client, func(), error)

// session is a running producer and what belongs to it. The signals of a component share one.
type session struct {
	producer  *kpl.Producer
	telemetry *telemetry
	closeIdle func()
	users     int // guarded by sessions.mu

	mu     sync.Mutex
	hosts  map[*lifecycle]component.Host // of the signals that run; guarded by mu
	outage error                         // why the stream accepts no records, nil if it does; guarded by mu
}

// open starts a producer. It sends nothing.
func open(ctx context.Context, connect connectFunc, cfg *Config, set exporter.Settings) (*session, error) {
	client, closeIdle, err := connect(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", set.ID, err)
	}
	warnOf(set.Logger, cfg.warnings())
	s := &session{closeIdle: closeIdle, hosts: map[*lifecycle]component.Host{}}
	if s.telemetry, err = newTelemetry(set, cfg, s.availability); err != nil {
		return nil, err
	}
	s.producer, err = kpl.New(client, cfg.Producer.kplConfig(s.telemetry.observer()))
	if err != nil {
		s.telemetry.close()
		return nil, fmt.Errorf("%s: %w", set.ID, err)
	}
	if err := s.telemetry.watch(s.producer.Stats); err != nil {
		return nil, fmt.Errorf("%s: %w", set.ID, err)
	}
	return s, nil
}

// close ends the producer. When ctx ends, the records that the producer still holds fail.
func (s *session) close(ctx context.Context) error {
	err := s.producer.Close(ctx)
	s.telemetry.close()
	s.closeIdle()
	if err != nil {
		return fmt.Errorf("not all records had an outcome at shutdown: %w", err)
	}
	return nil
}

// attach reports the state of the stream to the host of a signal from now on.
func (s *session) attach(l *lifecycle, host component.Host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hosts[l] = host
	if s.outage != nil {
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(s.outage))
	}
}

// detach ends these reports.
func (s *session) detach(l *lifecycle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.hosts, l)
}

// availability reports to the hosts why the stream stopped accepting records. If outage is nil, the stream accepts records
// again. No error is reported as permanent: streams are created, and permissions granted, while collectors run.
func (s *session) availability(outage error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outage = outage
	for _, host := range s.hosts {
		event := componentstatus.NewEvent(componentstatus.StatusOK)
		if outage != nil {
			event = componentstatus.NewRecoverableErrorEvent(outage)
		}
		componentstatus.ReportStatus(host, event)
	}
}

// sessions has the sessions of one factory, one for each configuration in use.
type sessions struct {
	connect connectFunc

	mu      sync.Mutex
	running map[*Config]*session // guarded by mu
}

func newSessions(connect connectFunc) *sessions {
	return &sessions{connect: connect, running: map[*Config]*session{}}
}

// acquire returns the session of a configuration. The first user opens it.
func (s *sessions) acquire(ctx context.Context, cfg *Config, set exporter.Settings) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
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
