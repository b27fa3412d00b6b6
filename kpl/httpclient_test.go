package kpl

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/gather"
)

func TestHTTPClientIsMadeForUploads(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, 1, r.ProtoMajor)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	server.EnableHTTP2 = true // as the service may: what the client does not speak it must not offer
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
	assert.IsType(t, gather.Transport{}, client.Transport)

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, http.NoBody)
	require.NoError(t, err)
	answer, err := client.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Equal(t, http.StatusTemporaryRedirect, answer.StatusCode)
	assert.True(t, dialed, "the dialer of the base is used")
	assert.Equal(t, uint16(tls.VersionTLS13), answer.TLS.Version)
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
