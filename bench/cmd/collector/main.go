// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command collector measures a whole collector in a process of its own, which gets logs by OTLP.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/collector"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/drive"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
)

func main() {
	if err := run(context.Background(), os.Args, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args, err)
		os.Exit(1)
	}
}

// options say what is measured.
type options struct {
	drive.Plan

	programs    string // directory of the collectors
	program     string // the collector's name in it
	protocol    string
	compression string
	down        string // how the service is down; if empty, it is not
	memory      string // see -memory
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	var o options
	flags.StringVar(&o.programs, "collectors", "", "directory of the collectors")
	flags.StringVar(&o.program, "collector", "kinesiskpl", "name of the collector: kinesiskpl, awskinesis, nop or otlpgateway")
	flags.StringVar(&o.protocol, "protocol", "http", "what the collector receives: http or grpc")
	flags.StringVar(&o.compression, "compression", "none", "what the exporter compresses with")
	flags.StringVar(&o.down, "down", "", "measure memory with a full queue, and a service that is down: unreachable or silent")
	flags.StringVar(&o.memory, "memory", "", "collect garbage only when the collector has so much memory (such as 512MiB)")
	o.Flags(flags)
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return err
	}
	measured, err := o.measure(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(measured)
}

func (o options) measure(ctx context.Context) (result.Run, error) {
	switch o.down {
	case "":
		return paced(ctx, o)
	case unreachable, silent:
		return full(ctx, o)
	default:
		return result.Run{}, fmt.Errorf("a service cannot be %q, only %s or %s", o.down, unreachable, silent)
	}
}

// start starts the collector. With inBytes its queue has a bound in bytes.
func (o options) start(ctx context.Context, endpoint string, inBytes bool) (*collector.Process, error) {
	environment := []string{"AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "AWS_EC2_METADATA_DISABLED=true"}
	if o.memory != "" {
		environment = append(environment, "GOGC=off", "GOMEMLIMIT="+o.memory)
	}
	if o.program == gatewayProgram {
		return o.startGateway(ctx, endpoint, environment)
	}
	exporter, keys, err := exporterOf(o.program, endpoint, o.compression, inBytes)
	if err != nil {
		return nil, err
	}
	config := collector.Config{Protocol: o.protocol, Exporter: exporter, Keys: keys}
	return collector.Start(ctx, filepath.Join(o.programs, o.program, "collector"), config, environment...)
}
