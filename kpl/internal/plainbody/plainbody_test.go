// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package plainbody_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/plainbody"
)

// network keeps the last request, as an HTTP client and as a transport.
type network struct {
	last *http.Request
	idle int // calls of CloseIdleConnections
}

func (n *network) Do(r *http.Request) (*http.Response, error) {
	n.last = r
	return nil, http.ErrServerClosed
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) { return n.Do(r) }

func (n *network) CloseIdleConnections() { n.idle++ }

// faces are the ways to send a request over a network.
var faces = map[string]func(*network, *http.Request) (*http.Response, error){
	"Client": func(n *network, r *http.Request) (*http.Response, error) { return plainbody.Client{Doer: n}.Do(r) },
	"Transport": func(n *network, r *http.Request) (*http.Response, error) {
		return plainbody.Transport{RoundTripper: n}.RoundTrip(r)
	},
}

// writerBody is a body that can write itself.
type writerBody struct{ *bytes.Buffer }

func (writerBody) Close() error { return nil }

func TestBodiesAreReadersOnly(t *testing.T) {
	for name, send := range faces {
		t.Run(name, func(t *testing.T) {
			var n network
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://kinesis.invalid", http.NoBody)
			require.NoError(t, err)
			r.Body = writerBody{bytes.NewBufferString("body")}
			require.Implements(t, (*io.WriterTo)(nil), r.Body)

			_, err = send(&n, r) //nolint:bodyclose // there is no answer
			require.ErrorIs(t, err, http.ErrServerClosed)
			assert.NotImplements(t, (*io.WriterTo)(nil), n.last.Body)
			body, err := io.ReadAll(n.last.Body)
			require.NoError(t, err)
			assert.Equal(t, "body", string(body))
		})
	}
}

func TestNoBodyStaysNoBody(t *testing.T) {
	for name, send := range faces {
		t.Run(name, func(t *testing.T) {
			for _, none := range []io.ReadCloser{nil, http.NoBody} {
				var n network
				_, err := send(&n, &http.Request{Body: none}) //nolint:bodyclose // there is no answer
				require.ErrorIs(t, err, http.ErrServerClosed)
				assert.Equal(t, none, n.last.Body)
			}
		})
	}
}

func TestTransportLeavesTheRequestAsItIs(t *testing.T) {
	var n network
	body := writerBody{bytes.NewBufferString("body")}
	r := &http.Request{Body: body}
	_, err := plainbody.Transport{RoundTripper: &n}.RoundTrip(r) //nolint:bodyclose // there is no answer
	require.ErrorIs(t, err, http.ErrServerClosed)
	assert.Equal(t, body, r.Body)
}

func TestTransportClosesIdleConnections(t *testing.T) {
	var n network
	(&http.Client{Transport: plainbody.Transport{RoundTripper: &n}}).CloseIdleConnections()
	assert.Equal(t, 1, n.idle)
}
