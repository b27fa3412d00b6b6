// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package drive

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"go.opentelemetry.io/collector/exporter"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/measure"
)

// Configure returns the keys of an exporter's configuration that say where the service is and how to compress.
type Configure func(endpoint, compression string) map[string]any

// Main is the main function of a program that measures one exporter. It prints the result as JSON. GOMAXPROCS and the
// credentials come from the environment.
func Main(factory exporter.Factory, configure Configure) {
	if err := run(context.Background(), factory, configure, os.Args, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, factory exporter.Factory, configure Configure, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	queue := flags.String("queue", "off", "off, default or batch")
	compression := flags.String("compression", "none", "what the exporter compresses with")
	extra := flags.String("config", "{}", "further keys of the configuration, as JSON")
	cpu := flags.String("cpuprofile", "", "write a CPU profile of the measured part to this file")
	heap := flags.String("memprofile", "", "write a profile of what the measured part allocates to this file")
	p := &Plan{}
	p.Flags(flags)
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if err := p.Check(); err != nil {
		return err
	}
	keys, known := queues()[*queue]
	if !known {
		return fmt.Errorf("there is no queue %q, only %v", *queue, slices.Sorted(maps.Keys(queues())))
	}
	maps.Copy(keys, configure(p.Endpoint, *compression))
	if err := json.Unmarshal([]byte(*extra), &keys); err != nil {
		return fmt.Errorf("-config: %w", err)
	}
	p.Profile = measure.Profile{CPU: *cpu, Heap: *heap}
	measured, err := Run(ctx, Variant{factory, keys, *queue != "off", *queue == "batch"}, p)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(measured)
}

// queues are the configurations of queues. A batch is so large that the cost of a call is shared by many items. It has no
// max_size, so no request is split.
func queues() map[string]map[string]any {
	return map[string]map[string]any{
		"off":     {"sending_queue": map[string]any{"enabled": false}},
		"default": {},
		"batch": {"sending_queue": map[string]any{
			"sizer": "bytes", "queue_size": 64 << 20,
			"batch": map[string]any{"min_size": 2 << 20, "flush_timeout": "200ms"},
		}},
	}
}

// Plan says how much telemetry is sent, and where.
type Plan struct {
	Shape    load.Shape
	Seed     uint64
	Items    int     // how many items are measured; rounded up to whole requests
	WarmUp   int     // how many items are sent before
	Lone     int     // if not zero, so many single requests are sent instead, and their latency is measured
	Rate     float64 // items a second; zero means as fast as possible, or one single request after the other
	Endpoint string
	Profile  measure.Profile

	shape string
}

// Flags defines a flag for each field but the profile.
func (p *Plan) Flags(flags *flag.FlagSet) {
	flags.StringVar(&p.shape, "shape", "logs-1x1000", "what requests look like")
	flags.Uint64Var(&p.Seed, "seed", 1, "of the telemetry")
	flags.IntVar(&p.Items, "items", 200_000, "to be measured")
	flags.IntVar(&p.WarmUp, "warmup", 40_000, "items before that")
	flags.IntVar(&p.Lone, "lone", 0, "measure the latency of so many single requests instead")
	flags.Float64Var(&p.Rate, "rate", 0, "items a second; 0 is as fast as it goes")
	flags.StringVar(&p.Endpoint, "endpoint", "", "URL of the sink")
}

// Check sets the shape from its name.
func (p *Plan) Check() (err error) {
	p.Shape, err = load.Find(p.shape)
	return err
}
