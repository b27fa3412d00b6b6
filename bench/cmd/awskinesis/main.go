// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command awskinesis measures contrib's awskinesisexporter.
package main

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/awskinesisexporter"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/drive"
)

func main() {
	drive.Main(awskinesisexporter.NewFactory(), func(endpoint, compression string) map[string]any {
		return map[string]any{
			"aws":      map[string]any{"stream_name": "bench", "region": "us-west-2", "kinesis_endpoint": endpoint},
			"encoding": map[string]any{"compression": compression},
			"timeout":  "1m", // the default of 5 s is too short for gzip on a busy machine
		}
	})
}
