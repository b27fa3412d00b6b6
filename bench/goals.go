// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/otlp"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// goal is a figure and a bound for it.
type goal struct {
	name     string
	measured *float64 // nil if it was not measured
	bound    *float64 // nil if it was not measured
	least    bool     // bound is a lower bound; otherwise, it is an upper bound
}

// verdict says whether the goal is met.
func (g goal) verdict() string {
	switch {
	case g.measured == nil || g.bound == nil:
		return "not measured"
	case g.least == (*g.measured >= *g.bound) || *g.measured == *g.bound:
		return "met"
	default:
		return "**missed**"
	}
}

// goalsTable writes a Markdown table of all goals.
func goalsTable(w io.Writer, rows []report.Row) {
	fmt.Fprintf(w, "| goal | target | measured | |\n|---|---:|---:|---|\n")
	for _, g := range goals(newLookup(rows)) {
		sign := "≤ "
		if g.least {
			sign = "≥ "
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", g.name, sign+figure(g.bound), figure(g.measured), g.verdict())
	}
}

// figure writes a number with three significant digits, or with more if it has more before the decimal point.
func figure(x *float64) string {
	if x == nil {
		return "?"
	}
	digits := 3
	if *x != 0 {
		digits = max(0, 2-int(math.Floor(math.Log10(math.Abs(*x)))))
	}
	scale := math.Pow10(digits)
	return strconv.FormatFloat(math.Round(*x*scale)/scale, 'f', -1, 64)
}

// goals returns the goals of the exporter, in the order of the page.
func goals(find lookup) []goal {
	list := cpuGoals(find)
	add := func(most float64, measured *float64, name string, args ...any) {
		list = append(list, goal{fmt.Sprintf(name, args...), measured, &most, false})
	}
	records := func(r *report.Row) *float64 { return r.KinesisRecordsPerMillion }
	add(0.02, quotient(find.of("logs-10000x1", "none", queued, records), find.of("logs-10000x1", "none", theirs, records)),
		"Kinesis records × peer's, logs-10000x1")
	shapes := logShapes()
	for _, s := range shapes {
		for _, compression := range []string{"none", "snappy"} {
			add(1.05, find.of(s.Name, compression, queued, func(r *report.Row) *float64 { return r.PutUnitsRatio }),
				"PUT units × least, %s, %s", s.Name, compression)
		}
	}
	list = append(list, memoryGoals(find)...)
	for _, s := range shapes {
		garbage := func(r *report.Row) *float64 { return r.AllocBytesPerItem }
		add(0.1, quotient(find.of(s.Name, "none", queued, garbage), find.of(s.Name, "none", theirs, garbage)),
			"garbage × peer's, %s, default queue", s.Name)
	}
	list = append(append(list, latencyGoals(find)...), coreGoals(find)...)
	return append(list, gatewayGoals(find)...)
}

// cpuGoals compare CPU time with the cheapest variant of the peer, and with the limit.
func cpuGoals(find lookup) (list []goal) {
	add := func(most float64, measured *float64, name string) {
		list = append(list, goal{name, measured, &most, false})
	}
	ratio := func(r *report.Row) *float64 { return r.CPURatio }
	type bound struct{ off, queued, snappyOff, snappyQueued float64 }
	bounds := map[string]bound{
		"logs-1x1000": {0.5, 0.33, 0.5, 0.38}, "logs-100x100": {0.5, 0.42, 0.5, 0.43}, "logs-10000x1": {0.35, 0.25, 0.25, 0.27},
	}
	for _, s := range logShapes() {
		most := bounds[s.Name]
		const snappy = "CPU with snappy × peer's without, "
		add(most.off, find.of(s.Name, "none", ours, ratio), "CPU × peer, "+s.Name+", queue off")
		add(most.queued, find.of(s.Name, "none", queued, ratio), "CPU × peer, "+s.Name+", default queue")
		add(most.snappyOff, find.of(s.Name, "snappy", ours, ratio), snappy+s.Name+", queue off")
		add(most.snappyQueued, find.of(s.Name, "snappy", queued, ratio), snappy+s.Name+", default queue")
	}
	add(0.03, find.of("logs-10000x1", "gzip", queued, ratio), "CPU with gzip × peer's with gzip, logs-10000x1")
	toLimit := func(r *report.Row) *float64 { return r.LimitRatio }
	seconds := func(r *report.Row) *float64 { return &r.CPUSecondsPerMillion }
	for _, shape := range []string{"logs-1x1000", "logs-100x100"} {
		inCBOR := find.of(shape, "none", limitInCBOR, seconds)
		for _, v := range []struct{ variant, name string }{{ours, "queue off"}, {queued, "default queue"}} {
			add(1.3, find.of(shape, "none", v.variant, toLimit), "CPU × limit, "+shape+", "+v.name)
			add(1.25, quotient(find.of(shape, "none", v.variant, seconds), inCBOR), "CPU × limit in CBOR, "+shape+", "+v.name)
		}
	}
	return list
}

// memoryGoals are about the resident memory of whole collectors: how much it grows while telemetry is sent, and how much there
// is with a full queue.
func memoryGoals(find lookup) (list []goal) {
	add := func(most float64, measured *float64, name string) {
		list = append(list, goal{name, measured, &most, false})
	}
	for _, s := range logShapes() {
		shape := pacedShape(s)
		growth := func(variant string) *float64 { return find.of(shape, "none", variant, (*report.Row).Growth) }
		add(0.5, quotient(growth(queued), growth(theirs)), "growth of RSS × peer's, "+shape)
		own, other := difference(growth(queued), growth(nop)), difference(growth(theirs), growth(nop))
		add(0.5, quotient(own, other), "growth of RSS less nop's × peer's less nop's, "+shape)
	}
	perQueue := func(r *report.Row) *float64 { return r.RSSPerQueue }
	const full = "RSS above nop with a full queue × queue_size, "
	for _, protocol := range protocols() {
		for _, s := range fullShapes(logShapes()) {
			shape := fullShape(protocol, s)
			add(2.2, find.of(shape, "none", queued, perQueue), full+shape)
			for _, compression := range fullCompressions(s) {
				perTelemetry := find.of(shape, compression, queued, func(r *report.Row) *float64 { return r.RSSPerTelemetry })
				add(0.6, perTelemetry, "MB of RSS above nop for a MB of telemetry in a full queue, "+compression+", "+shape)
			}
		}
	}
	for _, s := range silentShapes(logShapes()) {
		shape := silentShape(otlp.HTTP, s)
		add(2.2, find.of(shape, "none", queued, perQueue), full+shape)
	}
	return list
}

// logShapes are the shapes of logs that goals are about.
func logShapes() []load.Shape {
	return slices.DeleteFunc(load.Shapes(), func(s load.Shape) bool { return s.Signal != load.Logs })
}

// latencyGoals bound the time that the exporter adds to the round trips to the service, in milliseconds.
func latencyGoals(find lookup) (list []goal) {
	p50 := func(r *report.Row) *float64 { return r.LatencyP50 }
	p99 := func(r *report.Row) *float64 { return r.LatencyP99 }
	lone := difference(find.of(loneShape, "none", atOnce, p50), find.of(loneShape, "none", limit, p50))
	list = append(list, goal{"lone request, p50 less a round trip, ms", lone, new(2.0), false})
	for _, v := range []struct {
		name     string
		buffered time.Duration
	}{{atOnce, 0}, {lingering, linger}} {
		bound := find.of(loadedShape, "none", limit, p50)
		if bound != nil {
			bound = new(v.buffered.Seconds()*1e3 + 2**bound)
		}
		name := fmt.Sprintf("%d requests/s, p99 against record_max_buffered_time %v and two round trips, ms", loadedRate, v.buffered)
		list = append(list, goal{name, find.of(loadedShape, "none", v.name, p99), bound, false})
	}
	return list
}

// coreGoals are about the library without the exporter.
func coreGoals(find lookup) (list []goal) {
	rate := func(r *report.Row) *float64 { return &r.ItemsPerSecondCore }
	cost := func(variant string) *float64 {
		return find.of("core", "none", variant, func(r *report.Row) *float64 { return &r.CPUSecondsPerMillion })
	}
	for _, shards := range []string{"1", "64", "1024"} {
		measured := find.of("core", "none", coreVariant(shards), rate)
		list = append(list, goal{"records/s a core, shards: " + shards, measured, new(1e6), true})
	}
	for _, shards := range []string{"64", "1024"} {
		list = append(list, goal{
			"cost a record, shards: " + shards + " × 1", quotient(cost(coreVariant(shards)), cost(coreVariant("1"))), new(1.5), false,
		})
	}
	for _, shards := range []string{"1", "64"} {
		list = append(list, goal{
			"cost a record, streams: 16 × 1, shards: " + shards,
			quotient(cost(coreStreamsVariant(shards)), cost(coreVariant(shards))), new(1.5), false,
		})
	}
	return list
}

// lookup finds rows.
type lookup map[report.Key]*report.Row

func newLookup(rows []report.Row) lookup {
	find := lookup{}
	for i := range rows {
		find[rows[i].Key] = &rows[i]
	}
	return find
}

// of returns a figure of a row, or nil if there is none.
func (l lookup) of(shape, compression, variant string, figure func(*report.Row) *float64) *float64 {
	row := l[report.Key{Shape: shape, Compression: compression, Variant: variant}]
	if row == nil {
		return nil
	}
	return figure(row)
}

// difference returns a-b, or nil without both.
func difference(a, b *float64) *float64 {
	if a == nil || b == nil {
		return nil
	}
	return new(*a - *b)
}

// quotient returns a/b, or nil without both.
func quotient(a, b *float64) *float64 {
	if a == nil || b == nil {
		return nil
	}
	return new(*a / *b)
}
