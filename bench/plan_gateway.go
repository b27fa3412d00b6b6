// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strconv"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// gateway is examples/otlpgateway, in the tables of whole collectors. It has its default configuration, in which a request is
// answered when its data is stored.
const gateway = "otlpgateway"

// gatewayPackage is what is built for it.
const gatewayPackage = "github.com/otel-kinesis/kinesiskplexporter/examples/otlpgateway"

// gatewaySpeed is how many log records the gateway should store for a second of CPU time, from socket to socket.
const gatewaySpeed = 1_000_000

// busyRate is more items a second than the gateway can take. The senders then wait for its answers.
const busyRate = 100_000_000

// busyShape names the rows in which the gateway gets as much as it takes.
func busyShape(protocol string, shape load.Shape) string {
	return "collector-busy-" + protocol + "-" + shape.Name
}

// gatewayJobs measure the gateway as fast as it can. Collectors answer before they send, so they have no such rate.
func gatewayJobs(of selection, s size) []job {
	var list []job
	for _, protocol := range protocols() {
		for _, shape := range of.shapes {
			if shape.Signal != load.Logs {
				continue
			}
			items := 2 * s.items
			list = append(list, job{
				Key:     report.Key{Shape: busyShape(protocol, shape), Compression: "none", Variant: gateway},
				program: "collector", sink: prompt,
				args: []string{
					"-collectors", of.collectors, "-collector", gateway, "-compression", "none",
					"-protocol", protocol, "-shape", shape.Name, "-memory", collectorMemory, "-rate", strconv.Itoa(busyRate),
					"-items", strconv.Itoa(items), "-warmup", strconv.Itoa(max(items/4, 20*shape.ItemsPerRequest())),
				},
			})
		}
	}
	return list
}

// gatewayGoals are about the speed of the gateway.
func gatewayGoals(find lookup) (list []goal) {
	speed := func(r *report.Row) *float64 { return &r.ItemsPerSecondCore }
	for _, protocol := range protocols() {
		for _, s := range logShapes() {
			shape := busyShape(protocol, s)
			list = append(list, goal{
				name:     "log records/s a core of otlpgateway, " + shape,
				measured: find.of(shape, "none", gateway, speed),
				bound:    new(float64(gatewaySpeed)), least: true,
			})
		}
	}
	return list
}
