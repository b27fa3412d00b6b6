// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

const gatewayStream = "events"

// gateway is a running examples/otlpgateway, which stores in a fake, and a client of it: the SDK for Go.
type gateway struct {
	*Process

	fake       *kpltest.Kinesis
	sdk        string // the program
	http, grpc string // addresses
}

// startGateway builds and starts the gateway, and builds its client.
func startGateway(ctx context.Context, t *testing.T, args ...string) *gateway {
	t.Helper()
	g := &gateway{
		fake: kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{Name: gatewayStream, Shards: 3}),
		sdk:  buildGo(ctx, t, filepath.Join(Root(t), "testdata", "peers", "otelsdk"), ".", "GOWORK=off"),
	}
	server := httptest.NewServer(g.fake.Handler())
	t.Cleanup(server.Close)
	cmd := exec.Command(buildGo(ctx, t, Root(t), "./examples/otlpgateway"), append(args, "-kinesis-stream", gatewayStream,
		"-kinesis-endpoint", server.URL, "-otlp-http-address", "127.0.0.1:0", "-otlp-grpc-address", "127.0.0.1:0")...)
	cmd.Env = cmd.Environ()
	for key, value := range Environment() {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	g.Process = Start(t, cmd)
	var listening struct {
		HTTP string `json:"http_address"`
		GRPC string `json:"grpc_address"`
	}
	require.NoError(t, json.Unmarshal([]byte(g.WaitLine(ctx, t, `"listening"`)), &listening))
	g.http, g.grpc = listening.HTTP, listening.GRPC
	return g
}

// buildGo builds a program from a package of a module, and returns its path.
func buildGo(ctx context.Context, t *testing.T, module, pkg string, environment ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, pkg)
	build.Dir = module
	build.Env = append(build.Environ(), environment...)
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return path
}

// send starts a client that sends items of a signal.
func (g *gateway) send(t *testing.T, protocol, signal, compression, name string, items int, args ...string) *Process {
	t.Helper()
	address := g.http
	if protocol == "grpc" {
		address = g.grpc
	}
	cmd := exec.Command(g.sdk, append(args,
		"-protocol", protocol, "-signal", signal, "-name", name, "-items", strconv.Itoa(items))...)
	const minute = "60000" // in milliseconds: by default, the SDK would give up before it tries again on a busy machine
	cmd.Env = append(cmd.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+address,
		"OTEL_EXPORTER_OTLP_COMPRESSION="+compression,
		"OTEL_EXPORTER_OTLP_TIMEOUT="+minute, "OTEL_BLRP_EXPORT_TIMEOUT="+minute)
	return Start(t, cmd)
}

// end ends the gateway. It must have delivered all that it accepted.
func (g *gateway) end(ctx context.Context, t *testing.T) {
	t.Helper()
	g.Terminate(t)
	require.NoError(t, g.Wait(ctx, t))
}

// stored counts the items in the stream by their names.
func (g *gateway) stored(t *testing.T) map[string]int {
	t.Helper()
	names := map[string]int{}
	for _, record := range g.fake.UserRecords(gatewayStream) {
		countNames(t, record.Data, names)
	}
	return names
}

// countNames counts the items of a message.
func countNames(t *testing.T, message []byte, names map[string]int) {
	t.Helper()
	signal, _, ok := marshaler.Detect(message)
	require.True(t, ok)
	switch signal {
	case marshaler.Logs:
		logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(message)
		require.NoError(t, err)
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					names[record.Body().AsString()]++
				}
			}
		}
	case marshaler.Traces:
		traces, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(message)
		require.NoError(t, err)
		for _, resource := range traces.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, span := range scope.Spans().All() {
					names[span.Name()]++
				}
			}
		}
	case marshaler.Metrics:
		metrics, err := new(pmetric.ProtoUnmarshaler).UnmarshalMetrics(message)
		require.NoError(t, err)
		for _, resource := range metrics.ResourceMetrics().All() {
			for _, scope := range resource.ScopeMetrics().All() {
				for _, metric := range scope.Metrics().All() {
					for _, point := range metric.Sum().DataPoints().All() {
						name, _ := point.Attributes().Get("name")
						names[name.AsString()]++
					}
				}
			}
		}
	case marshaler.Profiles:
		require.Fail(t, "the gateway takes no profiles")
	}
}

// once returns the names of items that were sent, each of which is stored once.
func once(name string, items int) map[string]int {
	names := map[string]int{}
	for i := range items {
		names[fmt.Sprint(name, " ", i)] = 1
	}
	return names
}

// TestOTLPGatewayTakesWhatTheSDKSends sends each signal over each protocol, with and without compression, in both modes.
func TestOTLPGatewayTakesWhatTheSDKSends(t *testing.T) {
	const items = 500
	ctx := Context(t)
	for _, answer := range []string{"confirmed", "accepted"} {
		g := startGateway(ctx, t, "-otlp-answer", answer)
		want := map[string]int{}
		for _, protocol := range []string{"http", "grpc"} {
			for _, signal := range []string{"logs", "traces", "metrics"} {
				for _, compression := range []string{"none", "gzip"} {
					name := fmt.Sprint(protocol, signal, compression)
					client := g.send(t, protocol, signal, compression, name, items)
					require.NoError(t, client.Wait(ctx, t), client.Output())
					assert.Empty(t, client.Output())
					maps.Copy(want, once(name, items))
				}
			}
		}
		g.end(ctx, t)
		assert.Equal(t, want, g.stored(t), answer)
	}
}

// TestOTLPGatewayTellsTheSDKOfDrops sends a log record that is too large, among others. The SDK reports a partial success.
func TestOTLPGatewayTellsTheSDKOfDrops(t *testing.T) {
	ctx := Context(t)
	g := startGateway(ctx, t)
	want := map[string]int{}
	for _, protocol := range []string{"http", "grpc"} {
		client := g.send(t, protocol, "logs", "gzip", protocol, 10, "-large", "1100000")
		_ = client.Wait(ctx, t) // The SDK reports a partial success as an error of the flush, or to its error handler.
		assert.Contains(t, client.Output(), "the limit is 1048576 (1 logs rejected)")
		maps.Copy(want, once(protocol, 10))
	}
	g.end(ctx, t)
	assert.Equal(t, want, g.stored(t))
}

// TestSDKRetriesWhatTheGatewayDoesNotTake has a service that is down when the data comes. The gateway tells the clients to try
// again. They do so, and all data is stored once when the service is up again.
func TestSDKRetriesWhatTheGatewayDoesNotTake(t *testing.T) {
	ctx := Context(t)
	for _, protocol := range []string{"http", "grpc"} {
		g := startGateway(ctx, t, "-otlp-timeout", "6s")
		repair := g.fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Break(kpltest.ConnectionReset)))
		client := g.send(t, protocol, "logs", "none", protocol, 10)
		g.WaitLine(ctx, t, `"requests not taken"`)
		repair()
		require.NoError(t, client.Wait(ctx, t), client.Output())
		g.end(ctx, t)
		assert.Equal(t, once(protocol, 10), g.stored(t))
	}
}

// TestOTLPGatewayKeepsWhatItTook ends the gateway while clients of the SDK send. All items of exports that succeeded are stored.
func TestOTLPGatewayKeepsWhatItTook(t *testing.T) {
	const clients, items = 8, 20_000
	ctx := Context(t)
	g := startGateway(ctx, t)
	g.fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(5*time.Millisecond)))
	var running []*Process
	for i := range clients {
		protocol := []string{"http", "grpc"}[i%2]
		running = append(running, g.send(t, protocol, "logs", "none", fmt.Sprint("client ", i), items, "-batch", "100"))
	}
	require.NoError(t, g.fake.WaitCalls(ctx, kpltest.OpPutRecords, 20))
	g.end(ctx, t)
	stored, exported := g.stored(t), 0
	for _, client := range running {
		_ = client.cmd.Process.Kill() // It tries again for a minute, or has ended.
		<-client.exited
		for line := range strings.Lines(client.Output()) {
			if name, ok := strings.CutPrefix(strings.TrimSpace(line), "exported: "); ok {
				assert.Positive(t, stored[name], name)
				exported++
			}
		}
	}
	t.Logf("%d items exported, %d stored", exported, len(stored))
	assert.Positive(t, exported)
}
