// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"math"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// What a shard of a stream takes in a second.
const (
	shardBytes   = 1 << 20
	shardRecords = 1000
)

// What docs/sizing.md says of the exporter. A test compares these numbers with bench/results.json.
const (
	// packing is how many PUT units there are at most for each 25,600 bytes of messages, under load. Records of compressed messages
	// are less full.
	packing           = 1.15
	compressedPacking = 1.4
	// earlyUnits is how many PUT units a collector may add in a second, because it sends at once while little happens.
	earlyUnits = 12
	// processBytes is the memory of a collector whose queue is empty, and heapFactor how much it takes for each byte of a full
	// queue. compressedFactor is the same for compressed messages.
	processBytes     = 128 << 20
	heapFactor       = 2.4
	compressedFactor = 2.8
	// goLimit is the part of a container's memory that GOMEMLIMIT has.
	goLimit = 0.8
	// requestBytes is about the least that a PutRecords call has under load: a call goes when it has that much for one shard.
	requestBytes = 256 << 10
	// busyCores is how much of its cores a collector may use on average.
	busyCores = 0.7
)

// load is what is to be stored.
type load struct {
	items      float64 // log records, spans and data points a second, on average
	itemBytes  float64 // of an item in OTLP, with its part of the resource
	ratio      float64 // compressed bytes for each byte, 1 without compression
	peak       float64 // how many times the average the highest rate is
	fill       float64 // the part of a shard that may be used at the peak
	readers    float64 // how many applications read everything
	recordSize float64 // aggregation_max_size
	recordTime time.Duration

	collectors float64       // 0: as few as the CPU time allows
	cores      float64       // of a collector
	cpu        float64       // CPU seconds of a collector for a million items
	queue      float64       // queue_size, in bytes
	signals    float64       // how many signals a collector has
	answer     time.Duration // how long a PutRecords call takes
}

// check returns an error for each number that cannot be meant.
func (l load) check() error {
	var errs []error
	positive := map[string]float64{
		"items": l.items, "bytes": l.itemBytes, "ratio": l.ratio, "peak": l.peak, "fill": l.fill, "record": l.recordSize,
		"cores": l.cores, "cpu": l.cpu, "queue": l.queue, "signals": l.signals,
		"linger": l.recordTime.Seconds(), "answer": l.answer.Seconds(),
	}
	for name, value := range positive {
		if !(value > 0) || math.IsInf(value, 0) {
			errs = append(errs, errors.New("-"+name+" must be more than 0"))
		}
	}
	if l.peak < 1 {
		errs = append(errs, errors.New("-peak must be at least 1: it is how many times the average the highest rate is"))
	}
	if l.fill > 1 {
		errs = append(errs, errors.New("-fill must be at most 1: it is a part of a shard"))
	}
	if l.collectors < 0 || l.readers < 0 {
		errs = append(errs, errors.New("-collectors and -readers must not be negative"))
	}
	if l.recordSize > kpl.MaxServiceRecordSize {
		errs = append(errs, errors.New("-record must be at most 10485760"))
	}
	return errors.Join(errs...)
}

// plan is what a load takes.
type plan struct {
	bytes      float64 // that are stored a second, on average
	peakBytes  float64 // the same at the peak
	records    float64 // Kinesis records a second, at most
	units      float64 // PUT units a second, at most
	billed     float64 // bytes a second of an on-demand stream, which rounds each record up to 1 KiB
	shards     float64
	collectors float64

	requests float64 // PutRecords calls that a collector has in flight at the peak
	pushes   float64 // that wait at the same time in a collector, if each has 1,000 items
	memory   float64 // of a collector with full queues
	limit    float64 // of its container
	buffered time.Duration
}

// newPlan returns what l takes.
func newPlan(l load) plan {
	p := plan{bytes: l.items * l.itemBytes * l.ratio}
	p.peakBytes = p.bytes * l.peak
	p.collectors = l.collectors
	if p.collectors == 0 {
		p.collectors = math.Ceil(l.items * l.peak * l.cpu / 1e6 / (l.cores * busyCores))
	}
	p.records, p.units = l.recordRate(p.bytes, p.collectors)
	peakRecords, _ := l.recordRate(p.peakBytes, p.collectors)
	p.billed = p.bytes + p.records*512 // half a unit of 1,024 bytes for each record, on average
	p.shards = math.Ceil(max(p.peakBytes/shardBytes, peakRecords/shardRecords) / l.fill)
	p.requests = math.Ceil(p.peakBytes / p.collectors / requestBytes * l.answer.Seconds())
	p.pushes = math.Ceil(l.items * l.peak / p.collectors / 1000 * (l.recordTime + l.answer).Seconds())
	p.memory = processBytes + l.heapFactor()*l.queue*l.signals
	p.limit = p.memory / goLimit
	p.buffered = time.Duration(l.queue * l.signals / (p.peakBytes / p.collectors) * float64(time.Second))
	return p
}

// recordRate returns how many Kinesis records and PUT units a second the collectors make at most of that many bytes a second.
// Records fill under load. With little of it, each collector sends what it has at least once in a while.
func (l load) recordRate(bytes, collectors float64) (records, units float64) {
	early := collectors * max(earlyUnits, 1/l.recordTime.Seconds())
	if l.ratio < 1 {
		bytes *= compressedPacking
	} else {
		bytes *= packing
	}
	return bytes/l.recordSize + early, bytes/kpl.PutUnit*roundedUp(l.recordSize) + early
}

// heapFactor returns how much memory a byte of a full queue takes.
func (l load) heapFactor() float64 {
	if l.ratio < 1 {
		return compressedFactor
	}
	return heapFactor
}

// roundedUp returns how many times its size a full record is billed.
func roundedUp(recordSize float64) float64 {
	return math.Ceil(recordSize/kpl.PutUnit) * kpl.PutUnit / recordSize
}
