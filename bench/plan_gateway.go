// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// gateway is examples/otlpgateway, in the tables of whole collectors. It has its default configuration, in which a request is
// answered when its data is stored.
const gateway = "otlpgateway"

// gatewayPackage is what is built for it.
const gatewayPackage = "github.com/otel-kinesis/kinesiskplexporter/examples/otlpgateway"

// gatewaySpeed is how many log records the gateway should store for a second of CPU time, from socket to socket.
const gatewaySpeed = 1_000_000

// gatewayGoals are about the speed of the gateway.
func gatewayGoals(find lookup) (list []goal) {
	speed := func(r *report.Row) *float64 { return &r.ItemsPerSecondCore }
	for _, protocol := range protocols() {
		for _, s := range logShapes() {
			shape := collectorShape(protocol, s)
			list = append(list, goal{
				name:     "log records/s a core of otlpgateway, " + shape,
				measured: find.of(shape, "none", gateway, speed),
				bound:    new(float64(gatewaySpeed)), least: true,
			})
		}
	}
	return list
}
