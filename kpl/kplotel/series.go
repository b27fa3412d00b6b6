// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kplotel

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// maxStreams is how many streams have time series of their own.
const maxStreams = 1000

// otherName stands for the streams beyond maxStreams, and for the error codes that are not well known.
const otherName = "other"

// series is the attributes of a time series as instruments take them. The lists are made once, because each call with a
// fresh list leaves garbage.
type series struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

func seriesOf(attributes ...attribute.KeyValue) series {
	option := metric.WithAttributeSet(attribute.NewSet(attributes...))
	return series{[]metric.AddOption{option}, []metric.RecordOption{option}}
}

// streams has the time series of each stream. Reading takes no lock: every record does it.
type streams struct {
	known atomic.Pointer[map[string]*streamSeries] // a map that never changes; nil while there are none
	mu    sync.Mutex                               // held while another map is made
}

// of returns the time series of a stream.
func (s *streams) of(stream string) *streamSeries {
	if known := s.known.Load(); known != nil {
		if found := (*known)[stream]; found != nil {
			return found
		}
		if len(*known) > maxStreams {
			return (*known)[otherName]
		}
	}
	return s.add(stream)
}

// add makes the time series of another stream.
func (s *streams) add(stream string) *streamSeries {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[string]*streamSeries{otherName: newStreamSeries(otherName)}
	if before := s.known.Load(); before != nil {
		known = maps.Clone(*before)
	}
	if known[stream] == nil && len(known) > maxStreams {
		stream = otherName
	}
	if known[stream] == nil {
		known[stream] = newStreamSeries(nameOf(stream))
		s.known.Store(&known)
	}
	return known[stream]
}

// nameOf returns the name of a stream that is given by its name or its ARN.
func nameOf(stream string) string {
	if strings.HasPrefix(stream, "arn:") {
		if _, name, found := strings.Cut(stream, ":stream/"); found {
			return name
		}
	}
	return stream
}

// streamSeries is the time series of one stream.
type streamSeries struct {
	stream           attribute.KeyValue
	plain            series // with no other attribute
	success, failure series
	outcomes         [kpl.OutcomeClosed + 1]series
	flushes          [kpl.StageCollector + 1][kpl.FlushRequest + 1]series

	mu    sync.Mutex
	codes map[string]series // by error code, as they come; guarded by mu
}

func newStreamSeries(name string) *streamSeries {
	stream := attribute.String("stream", name)
	s := &streamSeries{
		stream:  stream,
		plain:   seriesOf(stream),
		success: seriesOf(stream, attribute.String("outcome", "success")),
		failure: seriesOf(stream, attribute.String("outcome", "failure")),
		codes:   map[string]series{},
	}
	for outcome := range kpl.OutcomeClosed + 1 {
		s.outcomes[outcome] = seriesOf(stream, attribute.String("outcome", outcome.String()))
	}
	for stage := range kpl.StageCollector + 1 {
		for reason := range kpl.FlushRequest + 1 {
			s.flushes[stage][reason] = seriesOf(
				stream, attribute.String("stage", stage.String()), attribute.String("reason", reason.String()),
			)
		}
	}
	return s
}

// ofCode returns the time series of an error code, which is well known or "other".
func (s *streamSeries) ofCode(code string) series {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, known := s.codes[code]
	if !known {
		found = seriesOf(s.stream, attribute.String("error_code", code))
		s.codes[code] = found
	}
	return found
}
