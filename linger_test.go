// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// A push that fills enough records does not wait for others, even if a request is in flight, unless it has many partition keys.
func TestLargeRequestsDoNotLinger(t *testing.T) {
	const linger, slow = 2 * time.Second, 5 * time.Second
	line := strings.Repeat("x", 1000)
	for name, test := range map[string]struct {
		records int
		keyed   bool
		waits   time.Duration
	}{
		"small":           {records: 1900, waits: linger},
		"large":           {records: 2200},
		"large with keys": {records: 2230, keyed: true, waits: linger},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, c := newTestKinesis(8), plainConfig()
				if test.keyed {
					c.PartitionKey.ResourceAttributes = []string{"service.name"}
				}
				c.Producer.RecordMaxBufferedTime = linger
				var running sync.WaitGroup
				start := func() *rig {
					e := startLogs(t, k, c)
					k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Times(1, kpltest.Latency(slow))))
					running.Go(func() { assert.NoError(t, e.ConsumeLogs(t.Context(), oneResource("in flight", 1))) })
					synctest.Wait()
					return e
				}
				e := start()
				began := time.Now()
				require.NoError(t, e.ConsumeLogs(t.Context(), oneResource(line, test.records)))
				assert.Equal(t, test.waits, time.Since(began))

				c.Delivery = FireAndForget
				submitter := start()
				require.NoError(t, submitter.ConsumeLogs(t.Context(), oneResource(line, test.records)))
				synctest.Wait()
				stored := len(storedBodies(t, k))
				if test.waits == 0 {
					assert.GreaterOrEqual(t, stored, 2*test.records)
				} else {
					assert.Less(t, stored, 2*test.records, "what fills no record waits")
				}
				running.Wait()
				submitter.stop(t)
				e.stop(t)
			})
		})
	}
}
