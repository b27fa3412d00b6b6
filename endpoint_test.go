// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// dialedHosts returns the addresses that an exporter connects to when it has data, with the client that collectors have.
func dialedHosts(t *testing.T, c *Config) []string {
	t.Helper()
	var mu sync.Mutex
	var addresses []string // guarded by mu
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	c.Producer.RecordTTL, c.Producer.RecordMaxBufferedTime = 100*time.Millisecond, time.Millisecond
	e := newRig(t, newFactory(func(ctx context.Context, c *Config, log *zap.Logger) (kpl.Client, func(), error) {
		return connectThrough(ctx, c, log, func(tr *http.Transport) {
			tr.Proxy = nil
			tr.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
				mu.Lock()
				defer mu.Unlock()
				addresses = append(addresses, address)
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
			}
		})
	}), c)
	require.NoError(t, e.Start(t.Context(), e.host))
	require.Error(t, e.ConsumeLogs(t.Context(), logsOf("a")))
	e.stop(t)
	mu.Lock()
	defer mu.Unlock()
	return addresses
}
