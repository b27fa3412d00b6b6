// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// TestEndpointThatChangesUnderLoad puts something else in the place of the service while clients send: an endpoint without CBOR,
// or a proxy that answers with a page. No accepted item is lost.
func TestEndpointThatChangesUnderLoad(t *testing.T) {
	t.Parallel()
	const page = "<html><h1>Something else is here</h1></html>"
	answers := func(status int, contentType, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter)
		when   func(r *http.Request) bool
		lasts  time.Duration // zero means for ever
	}{
		"JSON only": {
			answers(400, "application/x-amz-json-1.1", `{"__type":"SerializationException"}`),
			func(r *http.Request) bool { return strings.Contains(r.Header.Get("Content-Type"), "cbor") }, 6 * time.Second,
		},
		"413":        {answers(413, "text/html", page), func(*http.Request) bool { return true }, 3 * time.Second},
		"40 kB":      {answers(413, "text/html", page), func(r *http.Request) bool { return r.ContentLength > 40_000 }, 0},
		"a page":     {answers(200, "text/html", page), func(*http.Request) bool { return true }, 3 * time.Second},
		"a firewall": {answers(403, "text/html", page), func(*http.Request) bool { return true }, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := peers.Context(t)
			s := newService(t, kpltest.Config{Seed: 1}, 3)
			var changed atomic.Bool
			var answered atomic.Int64
			s.trouble = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if changed.Load() && strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutRecords") && tt.when(r) {
						answered.Add(1)
						_, _ = io.Copy(io.Discard, r.Body)
						tt.answer(w)
						return
					}
					next.ServeHTTP(w, r)
				})
			}
			s.up(t)
			c := startCollector(t, settings{kinesis: s.url()})
			l := startLoad(ctx, loadConfig{name: "endpoint", records: 1000, every: 60 * time.Millisecond}, bothClients(t, c, 2)...)
			l.waitAccepted(ctx, t, 3_000)
			changed.Store(true)
			if tt.lasts > 0 {
				timer := time.NewTimer(tt.lasts)
				<-timer.C
				changed.Store(false)
			}
			items, _ := l.counts()
			l.waitAccepted(ctx, t, items+20_000)
			l.stop()
			o := s.allDelivered(ctx, t, c, l)
			assert.Positive(t, answered.Load())
			assert.Zero(t, o.metrics.sum("kinesis_kpl_items_put", `outcome="rejected"`))
			t.Logf("%d items accepted, %d duplicates; %d calls met with it", o.items, duplicates(o.found), answered.Load())
		})
	}
}
