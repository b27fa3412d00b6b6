// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"crypto/tls"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/gather"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/plainbody"
)

// NewHTTPClient returns an HTTP client that is made for uploads, in place of the one that an [aws.Config] has.
// [NewFromConfig] uses it. A program that makes its own Client for [New] writes
//
//	awsConfig.HTTPClient = kpl.NewHTTPClient(awsConfig.HTTPClient, config.WithDefaults().MaxConnections)
//
// The client speaks HTTP/1.1. HTTP/2 would take one and a half times the CPU time, and all requests would share one flow
// control window. The client writes several TLS records at a time. It keeps up to the given number of idle connections, and
// follows no redirect. It resumes TLS sessions, unless base has a client certificate. The SDK's own client can lose an answer
// that arrives while the request is still being written; this client does not.
//
// Timeouts, proxy, dialer and certificates are those of base. That is a [*awshttp.BuildableClient], or nil for one with the
// SDK's defaults. Any other base is returned as it is.
func NewHTTPClient(base aws.HTTPClient, connections int) aws.HTTPClient {
	if client, made := newHTTPClient(base, connections); made {
		return client
	}
	return base
}

// newHTTPClient reports false if base is not the SDK's own client.
func newHTTPClient(base aws.HTTPClient, connections int) (*http.Client, bool) {
	if base == nil {
		base = awshttp.NewBuildableClient()
	}
	buildable, ok := base.(*awshttp.BuildableClient)
	if !ok {
		return nil, false
	}
	transport := buildable.GetTransport() // a copy, which is set up for HTTP/2
	transport.ForceAttemptHTTP2 = false
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	transport.TLSNextProto = nil
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	transport.TLSClientConfig.NextProtos = nil // it offers HTTP/2 besides, which the server would take
	if !showsCertificate(transport.TLSClientConfig) {
		transport.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(connections)
	}
	transport.MaxIdleConns = 0
	transport.MaxIdleConnsPerHost = connections + 1 // and one that lists shards
	return &http.Client{
		Transport:     plainbody.Transport{RoundTripper: gather.NewTransport(transport)},
		Timeout:       buildable.GetTimeout(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, true
}

// showsCertificate reports whether clients with that configuration show a certificate. A session that is resumed keeps the
// certificate with which it began, even if the client has another one by now.
func showsCertificate(c *tls.Config) bool {
	return c.GetClientCertificate != nil || len(c.Certificates) > 0
}
