// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A push that fills enough records does not wait for others, unless it has many partition keys.
func TestLargeRequestsDoNotLinger(t *testing.T) {
	const linger = 10 * time.Second
	line := strings.Repeat("x", 1000)
	for name, test := range map[string]struct {
		records int
		keyed   bool
		waits   time.Duration
	}{
		"small":           {records: 1900, waits: linger},
		"large":           {records: 2200},
		"large with keys": {records: 2200, keyed: true, waits: linger},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, c := newTestKinesis(8), plainConfig()
				if test.keyed {
					c.PartitionKey.ResourceAttributes = []string{"service.name"}
				}
				c.Producer.RecordMaxBufferedTime = linger
				e := startLogs(t, k, c)
				start := time.Now()
				require.NoError(t, e.ConsumeLogs(t.Context(), oneResource(line, test.records)))
				assert.Equal(t, test.waits, time.Since(start))

				c.Delivery = FireAndForget
				submitter := startLogs(t, k, c)
				require.NoError(t, submitter.ConsumeLogs(t.Context(), oneResource(line, test.records)))
				synctest.Wait()
				stored := len(storedBodies(t, k))
				if test.waits == 0 {
					assert.Equal(t, 2*test.records, stored)
				} else {
					assert.Less(t, stored, 2*test.records, "what fills no record waits")
				}
				submitter.stop(t)
				e.stop(t)
			})
		})
	}
}
