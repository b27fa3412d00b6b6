// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"path"
	"slices"
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
