// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/sink"
)

// measured runs the command with a collector that `make collectors` has built.
func measured(t *testing.T, args ...string) result.Run {
	t.Helper()
	built, err := filepath.Abs("../../../dist/bench")
	require.NoError(t, err)
	if _, err := os.Stat(filepath.Join(built, "kinesiskpl", "collector")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("there is no collector; `make collectors` builds it")
	}
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), append([]string{"collector", "-collectors", built}, args...), &stdout))
	var r result.Run
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &r))
	return r
}

// What is sent to a collector arrives at the service.
func TestPaced(t *testing.T) {
	server := httptest.NewServer(sink.New(4))
	defer server.Close()
	for _, protocol := range []string{"http", "grpc"} {
		for _, program := range []string{"nop", "kinesiskpl", "awskinesis"} {
			t.Run(protocol+" "+program, func(t *testing.T) {
				r := measured(t, "-collector", program, "-protocol", protocol, "-endpoint", server.URL, "-memory", "256MiB",
					"-items", "2000", "-warmup", "1000", "-rate", "20000")
				assert.Equal(t, 2000, r.Items)
				assert.Positive(t, r.CPU)
				assert.Greater(t, r.PeakKB, r.IdleKB)
				assert.Positive(t, r.IdleKB)
				if program != "nop" {
					assert.GreaterOrEqual(t, r.Sink.Bytes, r.Bytes)
				}
			})
		}
	}
}

// A collector whose service is down takes about as much telemetry as its queue has room for.
func TestFull(t *testing.T) {
	for _, down := range []string{unreachable, silent} {
		t.Run(down, func(t *testing.T) {
			t.Parallel()
			r := measured(t, "-collector", "kinesiskpl", "-protocol", "grpc", "-down", down)
			assert.Equal(t, queueSize, r.Queue)
			assert.InDelta(t, queueSize, r.Bytes, queueSize/4)
			assert.Greater(t, r.PeakKB, r.IdleKB)
		})
	}
}

func TestUnknownNames(t *testing.T) {
	for message, args := range map[string][]string{
		`there is no shape "logs"`:                               {"-shape", "logs"},
		`there is no collector "any"`:                            {"-collector", "any"},
		`a service cannot be "late", only unreachable or silent`: {"-down", "late"},
	} {
		err := run(t.Context(), append([]string{"collector"}, args...), t.Output())
		assert.EqualError(t, err, message)
	}
}
