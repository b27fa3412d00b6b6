// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"slices"
	"strings"
)

// Streams returns a snapshot of each stream that is in use, sorted by name. It asks the goroutines of the streams, and leaves out
// those that do not answer before ctx ends. The answers cost time that grows with what a stream holds, so ask now and then
// only, for example when metrics are collected.
func (p *Producer) Streams(ctx context.Context) []StreamStats {
	streams := p.all()
	answers := make([]chan StreamStats, len(streams))
	for i, s := range streams {
		answers[i] = make(chan StreamStats, 1)
		s.post(func(in *inbox) { in.asked = append(in.asked, answers[i]) })
	}
	var all []StreamStats
	for i, s := range streams {
		select {
		case stats := <-answers[i]:
			all = append(all, stats)
		case <-s.drained:
		case <-ctx.Done():
		}
	}
	slices.SortFunc(all, func(a, b StreamStats) int { return strings.Compare(a.Stream, b.Stream) })
	return all
}
