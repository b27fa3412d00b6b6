// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// streamHealth is what is wrong with one stream.
type streamHealth struct {
	outage error  // why the stream is unavailable; nil if it is not
	stall  *stall // that was told; nil if there is none
	health health
}

// trouble returns why nothing is delivered to the stream, or nil.
func (h *streamHealth) trouble() error {
	if h.outage != nil {
		return h.outage
	}
	if h.stall != nil {
		return *h.stall
	}
	return nil
}

// streamsHealth is the health of each stream that had a call or an outage, by what the producer calls the stream.
type streamsHealth map[string]*streamHealth

// of returns the health of a stream.
func (s streamsHealth) of(stream string) *streamHealth {
	h := s[stream]
	if h == nil {
		h = &streamHealth{}
		s[stream] = h
	}
	return h
}

// outage notes that a stream became unavailable, or available again if err is nil.
func (s streamsHealth) outage(stream string, err error) {
	h := s.of(stream)
	h.outage, h.stall = err, nil
	h.health.restart()
}

// finished takes in a call. It returns a stall that has begun, or how long the stall lasted that is over. An outage says so by
// itself.
func (s streamsHealth) finished(r *kpl.RequestEvent) (begun *stall, over time.Duration) {
	h := s.of(r.Stream)
	if h.outage == nil {
		begun, over = h.health.finished(r)
	}
	switch {
	case begun != nil:
		h.stall = begun
	case over > 0:
		h.stall = nil
	}
	return begun, over
}

// toldStreams is how many streams in trouble an error names.
const toldStreams = 5

// trouble returns why nothing is delivered to some of the streams, or nil. If the component has several streams, it names them.
func (s streamsHealth) trouble(several bool) error {
	var told []error
	more := 0
	for _, stream := range slices.Sorted(maps.Keys(s)) {
		trouble := s[stream].trouble()
		switch {
		case trouble == nil:
		case !several:
			return trouble
		case len(told) == toldStreams:
			more++
		default:
			told = append(told, fmt.Errorf("stream %s: %w", streamLabel(stream), trouble))
		}
	}
	if more > 0 {
		told = append(told, fmt.Errorf("%d more streams are in trouble", more))
	}
	return errors.Join(told...)
}

// stuck returns whether no stream takes anything: for how long none has although there is data, and whether all are unavailable.
func (s streamsHealth) stuck(now time.Time) (stalled time.Duration, down bool) {
	down = len(s) > 0
	for _, h := range s {
		switch {
		case h.outage != nil:
			continue
		case down:
			stalled = h.health.stalled(now)
		default:
			stalled = min(stalled, h.health.stalled(now))
		}
		down = false
	}
	return stalled, down
}
