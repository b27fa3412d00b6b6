// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// Messages lie in memory that later pushes use again. The stream stores, and callers get back, exactly what was put,
// whatever happens: slow answers, throttling, retries, answers lost after storing, callers that give up, and a producer
// that is closed in between. A build with the race detector overwrites memory that is released, so that any use of it
// shows.
func TestMemoryIsNotReusedTooEarly(t *testing.T) {
	const callers, requests = 6, 20
	for _, tt := range []struct {
		delivery    Delivery
		compression marshaler.Compression
	}{
		{Confirmed, marshaler.NoCompression},
		{Confirmed, marshaler.Snappy},
		{FireAndForget, marshaler.NoCompression},
		{FireAndForget, marshaler.Zstd},
	} {
		t.Run(fmt.Sprintf("%s/%s", tt.delivery, tt.compression), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, c := newTestKinesis(4), plainConfig()
				for _, fault := range []kpltest.Fault{
					kpltest.Latency(30 * time.Millisecond),
					kpltest.Fraction(0.3, kpltest.Latency(300*time.Millisecond)),
					kpltest.Fraction(0.1, kpltest.Break(kpltest.ConnectionCut)),
					kpltest.Fraction(0.1, kpltest.FailCall(kpltest.CodeInternalFailure)),
					kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.3),
					kpltest.FailRecordFraction(kpltest.CodeInvalidArgument, 0.02),
				} {
					k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, fault))
				}
				c.Delivery, c.Compression = tt.delivery, tt.compression
				c.Producer.RequestTimeout, c.Producer.RecordTTL = 250*time.Millisecond, time.Second
				c.Producer.RecordMaxBufferedTime = 50 * time.Millisecond
				c.Producer.MaxOutstandingBytes = 2 << 20
				e := startLogs(t, k, c)

				var mu sync.Mutex
				sent, back := map[string]bool{}, map[string]bool{}
				var pushers sync.WaitGroup
				for caller := range callers {
					pushers.Go(func() {
						random := rand.New(rand.NewPCG(uint64(caller), 1))
						for i := range requests {
							logs := oneResource(fmt.Sprintf("%s/%d/%d/", strings.Repeat("x", 50), caller, i), 1+random.IntN(3000))
							patience, cancel := context.WithTimeout(t.Context(), time.Duration(20+random.IntN(800))*time.Millisecond)
							err := e.ConsumeLogs(patience, logs)
							cancel()
							var rest consumererror.Logs
							left := bodiesOf(logs)
							mu.Lock()
							for _, body := range left {
								sent[body] = true
							}
							switch {
							case errors.As(err, &rest):
								left = bodiesOf(rest.Data())
							case err == nil:
								left = nil
							}
							for _, body := range left {
								back[body] = true
							}
							mu.Unlock()
						}
					})
				}
				pushers.Wait()
				// What the producer still holds is given up in the midst of its calls.
				_ = e.Shutdown(within(t, 40*time.Millisecond))

				stored := map[string]bool{}
				for _, body := range storedBodies(t, k) {
					require.True(t, sent[body], body)
					stored[body] = true
				}
				require.NotEmpty(t, stored)
				if tt.compression == marshaler.NoCompression { // else there are too few records for each fault to hit some
					require.NotEmpty(t, back)
				}
				for body := range back {
					require.True(t, sent[body], body)
				}
				if tt.delivery == Confirmed {
					rejected := e.sum(t, "items_put", "outcome", "rejected")
					missing := 0
					for body := range sent {
						if !stored[body] && !back[body] {
							missing++
						}
					}
					assert.LessOrEqual(t, missing, rejected)
				}
			})
		})
	}
}
