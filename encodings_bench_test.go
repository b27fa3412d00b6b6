// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// BenchmarkEncodings makes messages of 1,000 items in each built-in encoding.
func BenchmarkEncodings(b *testing.B) {
	const items = 1000
	logs := oneResource(strings.Repeat("a line of a log ", 10), items)
	names := make([]string, items)
	for i := range names {
		names[i] = fmt.Sprint("span ", i)
	}
	traces := identified(tracesOf(names...))
	for _, e := range builtInEncodings {
		b.Run(string(e), func(b *testing.B) {
			c := directConfig()
			c.PartitionKey.ResourceAttributes, c.Encoding = nil, e
			p := &pusher{config: c, queues: true}
			if !hasSignal(e, marshaler.Logs) {
				p.signal = marshaler.Traces
			}
			m, err := p.newMarshaler()
			require.NoError(b, err)
			memory := 0
			for b.Loop() {
				var encoded marshaler.Encoded
				if p.signal == marshaler.Traces {
					encoded, err = m.MarshalTraces(traces)
				} else {
					encoded, err = m.MarshalLogs(logs)
				}
				if err != nil || len(encoded.Failed) > 0 {
					b.Fatal(err, encoded.Failed)
				}
				memory = 0
				for i := range encoded.Messages {
					memory += encoded.Messages[i].Memory()
				}
				encoded.Release()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*items), "ns/item")
			b.ReportMetric(float64(memory)/items, "held-B/item")
		})
	}
}
