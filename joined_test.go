// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// Small requests are joined before they are compressed. Together they take a fraction of what they take alone.
func TestSmallRequestsAreCompressedTogether(t *testing.T) {
	const requests = 50
	sizes := map[bool]int{}
	for _, waits := range []bool{false, true} { // callers that wait for results keep their requests apart
		synctest.Test(t, func(t *testing.T) {
			k, c := newTestKinesis(1), plainConfig()
			c.Queue, c.Compression = defaultConfig().Queue, marshaler.Zstd
			c.Queue.Get().WaitForResult = waits
			e := startLogs(t, k, c)
			done := make(chan error, requests)
			for i := range requests {
				go func() { done <- e.ConsumeLogs(t.Context(), oneResource(fmt.Sprint("request ", i, " record "), 10)) }()
			}
			for range requests {
				require.NoError(t, <-done)
			}
			advance(time.Second)
			assert.Zero(t, helperGauge(t, e, "queue_size"))
			e.stop(t)
			assert.Len(t, distinct(t, storedBodies(t, k)), 10*requests)
			for _, r := range k.UserRecords(testStream) {
				sizes[waits] += len(r.Data)
			}
			assert.Equal(t, 10*requests, e.sum(t, "items_put", "outcome", "success"))
			if !waits {
				assert.Equal(t, 10*requests, helperItems(t, e, "sent"))
			}
		})
	}
	assert.Less(t, 4*sizes[false], sizes[true])
	t.Logf("%d bytes together, %d alone", sizes[false], sizes[true])
}
