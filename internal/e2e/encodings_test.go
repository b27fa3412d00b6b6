// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"testing"

	"github.com/jaegertracing/jaeger-idl/model/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// TestEncodings gives each signal an encoding that is not the exporter's own: bodies, spans of Jaeger, and what contrib's
// encoding extension makes.
func TestEncodings(t *testing.T) {
	ctx := peers.Context(t)
	k, endpoint := newKinesis(t, kpltest.Config{})
	c := startCollector(t, settings{kinesis: endpoint, overrides: []string{
		"exporters::kinesis_kpl::logs::encoding: raw",
		"exporters::kinesis_kpl::traces::encoding: jaeger_proto",
		"exporters::kinesis_kpl::metrics::encoding: otlp_encoding/json",
		"extensions::otlp_encoding/json::protocol: otlp_json",
		"service::extensions: [otlp_encoding/json]",
	}})
	const each = 100
	for s, request := range signals {
		require.NoError(t, grpcClient(t, c)(ctx, request(t, s.String(), each)))
	}
	c.Terminate(t)
	require.NoError(t, c.Wait(ctx, t))
	found := map[marshaler.Signal]int{}
	for _, record := range k.UserRecords(stream) {
		var span model.Span
		switch {
		case json.Valid(record.Data):
			metrics, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(record.Data)
			require.NoError(t, err)
			found[marshaler.Metrics] += metrics.DataPointCount()
		case span.Unmarshal(record.Data) == nil && span.Process != nil:
			found[marshaler.Traces]++
		default:
			assert.Regexp(t, `^logs: log record \d+$`, string(record.Data))
			found[marshaler.Logs]++
		}
	}
	assert.Equal(t, map[marshaler.Signal]int{marshaler.Logs: each, marshaler.Traces: each, marshaler.Metrics: each}, found)
}

// TestEncodingExtensionIsMissing starts the collector with an extension that is configured, but not named in service::extensions.
// The collector does not start, and says what to do.
func TestEncodingExtensionIsMissing(t *testing.T) {
	ctx := peers.Context(t)
	s := settings{
		kinesis: "http://127.0.0.1:1",
		env: map[string]string{
			"E2E_GRPC_ADDRESS": "127.0.0.1:0", "E2E_HTTP_ADDRESS": "127.0.0.1:0", "E2E_METRICS_PORT": "0",
		},
		overrides: []string{
			"exporters::kinesis_kpl::logs::encoding: otlp_encoding/json",
			"extensions::otlp_encoding/json::protocol: otlp_json",
		},
	}
	p := peers.Start(t, command(t, s, s.configArgs()...))
	require.Error(t, p.Wait(ctx, t))
	assert.Contains(t, p.Output(), `logs::encoding "otlp_encoding/json" is neither built in nor an extension of this Collector`)
}
