// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import "go.uber.org/zap"

// fallsBack reports whether pdata is encoded in the slow way, see [marshaler.Marshaler.FallsBack].
func (p *pusher) fallsBack() bool {
	return p.marshaler.FallsBack(p.signal) || p.plain != nil && p.plain.FallsBack(p.signal)
}

// warnOfFallback logs that this build has a version of pdata which the marshaler does not know from inside, and what it costs.
func warnOfFallback(log *zap.Logger) {
	log.Warn("This build has a version of pdata that kinesis_kpl does not know from inside, so it encodes with pdata's public "+
		"marshaler. Data is the same.",
		zap.String("cost", "encoding to otlp_proto takes about twice the CPU time and makes garbage"),
		zap.String("what_to_do", "build the Collector with the pdata version in the go.mod of kinesiskplexporter, or use a later "+
			"version of kinesiskplexporter"))
}
