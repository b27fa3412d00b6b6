// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// queueSize is the size of a queue of bytes. It is the default of kinesis_kpl.
const queueSize = 64 << 20

// exporterOf returns the type of the exporter that a collector has, and its configuration. The exporter has its default queue,
// or with inBytes a queue of queueSize.
func exporterOf(program, endpoint, compression string, inBytes bool) (exporter string, keys map[string]any, err error) {
	switch program {
	case "nop":
		return "nop", nil, nil
	case "kinesiskpl":
		exporter, keys = "kinesis_kpl", map[string]any{"aws": map[string]any{
			"stream_name": "bench", "region": "us-west-2", "endpoint": endpoint, "insecure": true,
		}}
		if compression != "none" {
			keys["compression"] = compression
		}
	case "awskinesis":
		exporter, keys = "awskinesis", map[string]any{
			"aws":      map[string]any{"stream_name": "bench", "region": "us-west-2", "kinesis_endpoint": endpoint},
			"encoding": map[string]any{"compression": compression},
		}
	default:
		return "", nil, fmt.Errorf("there is no collector %q", program)
	}
	if inBytes {
		keys["sending_queue"] = map[string]any{"sizer": "bytes", "queue_size": queueSize}
	}
	return exporter, keys, nil
}
