// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/collector"
)

// gatewayProgram is the name of examples/otlpgateway, which is no collector, but does what one with an exporter for Kinesis does.
const gatewayProgram = "otlpgateway"

// startGateway starts the gateway, which was built beside this program.
func (o options) startGateway(ctx context.Context, endpoint string, environment []string) (*collector.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	g := collector.Gateway{
		Program:  filepath.Join(filepath.Dir(self), gatewayProgram),
		Protocol: o.protocol, Endpoint: endpoint, Compression: o.compression,
	}
	return g.Start(ctx, environment...)
}
