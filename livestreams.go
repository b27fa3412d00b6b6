// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"sync"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// liveStreams are the streams in use that data has named. All signals of a component share them.
type liveStreams struct {
	config *Config

	mu   sync.Mutex
	last map[string]time.Time // when a stream was named last, by what the producer calls it; guarded by mu
}

func newLiveStreams(c *Config) *liveStreams {
	return &liveStreams{config: c, last: map[string]time.Time{}}
}

// unsentTime is how long a name counts if no record for it reaches the producer.
const unsentTime = 2 * kpl.StreamIdleTime

// named returns what the producer calls the stream that data names. If the data cannot go there, it returns [notAllowed] or
// [tooManyLive].
func (l *liveStreams) named(name string, now time.Time) string {
	if !l.config.Streams.allows(name) {
		return notAllowed
	}
	stream := l.config.AWS.address(name)
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.last[stream]; !known && !l.roomLocked(now) {
		return tooManyLive
	}
	l.last[stream] = now
	return stream
}

// roomLocked reports whether one more stream may be in use. The caller holds mu.
func (l *liveStreams) roomLocked(now time.Time) bool {
	most := l.config.Streams.MaxLive
	if len(l.last) < most {
		return true
	}
	for stream, last := range l.last {
		if now.Sub(last) > unsentTime {
			delete(l.last, stream)
		}
	}
	return len(l.last) < most
}

// forget frees the place of a stream that the producer has closed. It reports whether the stream had one.
func (l *liveStreams) forget(stream string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.last[stream]
	delete(l.last, stream)
	return known
}

// count returns how many streams are in use.
func (l *liveStreams) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.last)
}

// Why data does not go to the stream that it names. They stand in place of a stream until the items are counted. No stream has
// such a name.
const (
	notAllowed  = "not_allowed/"
	tooManyLive = "too_many_live/"
)
