// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// Small requests are stored soon, whatever their number is, with the default queue and a call that takes 15 ms. Requests arrive
// at random. The times are those from the receiver's call to the end of the PutRecords call.
func TestSmallRequestsAreStoredSoon(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rate   float64 // requests a second
		count  int
		median time.Duration // at most
	}{
		{"lone", 0.5, 40, 36 * time.Millisecond},
		{"200 a second", 200, 2000, 41 * time.Millisecond},
		{"1,000 a second", 1000, 5000, 41 * time.Millisecond},
		{"4,000 a second", 4000, 12_000, 31 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, c := newTestKinesis(16), plainConfig()
				c.Queue = defaultConfig().Queue
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(15*time.Millisecond)))
				e := startLogs(t, k, c)
				require.NoError(t, e.ConsumeLogs(t.Context(), oneResource("warm-up ", 1)))
				advance(5 * time.Second)

				random, start := rand.New(rand.NewPCG(1, 2)), time.Now()
				for range tt.count {
					advance(time.Duration(random.ExpFloat64() / tt.rate * float64(time.Second)))
					sent := strconv.FormatInt(int64(time.Since(start)), 10) + " "
					require.NoError(t, e.ConsumeLogs(t.Context(), oneResource(sent+strings.Repeat("x", 150)+" ", 10)))
				}
				advance(5 * time.Second)
				e.stop(t)
				assert.LessOrEqual(t, medianWait(t, k, start), tt.median)
			})
		})
	}
}

// medianWait returns the median time that log records took whose bodies begin with the time at which they were sent.
func medianWait(t *testing.T, k *kpltest.Kinesis, start time.Time) time.Duration {
	t.Helper()
	arrived := map[string]time.Time{}
	for _, r := range k.Records(testStream) {
		arrived[r.SequenceNumber] = r.Arrived
	}
	var waits []time.Duration
	for _, r := range k.UserRecords(testStream) {
		logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(r.Data)
		require.NoError(t, err)
		body, _, _ := strings.Cut(bodiesOf(logs)[0], " ")
		sent, err := strconv.ParseInt(body, 10, 64)
		if err != nil {
			continue // the first one
		}
		waits = append(waits, arrived[r.SequenceNumber].Sub(start.Add(time.Duration(sent))))
	}
	require.NotEmpty(t, waits)
	slices.Sort(waits)
	median := waits[len(waits)/2]
	t.Logf("median of %d: %v", len(waits), median)
	return median
}
