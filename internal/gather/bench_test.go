//go:build unix

package gather_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkUpload is a request of 5 MiB over TLS on loopback, by itself and gathered. The server's part, in the same
// process, is in the CPU time of both.
func BenchmarkUpload(b *testing.B) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	body := make([]byte, 5<<20)
	for name, wrap := range map[string]func(*http.Transport) http.RoundTripper{"plain": plain, "gathered": gathering} {
		b.Run(name, func(b *testing.B) {
			transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
			client := http.Client{Transport: wrap(transport)}
			defer transport.CloseIdleConnections()
			b.SetBytes(int64(len(body)))
			start := cpuTime(b)
			for b.Loop() {
				r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL, bytes.NewReader(body))
				require.NoError(b, err)
				answer, err := client.Do(r)
				require.NoError(b, err)
				require.NoError(b, answer.Body.Close())
			}
			b.ReportMetric(float64(cpuTime(b)-start)/float64(time.Millisecond)/float64(b.N), "cpu-ms/op")
		})
	}
}

// cpuTime is what this process has used, user and system.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
