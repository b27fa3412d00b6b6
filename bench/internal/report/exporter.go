// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import "github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"

// exporter sets what the exporter of a row adds to the collector of the row nop. It does nothing if there is no such row.
func (s *Samples) exporter(row *Row, peer, nop Key) {
	own, least := s.runs[row.Key], s.runs[nop]
	if len(least) == 0 {
		return
	}
	telemetry := func(r result.Run) float64 { return float64(r.Bytes) }
	if own[0].Queue > 0 {
		row.Telemetry = new(round(median(each(own, telemetry))/1e6, 1))
	}
	if row.Key == nop {
		return
	}
	cpu, rss := less(own, least, cpuPerItem), less(own, least, peakBytes)
	row.ExporterCPU = new(round(median(cpu)*1e6, 3))
	row.ExporterRSS = new(round(median(rss)/(1<<20), 1))
	row.ExporterRatio = ratioOf(cpu, less(s.runs[peer], least, cpuPerItem))
	if own[0].Queue > 0 {
		row.RSSPerQueue = ratioOf(rss, each(own, func(r result.Run) float64 { return float64(r.Queue) }))
		row.RSSPerTelemetry = ratioOf(rss, each(own, telemetry))
	}
}

func peakBytes(r result.Run) float64 { return float64(r.PeakKB) * 1024 }

// less returns a figure of each round, less the same figure of other runs.
func less(runs, others []result.Run, f func(result.Run) float64) []float64 {
	var differences []float64
	for i := range min(len(runs), len(others)) {
		differences = append(differences, f(runs[i])-f(others[i]))
	}
	return differences
}

// ratioOf returns the median of the ratios of each round. It returns nil without rounds, or if a divisor is not positive.
func ratioOf(values, divisors []float64) *float64 {
	var ratios []float64
	for i := range min(len(values), len(divisors)) {
		if divisors[i] <= 0 {
			return nil
		}
		ratios = append(ratios, values[i]/divisors[i])
	}
	if len(ratios) == 0 {
		return nil
	}
	return new(round(median(ratios), 3))
}
