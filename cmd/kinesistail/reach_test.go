// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// deserted is an HTTP client that finds nobody to connect to after a number of answers.
type deserted struct {
	answers int
	next    inProcess
	failed  int
}

var errDeserted = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

func (c *deserted) Do(r *http.Request) (*http.Response, error) {
	if c.answers == 0 {
		c.failed++
		return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: errDeserted}
	}
	c.answers--
	return c.next.Do(r)
}

// An endpoint that never answered gets few tries. One that answered before gets as many as any other fault.
func TestTriesOfAnUnreachableEndpoint(t *testing.T) {
	for name, test := range map[string]struct{ answers, want int }{
		"never answered":  {0, maxFirstAttempts},
		"answered before": {1, maxAttempts},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
				network := &deserted{answers: test.answers, next: inProcess{k.Handler()}}
				r := &reader{stream: stream, client: kinesis.New(kinesis.Options{
					BaseEndpoint: aws.String("https://kinesis.invalid"),
					Region:       "us-east-1",
					Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
					HTTPClient:   network,
					Retryer:      newRetryer(),
				})}
				start := time.Now()
				err := explain(r.read(t.Context(), new(collector).handle))
				require.ErrorIs(t, err, errDeserted)
				require.ErrorContains(t, err, "no answer from https://kinesis.invalid/: check -endpoint")
				assert.Equal(t, test.want, network.failed)
				assert.LessOrEqual(t, time.Since(start), time.Duration(test.want)*maxBackoff)
			})
		})
	}
}

func TestExplain(t *testing.T) {
	other := errors.New("other")
	assert.Equal(t, other, explain(other))
	assert.NoError(t, explain(nil))
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException"}
	assert.Equal(t, error(denied), explain(denied))
	sent := &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "http://127.0.0.1:1/", Err: other}}
	require.EqualError(t, explain(sent), "no answer from http://127.0.0.1:1/: check -endpoint, -region and the network, "+
		"and HTTPS_PROXY and NO_PROXY if there is a proxy: other")
}

// Errors of other services come from fetching credentials. Their clients have tried again already.
func TestFirstCallDoesNotRepeatFailuresOfCredentials(t *testing.T) {
	r := firstRetryer{newRetryer()}
	sent := &smithyhttp.RequestSendError{Err: errDeserted}
	assert.True(t, r.IsErrorRetryable(sent))
	assert.False(t, r.IsErrorRetryable(&smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: sent}))
}

func TestRunNamesAnEndpointWhoseCertificateIsNotTrusted(t *testing.T) {
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
	flags := serve(t, k)
	server := httptest.NewUnstartedServer(k.Handler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	err := run(t.Context(), append(flags, "-endpoint", server.URL, "-stream", stream), io.Discard, io.Discard)
	require.ErrorContains(t, err, "the certificate of "+server.URL+"/ is not trusted: name the file of its authority with -ca-file")
}
