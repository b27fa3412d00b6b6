// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"maps"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// streamTelemetry is the time series of one stream, what the log says of it, and what was told already.
type streamTelemetry struct {
	log *zap.Logger // has the name of the stream

	listed  sync.Once   // the shards were listed
	channel atomic.Bool // the stream had channels when it was last described
	storing atomic.Bool // the last call stored something

	common   []attribute.KeyValue // exporter, stream
	stream   series               // the same
	observe  metric.ObserveOption // the same
	outcomes [kpl.OutcomeClosed + 1]series
	worked   series
	failure  series
	codes    map[string]series
	flushes  map[flush]series
}

type flush struct {
	stage  kpl.Stage
	reason kpl.FlushReason
}

// newStreamTelemetry makes the attributes of all time series of a stream, except those of shards.
func newStreamTelemetry(exporterID attribute.KeyValue, stream string, log *zap.Logger) *streamTelemetry {
	common := []attribute.KeyValue{exporterID, attribute.String("stream", stream)}
	with := func(more ...attribute.KeyValue) series { return seriesOf(append(common[:2:2], more...)...) }
	t := &streamTelemetry{
		log:     log,
		common:  common,
		stream:  with(),
		observe: metric.WithAttributeSet(attribute.NewSet(common...)),
		worked:  with(attribute.String("outcome", "success")),
		failure: with(attribute.String("outcome", "failure")),
		codes:   map[string]series{},
		flushes: map[flush]series{},
	}
	for outcome := range kpl.OutcomeClosed + 1 {
		t.outcomes[outcome] = with(attribute.String("outcome", outcome.String()))
	}
	for _, code := range append(kpl.WellKnownCodes(), otherCode) {
		t.codes[code] = with(attribute.String("error_code", code))
	}
	for _, stage := range []kpl.Stage{kpl.StageAggregator, kpl.StageCollector} {
		for reason := range kpl.FlushRequest + 1 {
			t.flushes[flush{stage, reason}] = with(
				attribute.String("stage", stage.String()), attribute.String("reason", reason.String()))
		}
	}
	return t
}

// streamTelemetries has the telemetry of each stream by what the producer calls the stream. To read it takes no lock, because
// every event of the producer does.
type streamTelemetries struct {
	exporterID attribute.KeyValue
	log        *zap.Logger // for streams that the data names; logs each message once in logInterval for all of them together

	mu  sync.Mutex // held while all is replaced
	all atomic.Pointer[map[string]*streamTelemetry]
}

// prepare makes the telemetry of the streams that the configuration names.
func (s *streamTelemetries) prepare(t *telemetry, set exporter.Settings, cfg *Config) {
	s.exporterID, s.log = t.id, t.log
	all := map[string]*streamTelemetry{}
	for _, stream := range cfg.streams() {
		all[stream] = newStreamTelemetry(s.exporterID, streamLabel(stream), streamLog(set, stream))
	}
	s.all.Store(&all)
}

// of returns the telemetry of a stream.
func (s *streamTelemetries) of(stream string) *streamTelemetry {
	if t := (*s.all.Load())[stream]; t != nil {
		return t
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := *s.all.Load()
	if t := all[stream]; t != nil {
		return t
	}
	label := streamLabel(stream)
	t := newStreamTelemetry(s.exporterID, label, s.log.With(zap.String("stream", label)))
	all = maps.Clone(all)
	all[stream] = t
	s.all.Store(&all)
	return t
}

// forget drops the telemetry of a stream that nobody uses any more.
func (s *streamTelemetries) forget(stream string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := maps.Clone(*s.all.Load())
	delete(all, stream)
	s.all.Store(&all)
}
