// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// TestBrokenBodiesUnderLoad breaks connections in the middle of requests and of answers, and sends other answers at one byte a
// second. All accepted items can be read, and the metrics count all of them.
func TestBrokenBodiesUnderLoad(t *testing.T) {
	t.Parallel()
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{Seed: 1}, 3)
	var troubled, resets, drips atomic.Int64
	s.trouble = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch troubled.Add(1) % 10 {
			case 3:
				resets.Add(1)
				resetAmidBody(w, r)
			case 6:
				drips.Add(1)
				drip(w, r, next)
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
	s.up(t)
	endFaults := s.Inject(kpltest.ForOperation(kpltest.OpPutRecords,
		kpltest.Fraction(0.1, kpltest.Break(kpltest.ConnectionCut))))
	c := startCollector(t, settings{kinesis: s.url(), overrides: []string{
		"exporters::kinesis_kpl: {aggregation_max_size: 1000, collection_max_count: 5, request_timeout: 1s}", keyed,
	}})
	l := startLoad(ctx, loadConfig{name: "bodies", records: 20, every: 10 * time.Millisecond}, bothClients(t, c, 2)...)
	l.waitAccepted(ctx, t, 5_000)
	l.stop()
	endFaults()

	o := s.allDelivered(ctx, t, c, l)
	assert.Positive(t, resets.Load())
	assert.Positive(t, drips.Load())
	assert.Positive(t, o.metrics.sum("kinesis_kpl_errors_by_code", `error_code="ConnectionError"`))
	assert.Positive(t, o.metrics.sum("kinesis_kpl_errors_by_code", `error_code="RequestTimeout"`))
	t.Logf("%d items accepted, %d duplicates; %d requests reset, %d answers a byte a second",
		o.items, duplicates(o.found), resets.Load(), drips.Load())
}

// resetAmidBody reads half of a request and resets the connection.
func resetAmidBody(w http.ResponseWriter, r *http.Request) {
	_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
}

// drip handles a request, and sends one byte of the answer a second until the client gives up.
func drip(w http.ResponseWriter, r *http.Request, next http.Handler) {
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for i := range answer.Body.Bytes() {
		_, _ = w.Write(answer.Body.Bytes()[i : i+1])
		_ = http.NewResponseController(w).Flush()
		select {
		case <-second.C:
		case <-r.Context().Done():
			return
		}
	}
}
