// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// request is an export request of OTLP.
type request struct {
	items    []string // see package peers
	path     string   // where OTLP/HTTP posts it
	protobuf func() ([]byte, error)
	export   func(ctx context.Context, connection *grpc.ClientConn) error
}

// newRequest makes a request of one signal with n items. They differ from the items of requests with other names.
type newRequest func(t *testing.T, name string, n int) request

// signals makes requests of each signal.
var signals = map[marshaler.Signal]newRequest{
	marshaler.Logs: func(t *testing.T, name string, n int) request {
		r := plogotlp.NewExportRequestFromLogs(peers.Logs(name, n))
		return request{
			peers.LogItems(t, r.Logs()), "/v1/logs", r.MarshalProto,
			func(ctx context.Context, connection *grpc.ClientConn) error {
				_, err := plogotlp.NewGRPCClient(connection).Export(ctx, r)
				return err
			},
		}
	},
	marshaler.Traces: func(t *testing.T, name string, n int) request {
		r := ptraceotlp.NewExportRequestFromTraces(peers.Traces(name, n))
		return request{
			peers.TraceItems(t, r.Traces()), "/v1/traces", r.MarshalProto,
			func(ctx context.Context, connection *grpc.ClientConn) error {
				_, err := ptraceotlp.NewGRPCClient(connection).Export(ctx, r)
				return err
			},
		}
	},
	marshaler.Metrics: func(t *testing.T, name string, n int) request {
		r := pmetricotlp.NewExportRequestFromMetrics(peers.Metrics(name, n))
		return request{
			peers.MetricItems(t, r.Metrics()), "/v1/metrics", r.MarshalProto,
			func(ctx context.Context, connection *grpc.ClientConn) error {
				_, err := pmetricotlp.NewGRPCClient(connection).Export(ctx, r)
				return err
			},
		}
	},
}

// send sends a request to a collector. An error means that the collector may not have accepted it.
type send func(ctx context.Context, r request) error

// grpcClient returns a client that speaks OTLP/gRPC and does not retry.
func grpcClient(t *testing.T, c *collector) send {
	t.Helper()
	connection, err := grpc.NewClient(c.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	return func(ctx context.Context, r request) error { return r.export(ctx, connection) }
}

// statusError is an answer over HTTP that is no success.
type statusError struct {
	status int
	body   string
}

func (e *statusError) Error() string { return fmt.Sprintf("HTTP status %d: %s", e.status, e.body) }

// httpClient returns a client that speaks OTLP/HTTP and does not retry.
func httpClient(t *testing.T, c *collector) send {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 10}
	t.Cleanup(transport.CloseIdleConnections)
	return func(ctx context.Context, r request) error {
		body, err := r.protobuf()
		if err != nil {
			return err
		}
		post, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.http+r.path, bytes.NewReader(body))
		if err != nil {
			return err
		}
		post.Header.Set("Content-Type", "application/x-protobuf")
		response, err := transport.RoundTrip(post)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = &statusError{response.StatusCode, string(answer)}
		}
		return err
	}
}

// storedItems returns how often a reader of the stream gets each item.
func storedItems(t *testing.T, k *kpltest.Kinesis) map[string]int {
	t.Helper()
	require.Empty(t, k.DroppedAggregates(stream))
	copies := map[string]int{}
	for _, r := range k.UserRecords(stream) {
		for _, item := range decode(t, r.Data) {
			copies[item]++
		}
	}
	return copies
}

// decode returns the items of an OTLP message of any signal.
func decode(t *testing.T, data []byte) []string {
	t.Helper()
	signal, encoding, ok := marshaler.Detect(data)
	require.True(t, ok)
	require.Equal(t, marshaler.OTLPProto, encoding)
	switch signal {
	case marshaler.Logs:
		logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(data)
		require.NoError(t, err)
		return peers.LogItems(t, logs)
	case marshaler.Traces:
		traces, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(data)
		require.NoError(t, err)
		return peers.TraceItems(t, traces)
	default:
		metrics, err := new(pmetric.ProtoUnmarshaler).UnmarshalMetrics(data)
		require.NoError(t, err)
		return peers.MetricItems(t, metrics)
	}
}
