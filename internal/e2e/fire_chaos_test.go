// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// TestEverythingAtOnce lets three collectors write to a stream with few shards and the limits of the service. Shards are
// split and merged every second. Records, calls, connections and listings fail at random. Readers find exactly the items
// that the clients were told to be accepted, and the metrics of each collector count them. KINESIS_E2E_SEED chooses other
// faults.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	seed := uint64(1)
	if text := os.Getenv("KINESIS_E2E_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	for name, overrides := range map[string][]string{"keyless": nil, "keyed": {keyed}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everythingAtOnce(t, name, seed, append(overrides,
				"exporters::kinesis_kpl: {aggregation_max_size: 4000, collection_max_count: 20, request_timeout: 1s, record_ttl: 4s}"))
		})
	}
}

func everythingAtOnce(t *testing.T, name string, seed uint64, overrides []string) {
	t.Helper()
	const reshards = 15
	ctx := peers.Context(t)
	random := rand.New(rand.NewPCG(seed, 0))
	s := newService(t, kpltest.Config{Seed: seed, ShardLimits: true}, 2)
	s.trouble = badConnections(seed)
	s.up(t)
	endFaults := s.Inject(kpltest.All(
		kpltest.ForOperation(kpltest.OpPutRecords, kpltest.All(
			kpltest.Latency(10*time.Millisecond),
			kpltest.Fraction(0.05, kpltest.Break(kpltest.ConnectionCut)),
			kpltest.Fraction(0.03, kpltest.FailCall(kpltest.CodeInternalFailure)),
			kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.1),
			kpltest.FailRecordFraction(kpltest.CodeInternalFailure, 0.03))),
		kpltest.ForOperation(kpltest.OpListShards, kpltest.Fraction(0.3, kpltest.FailCall(kpltest.CodeInternalFailure)))))

	collectors, loads := make([]*collector, 3), make([]*load, 3)
	for i := range collectors {
		collectors[i] = startCollector(t, settings{kinesis: s.url(), overrides: overrides})
		loads[i] = startLoad(ctx, loadConfig{
			name: fmt.Sprintf("%s-%d", name, i), records: 20, textLength: 200, every: 20 * time.Millisecond,
		}, bothClients(t, collectors[i], 1)...)
	}
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for range reshards {
		<-second.C
		open := s.OpenShards(stream)
		at := random.IntN(len(open))
		var err error
		if neighbour := at + 1; neighbour < len(open) && (len(open) > 4 || random.IntN(2) == 0) {
			_, err = s.MergeShards(stream, open[at].ID, open[neighbour].ID)
		} else {
			_, _, err = s.SplitShard(stream, open[at].ID, "")
		}
		require.NoError(t, err)
	}
	for _, l := range loads {
		l.stop()
	}
	endFaults()

	total, found := s.allDeliveredBy(ctx, t, collectors, loads)
	t.Logf("seed %d: %d items accepted, %d duplicates, %d aggregates that readers drop",
		seed, total, duplicates(found), len(s.DroppedAggregates(stream)))
}

// badConnections resets some connections in the middle of a request, and sends some answers at one byte a second.
func badConnections(seed uint64) func(http.Handler) http.Handler {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 1))
	roll := func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return random.Float64()
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch chance := roll(); {
			case chance < 0.03:
				resetAmidBody(w, r)
			case chance < 0.05:
				drip(w, r, next)
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
}
