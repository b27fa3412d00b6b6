// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package gather_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/gather"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// countedConn counts its writes, and fails from one of them on.
type countedConn struct {
	net.Conn

	writes *atomic.Int64
	fails  *atomic.Int64 // which write fails first; 0 for none
}

var errBroken = errors.New("broken")

func (c countedConn) Write(p []byte) (int, error) {
	if n := c.writes.Add(1); c.fails.Load() > 0 && n >= c.fails.Load() {
		return 0, errBroken
	}
	return c.Conn.Write(p)
}

// client is a client whose writes are counted.
type client struct {
	http.Client

	writes, fails atomic.Int64
}

func newClient(t *testing.T, wrap func(*http.Transport) http.RoundTripper) *client {
	t.Helper()
	c := &client{}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return countedConn{conn, &c.writes, &c.fails}, err
		},
	}
	c.Transport = wrap(transport)
	t.Cleanup(transport.CloseIdleConnections)
	return c
}

func gathering(t *http.Transport) http.RoundTripper { return gather.NewTransport(t) }
func plain(t *http.Transport) http.RoundTripper     { return t }

// post posts so many bytes, and checks that they arrive.
func (c *client) post(t *testing.T, address string, size int) error {
	t.Helper()
	body := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, struct{ io.Reader }{bytes.NewReader(body)})
	require.NoError(t, err)
	r.ContentLength = int64(size)
	answer, err := c.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.True(t, bytes.Equal(body, got), "%d bytes of %d", len(got), size)
	return nil
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = w.Write(body)
}

func TestBodiesArrive(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{
		"with TLS": httptest.NewTLSServer, "without TLS": httptest.NewServer,
	} {
		t.Run(name, func(t *testing.T) {
			server := start(http.HandlerFunc(echo))
			defer server.Close()
			c := newClient(t, gathering)
			for _, size := range []int{0, 1, 4_000, 4_096, 16 << 10, 100_000, 128 << 10, 128<<10 + 1, 1 << 20, 5 << 20} {
				t.Run(fmt.Sprint(size), func(t *testing.T) { require.NoError(t, c.post(t, server.URL, size)) })
			}
		})
	}
}

func TestBodiesArriveThroughAProxy(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer server.Close()
	var tunnels sync.WaitGroup
	proxy := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		there, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", r.Host)
		if !assert.NoError(t, err) {
			return
		}
		w.WriteHeader(http.StatusOK)
		here, buffered, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		tunnels.Go(func() { _, _ = io.Copy(there, buffered); _ = there.Close() })
		tunnels.Go(func() { _, _ = io.Copy(here, there); _ = here.Close() })
	}))
	defer proxy.Close()
	c := newClient(t, func(transport *http.Transport) http.RoundTripper {
		address, err := url.Parse(proxy.URL)
		require.NoError(t, err)
		transport.Proxy = http.ProxyURL(address)
		return gather.NewTransport(transport)
	})
	require.NoError(t, c.post(t, server.URL, 1<<20))
	before := c.writes.Load()
	require.NoError(t, c.post(t, server.URL, 5<<20))
	assert.LessOrEqual(t, c.writes.Load()-before, int64(60))
	c.CloseIdleConnections()
	server.CloseClientConnections()
	tunnels.Wait()
}

// TLS makes a record and a write for each 16 KiB. Gathered, there is a write for each 128 KiB.
func TestRecordsAreGathered(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer server.Close()
	writes := func(c *client, size int) int64 {
		require.NoError(t, c.post(t, server.URL, 1)) // the connection is there, and past the small records that TLS starts with
		require.NoError(t, c.post(t, server.URL, 2<<20))
		before := c.writes.Load()
		require.NoError(t, c.post(t, server.URL, size))
		return c.writes.Load() - before
	}
	assert.GreaterOrEqual(t, writes(newClient(t, plain), 5<<20), int64(5<<20/(16<<10)))
	assert.LessOrEqual(t, writes(newClient(t, gathering), 5<<20), int64(5<<20/(110<<10)))
	assert.LessOrEqual(t, writes(newClient(t, gathering), 10), int64(2), "a small request does not wait for more")
}

func TestManyRequestsAtATime(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer server.Close()
	c := newClient(t, gathering)
	var senders sync.WaitGroup
	for i := range 8 {
		senders.Go(func() {
			for j := range 10 {
				assert.NoError(t, c.post(t, server.URL, (i*37_411+j*91_823)%500_000))
			}
		})
	}
	senders.Wait()
}

// If a write of gathered records fails, the request fails soon, with the error of that write.
func TestFailedWrites(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer server.Close()
	for size, write := range map[int]int64{
		100_000: 1, // at the end of the request
		1 << 20: 3,
	} {
		c := newClient(t, gathering)
		require.NoError(t, c.post(t, server.URL, 1))
		c.fails.Store(c.writes.Load() + write)
		begun := time.Now()
		require.Error(t, c.post(t, server.URL, size))
		assert.Less(t, time.Since(begun), 20*time.Second, "nobody waits for an answer")
		c.fails.Store(0)
		require.NoError(t, c.post(t, server.URL, size), "the next request has another connection")
	}
}

// A server may answer before it has read the request, and close.
func TestAnEarlyAnswer(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	}))
	defer server.Close()
	c := newClient(t, gathering)
	for range 3 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, struct{ io.Reader }{
			bytes.NewReader(make([]byte, 20<<20)),
		})
		require.NoError(t, err)
		answer, err := c.Do(r)
		if err == nil { // it may be lost with the connection
			assert.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode)
			require.NoError(t, answer.Body.Close())
		}
	}
}

// A canceled request leaves nothing behind in a connection that another one gets.
func TestCanceledRequests(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer server.Close()
	c := newClient(t, gathering)
	for i := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, io.MultiReader(
			bytes.NewReader(make([]byte, i*40_000)), readerFunc(func([]byte) (int, error) { cancel(); return 0, io.EOF })))
		require.NoError(t, err)
		if answer, err := c.Do(r); err == nil {
			_ = answer.Body.Close()
		}
		cancel()
		require.NoError(t, c.post(t, server.URL, 50_000))
	}
}

// deafServer is a server that completes the handshake of TLS and then reads nothing.
func deafServer(t *testing.T) (address string) {
	t.Helper()
	certificates := httptest.NewTLSServer(nil)
	t.Cleanup(certificates.Close)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			assert.NoError(t, c.(*net.TCPConn).SetReadBuffer(4096))
			secured := tls.Server(c, certificates.TLS)
			connections.Go(func() { _ = secured.Handshake() })
			t.Cleanup(func() { _ = c.Close() })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		connections.Wait()
	})
	return "https://" + listener.Addr().String()
}

// A request ends with its context, also while the other side of a TLS connection reads nothing of it.
func TestRequestToAServerThatReadsNothing(t *testing.T) {
	address := deafServer(t)
	for _, size := range []int{40_000, 60_000, 90_000, 120_000, 300_000} {
		transport := &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := (&net.Dialer{}).DialContext(ctx, network, address)
				if err == nil {
					err = c.(*net.TCPConn).SetWriteBuffer(4096)
				}
				return c, err
			},
		}
		client := http.Client{Transport: gather.NewTransport(transport)}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, struct{ io.Reader }{bytes.NewReader(make([]byte, size))})
		require.NoError(t, err)
		r.ContentLength = int64(size)
		begun := time.Now()
		answer, err := client.Do(r) //nolint:bodyclose // there is none
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Nil(t, answer)
		assert.Less(t, time.Since(begun), 2*time.Second, "with a body of %d bytes", size)
		transport.CloseIdleConnections()
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
