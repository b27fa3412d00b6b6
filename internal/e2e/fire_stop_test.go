// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// grace is how long an orchestrator such as Kubernetes waits between SIGTERM and SIGKILL.
const grace = 30 * time.Second

// TestKilledWithStorageLosesNothing kills the collector while its queue is full and requests are in flight. Some of these
// are stored but not answered. Then it starts another collector with the same storage. All accepted items are delivered.
// Items that were in flight are delivered twice.
func TestKilledWithStorageLosesNothing(t *testing.T) {
	t.Parallel()
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{}, 3)
	s.up(t)
	fast := s.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.All(
		kpltest.Latency(50*time.Millisecond), kpltest.Fraction(0.3, kpltest.Break(kpltest.ConnectionHangsStored)))))
	set := settings{kinesis: s.url(), overrides: withStorage(t.TempDir())}
	killed := startCollector(t, set)
	l := startLoad(ctx, loadConfig{name: "killed", records: 5, every: time.Millisecond}, bothClients(t, killed, 2)...)
	l.waitAccepted(ctx, t, 2_000)
	require.NotEmpty(t, s.Records(stream))
	killed.Kill(t)
	l.stop()
	items, failed := l.counts()
	require.Positive(t, failed)
	left := lost(copies(t, s.Kinesis), l)
	require.NotEmpty(t, left, "nothing was in flight")

	fast()
	restarted := startCollector(t, set)
	restarted.drained(ctx, t)
	assert.Contains(t, restarted.Output(), "Moved items for dispatching back to queue")
	found := copies(t, s.Kinesis)
	assert.Empty(t, lost(found, l))
	assert.Positive(t, duplicates(found))
	t.Logf("%d items accepted, %d of them only delivered after the restart, %d duplicates",
		items, len(left), duplicates(found))
}

// TestShutdownUnderLoadWithStorageLosesNothing ends the collector under load. All accepted items are in the stream, or in
// the storage of the next collector.
func TestShutdownUnderLoadWithStorageLosesNothing(t *testing.T) {
	t.Parallel()
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{Seed: 1}, 3)
	s.up(t)
	s.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.All(
		kpltest.Latency(20*time.Millisecond), kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.1))))
	set := settings{kinesis: s.url(), overrides: withStorage(t.TempDir())}
	first := startCollector(t, set)
	l := startLoad(ctx, loadConfig{name: "term", records: 5, every: time.Millisecond}, bothClients(t, first, 2)...)
	l.waitAccepted(ctx, t, 2_000)
	took := first.end(ctx, t)
	l.stop()
	assert.Less(t, took, first.slowed(grace))

	second := startCollector(t, set)
	second.drained(ctx, t)
	found := copies(t, s.Kinesis)
	items, _ := l.counts()
	assert.Empty(t, lost(found, l))
	t.Logf("%d items accepted, %d duplicates; SIGTERM took %v", items, duplicates(found), took)
}

// end sends SIGTERM and waits until the collector has ended without an error. It returns how long that took.
func (c *collector) end(ctx context.Context, t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	c.Terminate(t)
	require.NoError(t, c.Wait(ctx, t))
	assert.Contains(t, c.Output(), "Shutdown complete.")
	return time.Since(began)
}

// TestShutdownDuringOutageWithStorage ends the collector while the endpoint is down. The collector ends within the
// record_ttl, and the next one delivers everything.
func TestShutdownDuringOutageWithStorage(t *testing.T) {
	t.Parallel()
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{}, 3)
	set := settings{kinesis: s.url(), overrides: append(impatient(), withStorage(t.TempDir())...)}
	first := startCollector(t, set)
	l := startLoad(ctx, loadConfig{name: "kept", records: 5, every: time.Millisecond}, bothClients(t, first, 1)...)
	l.waitAccepted(ctx, t, 1_000)
	l.stop()
	took := first.end(ctx, t)
	assert.Less(t, took, impatientTTL+first.slowed(3*time.Second), "one life of a record, not one after the other")

	s.up(t)
	second := startCollector(t, set)
	second.drained(ctx, t)
	found := copies(t, s.Kinesis)
	items, failed := l.counts()
	assert.Zero(t, failed)
	assert.Empty(t, lost(found, l))
	assert.Equal(t, items, second.scrape(ctx, t).success())
	t.Logf("%d items accepted, %d duplicates; SIGTERM took %v", items, duplicates(found), took)
}

// TestShutdownDuringOutageWithoutStorage ends the collector while the endpoint is down and there is no storage. The
// collector ends within the record_ttl, no matter how much it holds. The metrics and the log count each lost item.
func TestShutdownDuringOutageWithoutStorage(t *testing.T) {
	t.Parallel()
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{}, 3)
	last := newMetricSink(t)
	c := startCollector(t, settings{kinesis: s.url(), overrides: append(impatient(),
		"service::telemetry::logs::sampling::enabled: false",
		"service::telemetry::metrics::readers: [{periodic: {interval: 600000, exporter: {otlp: "+
			"{protocol: http/protobuf, endpoint: '"+last.url+"', temporality_preference: cumulative}}}}]",
	)})
	l := startLoad(ctx, loadConfig{name: "lost", records: 5, every: time.Millisecond}, bothClients(t, c, 1)...)
	l.waitAccepted(ctx, t, 2_000)
	l.stop()
	took := c.end(ctx, t)
	assert.Less(t, took, impatientTTL+c.slowed(3*time.Second), "one life of a record, not one after the other")

	items, failed := l.counts()
	assert.Zero(t, failed)
	assert.Equal(t, items, last.sum("otelcol_receiver_accepted_log_records"))
	assert.Equal(t, items, last.sum("otelcol_exporter_send_failed_log_records"))
	dropped := 0
	for _, match := range regexp.MustCompile(`Dropping data.*"dropped_items": (\d+)`).FindAllStringSubmatch(c.Output(), -1) {
		n, err := strconv.Atoi(match[1])
		require.NoError(t, err)
		dropped += n
	}
	assert.Equal(t, items, dropped, "by the log")
	t.Logf("%d items accepted and lost; SIGTERM took %v", items, took)
}

// metricSink receives the metrics that a collector pushes. The last ones come when the collector ends.
type metricSink struct {
	url string

	mu   sync.Mutex
	last pmetric.Metrics
}

func newMetricSink(t *testing.T) *metricSink {
	t.Helper()
	m := &metricSink{last: pmetric.NewMetrics()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request := pmetricotlp.NewExportRequest()
		if err != nil || request.UnmarshalProto(body) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.last = request.Metrics()
	}))
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

// sum adds up the last values of a counter of integers.
func (m *metricSink) sum(name string) (total int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, resource := range m.last.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				if metric.Name() != name || metric.Type() != pmetric.MetricTypeSum {
					continue
				}
				for _, point := range metric.Sum().DataPoints().All() {
					total += int(point.IntValue())
				}
			}
		}
	}
	return total
}
