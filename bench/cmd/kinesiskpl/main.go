// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command kinesiskpl measures the exporter of this repository.
package main

import (
	"github.com/otel-kinesis/kinesiskplexporter"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/drive"
)

func main() {
	drive.Main(kinesiskplexporter.NewFactory(), func(endpoint, compression string) map[string]any {
		keys := map[string]any{"aws": map[string]any{
			"stream_name": "bench", "region": "us-west-2", "endpoint": endpoint, "insecure": true,
		}}
		if compression != "none" {
			keys["compression"] = compression
		}
		return keys
	})
}
