// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

const exportLogs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

// export sends items of a signal with a client of the Collector.
func export(
	ctx context.Context, t testing.TB, c *grpc.ClientConn, signal marshaler.Signal, name string, n int, options ...grpc.CallOption,
) (items []string, err error) {
	t.Helper()
	switch signal {
	case marshaler.Logs:
		logs := peers.Logs(name, n)
		_, err = plogotlp.NewGRPCClient(c).Export(ctx, plogotlp.NewExportRequestFromLogs(logs), options...)
		return peers.LogItems(t, logs), err
	case marshaler.Traces:
		traces := peers.Traces(name, n)
		_, err = ptraceotlp.NewGRPCClient(c).Export(ctx, ptraceotlp.NewExportRequestFromTraces(traces), options...)
		return peers.TraceItems(t, traces), err
	default:
		metrics := peers.Metrics(name, n)
		_, err = pmetricotlp.NewGRPCClient(c).Export(ctx, pmetricotlp.NewExportRequestFromMetrics(metrics), options...)
		return peers.MetricItems(t, metrics), err
	}
}

func TestGRPCStoresEverySignal(t *testing.T) {
	for _, answer := range []string{confirmed, accepted} {
		for _, signal := range signals {
			for name, options := range map[string][]grpc.CallOption{"plain": nil, "gzip": {grpc.UseCompressor(gzip.Name)}} {
				t.Run(answer+signal.String()+name, func(t *testing.T) {
					fake := serveKinesis(t)
					p := start(t, nil, "-otlp-answer", answer)
					sent, err := export(t.Context(), t, p.dial(t), signal, "sent", 300, options...)
					require.NoError(t, err)
					if answer == confirmed {
						peers.RequireSameItems(t, sent, storedItems(t, fake, signal))
					}
					logged, err := p.end()
					require.NoError(t, err)
					assert.Len(t, logged, 1, "nothing but that it drains")
					peers.RequireSameItems(t, sent, storedItems(t, fake, signal))
				})
			}
		}
	}
}

func TestGRPCPartialSuccess(t *testing.T) {
	fake := serveKinesis(t)
	p := start(t, nil)
	all, small := logsWithLarge(5)
	response, err := plogotlp.NewGRPCClient(p.dial(t)).Export(t.Context(), plogotlp.NewExportRequestFromLogs(all))
	require.NoError(t, err)
	assert.EqualValues(t, 1, response.PartialSuccess().RejectedLogRecords())
	assert.Contains(t, response.PartialSuccess().ErrorMessage(), "the limit is 1048576")
	_, err = p.end()
	require.NoError(t, err)
	peers.RequireSameItems(t, peers.LogItems(t, small), storedItems(t, fake, marshaler.Logs))
}

// send sends bytes as a request. It works without a service at the other end.
func send(ctx context.Context, c *grpc.ClientConn, method string, request []byte) error {
	var response message
	response.pool = new(bodyPool)
	defer response.free()
	return c.Invoke(ctx, method, request, &response, grpc.ForceCodecV2(bytesCodec{}))
}

func TestGRPCBadRequests(t *testing.T) {
	serveKinesis(t)
	p := start(t, nil, "-otlp-max-body-mib", "1")
	c := p.dial(t)
	valid := newTelemetry(t, marshaler.Logs, "x", 5).proto
	for name, tt := range map[string]struct {
		method  string
		request []byte
		want    codes.Code
		message string
	}{
		"malformed":       {exportLogs, []byte("{}"), codes.InvalidArgument, "malformed"},
		"cut off":         {exportLogs, valid[:99], codes.InvalidArgument, "malformed"},
		"too large":       {exportLogs, make([]byte, 1<<20+1), codes.ResourceExhausted, "1048577 vs. 1048576"},
		"unknown service": {strings.Replace(exportLogs, "Logs", "Profiles", 1), valid, codes.Unimplemented, "unknown service"},
		"empty":           {exportLogs, nil, codes.OK, ""},
	} {
		err := send(t.Context(), c, tt.method, tt.request)
		assert.Equal(t, tt.want, status.Code(err), name)
		assert.Contains(t, status.Convert(err).Message(), tt.message, name)
		assert.Empty(t, status.Convert(err).Details(), name)
	}
	requireFreeMemory(t, p)
	_, err := p.end()
	require.NoError(t, err)
}

// requireFreeMemory fails the test if requests hold memory.
func requireFreeMemory(t *testing.T, p *program) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.HTTP+"/health", http.NoBody)
	require.NoError(t, err)
	response, err := newHTTPClient(t).Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var health struct {
		FreeBytes int `json:"free_bytes"`
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&health))
	assert.Equal(t, 64<<20, health.FreeBytes)
}

// While nothing can be stored, a request fails, and its client is told when to try again. Then it is stored once.
func TestGRPCBackPressure(t *testing.T) {
	fake := serveKinesis(t)
	fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Times(1, kpltest.FailCall(kpltest.CodeAccessDenied))))
	p := start(t, nil)
	c := p.dial(t)
	_, err := export(t.Context(), t, c, marshaler.Logs, "sent", 10)
	require.Equal(t, codes.Unavailable, status.Code(err), err)
	require.Len(t, status.Convert(err).Details(), 1)
	info, ok := status.Convert(err).Details()[0].(*errdetails.RetryInfo)
	require.True(t, ok)
	assert.Equal(t, retryTime, info.GetRetryDelay().AsDuration())
	sent, err := export(t.Context(), t, c, marshaler.Logs, "sent", 10)
	require.NoError(t, err)
	_, err = p.end()
	require.NoError(t, err)
	peers.RequireSameItems(t, sent, storedItems(t, fake, marshaler.Logs))
}

// A client that does not send its request in time gets an answer, and holds no memory any more.
func TestGRPCSlowClient(t *testing.T) {
	serveKinesis(t)
	p := start(t, func(c *config) { c.client = 200 * time.Millisecond })
	desc := &grpc.StreamDesc{ClientStreams: true}
	stream, err := p.dial(t).NewStream(t.Context(), desc, exportLogs, grpc.ForceCodecV2(bytesCodec{}))
	require.NoError(t, err)
	err = stream.RecvMsg(&message{pool: new(bodyPool)})
	assert.Equal(t, codes.Canceled, status.Code(err), err)
	requireFreeMemory(t, p)
	_, err = p.end()
	require.NoError(t, err)
}
