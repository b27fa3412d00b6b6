// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// items counts log records, spans and data points.
type items struct {
	Logs    int `json:"logs"`    // log records
	Traces  int `json:"traces"`  // spans
	Metrics int `json:"metrics"` // data points
}

func (i items) String() string {
	return fmt.Sprintf("%d log records, %d spans, %d data points", i.Logs, i.Traces, i.Metrics)
}

// witness is an OTLP/HTTP server that counts the items it is sent.
type witness struct {
	server   *http.Server
	listener net.Listener

	mu      sync.Mutex
	seen    items
	changed chan struct{} // closed and replaced when seen changes
}

// startWitness starts a witness on a free port of the loopback interface.
func startWitness() (*witness, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // Nothing is looked up.
	if err != nil {
		return nil, err
	}
	w := &witness{listener: listener, changed: make(chan struct{})}
	w.server = &http.Server{Handler: w.handler(), ReadHeaderTimeout: 10 * time.Second}
	go w.server.Serve(listener) //nolint:errcheck // It ends with stop, with http.ErrServerClosed.
	return w, nil
}

func (w *witness) endpoint() string { return "http://" + w.listener.Addr().String() }

func (w *witness) stop() { _ = w.server.Close() }

// handler takes each signal in OTLP's protobuf encoding.
func (w *witness) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/logs", w.receive(func(body []byte) (items, error) {
		request := plogotlp.NewExportRequest()
		err := request.UnmarshalProto(body)
		return items{Logs: request.Logs().LogRecordCount()}, err
	}))
	mux.HandleFunc("POST /v1/traces", w.receive(func(body []byte) (items, error) {
		request := ptraceotlp.NewExportRequest()
		err := request.UnmarshalProto(body)
		return items{Traces: request.Traces().SpanCount()}, err
	}))
	mux.HandleFunc("POST /v1/metrics", w.receive(func(body []byte) (items, error) {
		request := pmetricotlp.NewExportRequest()
		err := request.UnmarshalProto(body)
		return items{Metrics: request.Metrics().DataPointCount()}, err
	}))
	return mux
}

// receive counts the items of a request and then answers with success.
func (w *witness) receive(count func(body []byte) (items, error)) http.HandlerFunc {
	return func(answer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err == nil {
			var more items
			if more, err = count(body); err == nil {
				w.add(more)
				answer.Header().Set("Content-Type", "application/x-protobuf")
				return // An empty body is an empty Export*ServiceResponse.
			}
		}
		http.Error(answer, err.Error(), http.StatusBadRequest)
	}
}

func (w *witness) add(more items) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.Logs += more.Logs
	w.seen.Traces += more.Traces
	w.seen.Metrics += more.Metrics
	close(w.changed)
	w.changed = make(chan struct{})
}

// counts returns how many items were received.
func (w *witness) counts() items {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// wait waits until as many items of each signal as in want were received, or more. If ctx ends first, it returns an error.
func (w *witness) wait(ctx context.Context, want items) error {
	for {
		w.mu.Lock()
		seen, changed := w.seen, w.changed
		w.mu.Unlock()
		if seen.Logs >= want.Logs && seen.Traces >= want.Traces && seen.Metrics >= want.Metrics {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("the collector passed on %v of %v: %w", seen, want, context.Cause(ctx))
		}
	}
}
