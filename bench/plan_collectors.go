// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/otlp"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// sendingTime is how long a collector gets telemetry in each round.
const sendingTime = 2 * time.Second

// collectorMemory is the memory that a collector has before it collects garbage, while its CPU time is measured. It is far more
// than what is in use at the rate, so that the collectors differ in how much garbage they make, and not in when it is collected.
const collectorMemory = "512MiB"

// fullRounds is in how many rounds full queues are measured. Memory differs less from round to round than CPU time does.
const fullRounds = 3

// collectorRate is the rate at which CPU time is measured, in items a second. With it the peer's collector uses about half of a
// core of the machine that the page names.
func collectorRate(shape load.Shape) int {
	if shape.Resources > 1000 {
		return 80_000 // 42 MB/s of OTLP
	}
	return 250_000 // 73 MB/s of OTLP
}

// growthRate is the rate at which the growth of memory is measured, in items a second. It is lower, because requests that wait
// for a busy processor would be most of the memory otherwise.
func growthRate(shape load.Shape) int { return collectorRate(shape) * 2 / 5 }

// Names of the shapes of rows of whole collectors.
func collectorShape(protocol string, shape load.Shape) string {
	return "collector-" + protocol + "-" + shape.Name
}

func pacedShape(shape load.Shape) string {
	return fmt.Sprintf("paced-%dk-%s-%s", growthRate(shape)/1000, otlp.GRPC, shape.Name)
}

func fullShape(protocol string, shape load.Shape) string {
	return "full-" + protocol + "-" + shape.Name
}

// silentShape names the rows with a service that takes requests and does not answer. In the others it is unreachable.
func silentShape(protocol string, shape load.Shape) string {
	return "full-silent-" + protocol + "-" + shape.Name
}

// collectorJobs measure whole collectors: CPU time, the growth of memory, and memory with a full queue.
func collectorJobs(of selection, s size) []job {
	var list []job
	add := func(shape, compression, variant, program string, at sink, rounds int, args ...string) {
		key := report.Key{Shape: shape, Compression: compression, Variant: variant}
		which := []string{"-collectors", of.collectors, "-collector", program, "-compression", compression}
		list = append(list, job{Key: key, program: "collector", args: slices.Concat(which, args), sink: at, rounds: rounds})
	}
	logs := slices.DeleteFunc(slices.Clone(of.shapes), func(s load.Shape) bool { return s.Signal != load.Logs })
	for _, protocol := range protocols() {
		for _, shape := range logs {
			args := append(sendingArgs(protocol, shape, collectorRate(shape), s), "-memory", collectorMemory)
			row := collectorShape(protocol, shape)
			for _, c := range everyCollector() {
				add(row, "none", c.variant, c.program, prompt, 0, args...)
			}
			add(row, "none", gateway, gateway, prompt, 0, args...)
			if protocol == otlp.HTTP {
				add(row, "snappy", queued, "kinesiskpl", prompt, 0, args...)
			}
		}
	}
	list = append(list, gatewayJobs(of, s)...)
	for _, shape := range logs {
		args := sendingArgs(otlp.GRPC, shape, growthRate(shape), s)
		for _, c := range everyCollector() {
			add(pacedShape(shape), "none", c.variant, c.program, prompt, 0, args...)
		}
	}
	for _, protocol := range protocols() {
		for _, shape := range fullShapes(logs) {
			args := []string{"-down", "unreachable", "-protocol", protocol, "-shape", shape.Name}
			for _, c := range everyCollector() {
				add(fullShape(protocol, shape), "none", c.variant, c.program, none, fullRounds, args...)
			}
			for _, compression := range fullCompressions(shape) {
				add(fullShape(protocol, shape), compression, queued, "kinesiskpl", none, fullRounds, args...)
			}
		}
	}
	for _, shape := range silentShapes(logs) {
		args := []string{"-down", "silent", "-protocol", otlp.HTTP, "-shape", shape.Name}
		for _, c := range everyCollector() {
			add(silentShape(otlp.HTTP, shape), "none", c.variant, c.program, none, fullRounds, args...)
		}
	}
	return list
}

func protocols() []string { return []string{otlp.HTTP, otlp.GRPC} }

// everyCollector returns the programs of the collectors, and the variants that they are.
func everyCollector() []struct{ program, variant string } {
	return []struct{ program, variant string }{{"nop", nop}, {"awskinesis", theirs}, {"kinesiskpl", queued}}
}

// sendingArgs are the arguments for sending at a rate.
func sendingArgs(protocol string, shape load.Shape, rate int, s size) []string {
	items := int(sendingTime.Seconds() * float64(rate) * float64(s.items) / float64(fullSize().items))
	return []string{
		"-protocol", protocol, "-shape", shape.Name, "-rate", strconv.Itoa(rate),
		"-items", strconv.Itoa(items), "-warmup", strconv.Itoa(items / 2),
	}
}

// fullShapes are the shapes of requests in a full queue: those of the list with large requests, and a small one.
func fullShapes(logs []load.Shape) []load.Shape {
	tooMany := func(s load.Shape) bool { return s.Resources > 1000 }
	return append(slices.DeleteFunc(slices.Clone(logs), tooMany), load.Lone())
}

// fullCompressions are what telemetry in a full queue is compressed with. One small request alone does not shrink.
func fullCompressions(shape load.Shape) []string {
	if shape == load.Lone() {
		return nil
	}
	return []string{"snappy", "zstd"}
}

// silentShapes are the shapes that a service gets which does not answer. More would show the same.
func silentShapes(logs []load.Shape) []load.Shape {
	return slices.DeleteFunc(slices.Clone(logs), func(s load.Shape) bool { return s.Resources > 1 })
}
