// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"path"
	"slices"
	"sync"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// StreamsConfig lets the data name its stream. What names none, or one that is not allowed, goes to the stream of its signal.
type StreamsConfig struct {
	// FromResourceAttribute is a resource attribute whose value names the stream of the resource. Empty means none.
	FromResourceAttribute string `mapstructure:"from_resource_attribute"`
	// FromMetadataKey is a key of the client's metadata whose value names the stream of a push. A resource attribute comes before
	// it. Empty means none.
	FromMetadataKey string `mapstructure:"from_metadata_key"`
	// Allowed are the names that count. A star stands for any characters, so team-* allows all names that begin with team-.
	Allowed []string `mapstructure:"allowed"`
	// MaxLive is how many such streams may be in use at the same time, 1 to 10,000. A stream is in use until it has had no data for
	// [kpl.StreamIdleTime].
	MaxLive int `mapstructure:"max_live"`

	_ struct{}
}

// defaultMaxLive is the default of [StreamsConfig.MaxLive], and maxMaxLive is the most. Each stream that is in use needs a few
// goroutines, and memory for its records.
const (
	defaultMaxLive = 100
	maxMaxLive     = 10_000
)

// routes reports whether data can name its stream.
func (c *StreamsConfig) routes() bool {
	return c.FromResourceAttribute != "" || c.FromMetadataKey != ""
}

// validate checks the block.
func (c *StreamsConfig) validate(errs *keyErrors) {
	switch {
	case c.routes() && len(c.Allowed) == 0:
		errs.add("streams::allowed", nil, "must have the names of streams that data may name, found none: senders must not "+
			"choose among all streams")
	case !c.routes() && len(c.Allowed) > 0:
		errs.add("streams::allowed", nil, "needs streams::from_resource_attribute or streams::from_metadata_key: "+
			"set one of them, or leave streams out")
	}
	for i, pattern := range c.Allowed {
		switch {
		case !allowedForm.MatchString(pattern):
			errs.add("streams::allowed", nil, "%s, and a star for any characters, found %q", streamNameRule, pattern)
		case slices.Contains(c.Allowed[:i], pattern):
			errs.add("streams::allowed", nil, "has %q twice", pattern)
		}
	}
	if c.MaxLive < 1 || c.MaxLive > maxMaxLive {
		errs.add("streams::max_live", nil, "must be from 1 to %d, found %d", maxMaxLive, c.MaxLive)
	}
}

// allows reports whether data may name a stream.
func (c *StreamsConfig) allows(name string) bool {
	return streamNameForm.MatchString(name) && slices.ContainsFunc(c.Allowed, func(pattern string) bool {
		matches, _ := path.Match(pattern, name) // a name has no slash
		return matches
	})
}

// liveStreams are the streams in use that data has named. All signals of a component share them.
type liveStreams struct {
	config *StreamsConfig

	mu   sync.Mutex
	last map[string]time.Time // when a stream was named last, by name; guarded by mu
}

func newLiveStreams(c *StreamsConfig) *liveStreams {
	return &liveStreams{config: c, last: map[string]time.Time{}}
}

// unsentTime is how long a name counts if no record for it reaches the producer.
const unsentTime = 2 * kpl.StreamIdleTime

// admit notes that data names a stream. It returns why the data cannot go there, or "".
func (l *liveStreams) admit(name string, now time.Time) notRouted {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.last[name]; !known {
		if !l.config.allows(name) {
			return notAllowed
		}
		if len(l.last) >= l.config.MaxLive {
			for name, last := range l.last {
				if now.Sub(last) > unsentTime {
					delete(l.last, name)
				}
			}
		}
		if len(l.last) >= l.config.MaxLive {
			return tooManyLive
		}
	}
	l.last[name] = now
	return ""
}

// forget frees the place of a stream that the producer has closed.
func (l *liveStreams) forget(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.last, name)
}

// count returns how many streams are in use.
func (l *liveStreams) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.last)
}

// notRouted is why data does not go to the stream that it names. No stream has such a name.
type notRouted string

const (
	notAllowed  notRouted = "/not_allowed"
	tooManyLive notRouted = "/too_many_live"
)
