// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"os/exec"
)

// Gateway is how examples/otlpgateway is started.
type Gateway struct {
	Program     string
	Protocol    string // that it is sent: http or grpc
	Endpoint    string // of the service
	Compression string // of messages
}

// Start starts the gateway with its default configuration, and waits until it takes telemetry. Variables of the environment are
// added to this process's own.
func (g Gateway) Start(ctx context.Context, environment ...string) (*Process, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	overHTTP, overGRPC := address(ports[0]), address(ports[1])
	command := exec.Command(g.Program, //nolint:gosec,noctx // built here; Stop and Kill end it
		"-kinesis-stream", "bench", "-aws-region", "us-west-2", "-kinesis-endpoint", g.Endpoint,
		"-kinesis-compression", g.Compression, "-otlp-http-address", overHTTP, "-otlp-grpc-address", overGRPC)
	listens := overHTTP
	if g.Protocol == "grpc" {
		listens = overGRPC
	}
	return launch(ctx, command, listens, environment)
}
