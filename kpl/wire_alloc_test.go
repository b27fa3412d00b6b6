// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !race

package kpl

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire/wiretest"
)

// The hash keys of a request are one string; the input itself is another object, and its stream a third.
func TestEncodingRecordsAllocatesThreeTimes(t *testing.T) {
	config := benchmarkConfig()
	p, err := New(newSink(1), config)
	require.NoError(t, err)
	w := newWorker(newSender(t.Context(), &p.shared, testStream, nil))
	r := &request{}
	for range MaxRecordsPerRequest {
		r.records = append(r.records, aggregate(t, 51_200, sized("key", 100), sized("key", 100))...)
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(10, func() { w.input(r) }), 3.0)
	require.NoError(t, p.Close(t.Context()))
}

// The number of allocations of a call does not depend on the bytes that it sends, and hardly on the number of records. The
// server's allocations, about 40 objects, are counted too.
func TestACallAllocatesLittle(t *testing.T) {
	for _, size := range wiretest.Sizes() {
		for name, tryCBOR := range map[string]bool{"JSON": false, "CBOR": true} {
			t.Run(size.String()+" "+name, func(t *testing.T) {
				client, in := loopback(t, size), size.Input()
				p := wire.NewProtocol(wire.NewEncoding(tryCBOR, unrelatedToEncoding))
				call := func() {
					_, err := client.PutRecords(t.Context(), in, callOptions, p.Install)
					require.NoError(t, err)
				}
				call() // it opens the connection
				const calls = 10
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for range calls {
					call()
				}
				runtime.ReadMemStats(&after)
				assert.LessOrEqual(t, int(after.TotalAlloc-before.TotalAlloc)/calls, 200_000)
				assert.LessOrEqual(t, int(after.Mallocs-before.Mallocs)/calls, 450)
			})
		}
	}
}
