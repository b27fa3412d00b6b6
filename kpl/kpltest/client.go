// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/plainbody"
)

// NewClient returns the SDK's client for a Kinesis that is served over HTTP at the URL endpoint, for example by a
// [net/http/httptest.Server] with [Kinesis.Handler]. The client signs with made-up credentials and does not retry. The caller
// closes the idle connections of transport.
func NewClient(endpoint string, transport *http.Transport) *kinesis.Client {
	return kinesis.New(kinesis.Options{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
		HTTPClient:   plainbody.Client{Doer: &http.Client{Transport: transport}},
		Retryer:      aws.NopRetryer{},
	})
}
