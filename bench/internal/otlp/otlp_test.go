// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package otlp_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/otlp"
)

// receiver answers requests as collectors do.
type receiver struct {
	plogotlp.UnimplementedGRPCServer

	records int        // that it got
	code    codes.Code // of its answers
	drops   int64      // how many log records it says it has dropped
}

// Export answers a request over gRPC.
func (r *receiver) Export(_ context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	r.records += request.Logs().LogRecordCount()
	response := plogotlp.NewExportResponse()
	if r.drops > 0 {
		response.PartialSuccess().SetRejectedLogRecords(r.drops)
		response.PartialSuccess().SetErrorMessage("too old")
	}
	if r.code != codes.OK {
		return response, status.Error(r.code, "no")
	}
	return response, nil
}

// ServeHTTP answers a request over HTTP.
func (r *receiver) ServeHTTP(w http.ResponseWriter, from *http.Request) {
	body, err := io.ReadAll(from.Body)
	request := plogotlp.NewExportRequest()
	if err != nil || from.URL.Path != "/v1/logs" || request.UnmarshalProto(body) != nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	response, err := r.Export(from.Context(), request)
	if err != nil {
		w.WriteHeader(map[codes.Code]int{
			codes.Unavailable: http.StatusServiceUnavailable, codes.ResourceExhausted: http.StatusTooManyRequests,
			codes.InvalidArgument: http.StatusBadRequest,
		}[r.code])
		return
	}
	answer, err := response.MarshalProto()
	if err == nil {
		_, _ = w.Write(answer)
	}
}

// serve serves r, and returns the address.
func serve(t *testing.T, protocol string, r *receiver) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error)
	if protocol == otlp.HTTP {
		server := &http.Server{Handler: r}
		go func() { ended <- server.Serve(listener) }()
		t.Cleanup(func() {
			assert.NoError(t, server.Close())
			assert.ErrorIs(t, <-ended, http.ErrServerClosed)
		})
		return listener.Addr().String()
	}
	server := grpc.NewServer()
	plogotlp.RegisterGRPCServer(server, r)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		assert.NoError(t, <-ended)
	})
	return listener.Addr().String()
}

func TestSend(t *testing.T) {
	body, err := load.Requests(load.Lone(), 1, 1)[0].Marshal(load.Lone())
	require.NoError(t, err)
	for _, protocol := range []string{otlp.HTTP, otlp.GRPC} {
		t.Run(protocol, func(t *testing.T) {
			var r receiver
			connection, err := otlp.Dial(protocol, serve(t, protocol, &r))
			require.NoError(t, err)
			defer func() { assert.NoError(t, connection.Close()) }()

			require.NoError(t, connection.Send(t.Context(), body))
			assert.Equal(t, 10, r.records)
			for _, code := range []codes.Code{codes.Unavailable, codes.ResourceExhausted} {
				r.code = code
				require.ErrorIs(t, connection.Send(t.Context(), body), otlp.ErrFull)
			}
			r.code = codes.InvalidArgument
			err = connection.Send(t.Context(), body)
			require.Error(t, err)
			require.NotErrorIs(t, err, otlp.ErrFull)
			r.code, r.drops = codes.OK, 3
			require.EqualError(t, connection.Send(t.Context(), body), "the collector has dropped 3 log records: too old")

			canceled, cancel := context.WithCancel(t.Context())
			cancel()
			require.ErrorIs(t, connection.Send(canceled, body), context.Canceled)
		})
	}
}

func TestUnknownProtocol(t *testing.T) {
	_, err := otlp.Dial("udp", "127.0.0.1:1")
	assert.EqualError(t, err, `there is no protocol "udp", only http and grpc`)
}
