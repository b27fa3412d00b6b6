// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func TestWitnessCounts(t *testing.T) {
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	records.AppendEmpty()
	records.AppendEmpty()
	encodedLogs, err := new(plog.ProtoMarshaler).MarshalLogs(logs)
	require.NoError(t, err)

	traces := ptrace.NewTraces()
	traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	encodedTraces, err := new(ptrace.ProtoMarshaler).MarshalTraces(traces)
	require.NoError(t, err)

	metrics := pmetric.NewMetrics()
	points := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().
		SetEmptyGauge().DataPoints()
	for range 3 {
		points.AppendEmpty()
	}
	encodedMetrics, err := new(pmetric.ProtoMarshaler).MarshalMetrics(metrics)
	require.NoError(t, err)

	tests := []struct {
		name, method, path string
		body               []byte
		status             int
		want               items
	}{
		{name: "logs", path: "/v1/logs", body: encodedLogs, status: http.StatusOK, want: items{Logs: 2}},
		{name: "traces", path: "/v1/traces", body: encodedTraces, status: http.StatusOK, want: items{Traces: 1}},
		{name: "metrics", path: "/v1/metrics", body: encodedMetrics, status: http.StatusOK, want: items{Metrics: 3}},
		{name: "malformed", path: "/v1/logs", body: []byte{0xff}, status: http.StatusBadRequest},
		{name: "elsewhere", path: "/v1/other", status: http.StatusNotFound},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := &witness{changed: make(chan struct{})}
			answer := httptest.NewRecorder()
			w.handler().ServeHTTP(answer,
				httptest.NewRequestWithContext(t.Context(), http.MethodPost, test.path, bytes.NewReader(test.body)))
			assert.Equal(t, test.status, answer.Code)
			assert.Equal(t, test.want, w.counts())
		})
	}
}

func TestWitnessListens(t *testing.T) {
	w, err := startWitness()
	require.NoError(t, err)
	defer w.stop()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.endpoint()+"/v1/logs", http.NoBody)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Equal(t, "application/x-protobuf", response.Header.Get("Content-Type"))
}

func TestWitnessWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{changed: make(chan struct{})}
		start := time.Now()
		go func() {
			for _, more := range []items{{Logs: 2}, {Traces: 1}, {Metrics: 1}} {
				<-time.NewTimer(time.Second).C
				w.add(more)
			}
		}()
		require.NoError(t, w.wait(t.Context(), items{Logs: 2, Traces: 1}))
		assert.Equal(t, 2*time.Second, time.Since(start))
		synctest.Wait()

		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, errors.New("too late"))
		defer cancel()
		require.EqualError(t, w.wait(ctx, items{Logs: 3}), "the collector passed on 2 log records, 1 spans, 1 data points "+
			"of 3 log records, 0 spans, 0 data points: too late")
		assert.Equal(t, 7*time.Second, time.Since(start))
	})
}
