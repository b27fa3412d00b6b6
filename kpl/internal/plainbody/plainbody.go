// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package plainbody keeps net/http from losing answers to the AWS SDK's requests.
//
// The SDK's request body has a WriteTo method that fails once the body is closed. The SDK closes the body when the answer
// arrives. If net/http is still inside WriteTo then, it takes the connection for broken and drops the answer, though the
// service has stored the records. With a body that has no WriteTo, net/http does not do so.
package plainbody

import (
	"io"
	"net/http"
)

// Doer is an HTTP client as the SDK takes one.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Client is an HTTP client that hides all methods of a request's body but Read and Close.
type Client struct{ Doer }

// Do carries a request out.
func (c Client) Do(r *http.Request) (*http.Response, error) {
	r.Body = plain(r.Body)
	return c.Doer.Do(r)
}

// RoundTripper is the transport that [Transport] builds upon.
type RoundTripper interface {
	http.RoundTripper

	CloseIdleConnections()
}

// Transport does the same as [Client], below an [http.Client].
type Transport struct{ RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	changed := *r // a RoundTripper must not change the request
	changed.Body = plain(r.Body)
	return t.RoundTripper.RoundTrip(&changed)
}

// plain hides what else a body can do. No body stays no body.
func plain(body io.ReadCloser) io.ReadCloser {
	if body == nil || body == http.NoBody {
		return body
	}
	return struct{ io.ReadCloser }{body}
}
