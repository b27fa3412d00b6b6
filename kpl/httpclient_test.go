// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

func TestHTTPClientIsMadeForUploads(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, 1, r.ProtoMajor)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	server.EnableHTTP2 = true // the service may do so too; the client must not offer it
	server.StartTLS()
	defer server.Close()
	dialed := false
	base := awshttp.NewBuildableClient().WithTimeout(time.Minute).WithTransportOptions(func(tr *http.Transport) {
		tr.TLSClientConfig.InsecureSkipVerify = true
		tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			dialed = true
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	})
	client, ok := NewHTTPClient(base, 7).(*http.Client)
	require.True(t, ok)
	defer client.CloseIdleConnections()
	assert.Equal(t, time.Minute, client.Timeout)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, http.NoBody)
	require.NoError(t, err)
	answer, err := client.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Equal(t, http.StatusTemporaryRedirect, answer.StatusCode)
	assert.True(t, dialed, "the dialer of the base is used")
	assert.Equal(t, uint16(tls.VersionTLS13), answer.TLS.Version)
}

// With a client certificate each connection has a session of its own, so that the certificate of the moment is shown.
func TestHTTPClientResumesNoSessionWithACertificate(t *testing.T) {
	for name, tt := range map[string]struct {
		tune func(*tls.Config)
		want bool
	}{
		"none":   {func(*tls.Config) {}, true},
		"static": {func(c *tls.Config) { c.Certificates = []tls.Certificate{{}} }, false},
		"read again": {func(c *tls.Config) {
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tls.Certificate{}, nil }
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Connection", "close") // so that each call makes its own
			}))
			defer server.Close()
			client := NewHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
				tr.TLSClientConfig.InsecureSkipVerify = true
				tt.tune(tr.TLSClientConfig)
			}), 1)
			resumed := false
			for range 2 {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, http.NoBody)
				require.NoError(t, err)
				answer, err := client.Do(r)
				require.NoError(t, err)
				_, err = io.Copy(io.Discard, answer.Body) // the session comes with it
				require.NoError(t, err)
				require.NoError(t, answer.Body.Close())
				resumed = answer.TLS.DidResume
			}
			assert.Equal(t, tt.want, resumed)
		})
	}
}

// countedConn counts its writes.
type countedConn struct {
	net.Conn

	writes *atomic.Int64
}

func (c countedConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// TLS has a record for 16 KiB. The client writes eight of them at a time.
func TestHTTPClientWritesSeveralTLSRecordsAtATime(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	var writes atomic.Int64
	client := NewHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.TLSClientConfig.InsecureSkipVerify = true
		tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return countedConn{c, &writes}, err
		}
	}), 1)
	const size = 2 << 20
	post := func() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, bytes.NewReader(make([]byte, size)))
		require.NoError(t, err)
		answer, err := client.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
	}
	post() // TLS starts with small records
	writes.Store(0)
	post()
	assert.LessOrEqual(t, writes.Load(), int64(size/(110<<10)))
	closer, ok := client.(interface{ CloseIdleConnections() })
	require.True(t, ok)
	closer.CloseIdleConnections()
}

func TestHTTPClientsOfOthersStayAsTheyAre(t *testing.T) {
	own := &http.Client{}
	assert.Same(t, own, NewHTTPClient(own, 1))
}

func TestHTTPClientWithoutABase(t *testing.T) {
	assert.IsType(t, &http.Client{}, NewHTTPClient(nil, 1))
	bare := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) { tr.TLSClientConfig = nil })
	assert.IsType(t, &http.Client{}, NewHTTPClient(bare, 1))
}

// A producer from NewFromConfig uses the client of NewHTTPClient, and leaves no connection behind.
func TestNewFromConfigHasItsOwnHTTPClient(t *testing.T) {
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: testStream, Shards: 1})
	handler, conns := k.Handler(), new(sync.Map)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, 1, r.ProtoMajor)
		handler.ServeHTTP(w, r)
	}))
	open := make(chan int, 100)
	server.Config.ConnState = func(c net.Conn, state http.ConnState) {
		switch state { //nolint:exhaustive // what opens and what ends
		case http.StateNew:
			conns.Store(c, true)
		case http.StateClosed:
			conns.Delete(c)
			left := 0
			conns.Range(func(any, any) bool { left++; return true })
			open <- left
		}
	}
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	trusting := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.TLSClientConfig.InsecureSkipVerify = true
	})
	config := aws.Config{Region: "eu-west-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: trusting}
	p, err := NewFromConfig(config, Config{RecordMaxBufferedTime: NoBuffering}, func(o *kinesis.Options) {
		o.BaseEndpoint = &server.URL
	})
	require.NoError(t, err)
	_, err = p.PutWait(t.Context(), sized("key", 200))
	require.NoError(t, err)
	require.NoError(t, p.Close(t.Context()))
	for <-open > 0 { //nolint:revive // until the last one is closed
	}
}

func TestNewFromConfigChecksTheConfig(t *testing.T) {
	_, err := NewFromConfig(aws.Config{}, Config{MaxConnections: -1})
	require.ErrorContains(t, err, "MaxConnections")
}

func TestNewFromConfigKeepsAForeignHTTPClient(t *testing.T) {
	recorder := &recordingHTTP{}
	p, err := NewFromConfig(aws.Config{
		Region: "eu-west-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: recorder,
	}, Config{RecordMaxBufferedTime: NoBuffering, RecordTTL: time.Millisecond})
	require.NoError(t, err)
	_, _ = p.PutWait(t.Context(), sized("key", 200))
	require.NoError(t, p.Close(t.Context()))
	assert.Positive(t, recorder.calls)
}
