// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExporterStatus(t *testing.T) {
	tests := []struct {
		name, answer string
		want         health
		fails        bool
	}{
		{
			name: "bad", want: health{Status: "StatusRecoverableError", Error: "no such stream"},
			answer: `{"status": "StatusRecoverableError", "components": {"pipeline:logs": {"components": {
				"exporter:kinesis_kpl": {"status": "StatusRecoverableError", "error": "no such stream"}}}}}`,
		},
		{name: "none", answer: `{"status": "StatusOK"}`, fails: true},
		{name: "no JSON", answer: `OK`, fails: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "socket")
			listener, err := new(net.ListenConfig).Listen(context.Background(), "unix", socket)
			require.NoError(t, err)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "/status?verbose", r.URL.String())
				_, _ = io.WriteString(w, test.answer)
			}))
			require.NoError(t, server.Listener.Close())
			server.Listener = listener
			server.Start()
			t.Cleanup(server.Close)
			found, err := exporterStatus(t.Context(), socket)
			assert.Equal(t, test.fails, err != nil, "%v", err)
			assert.Equal(t, test.want, found)
		})
	}
	_, err := exporterStatus(t.Context(), filepath.Join(t.TempDir(), "nobody"))
	assert.Error(t, err)
}
