// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
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

// doFunc is an HTTP client of a test.
type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// handled returns an HTTP client that calls a handler without a network.
func handled(handler http.Handler) doFunc {
	return func(r *http.Request) (*http.Response, error) {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		return answer.Result(), nil
	}
}

// sdkClient returns the SDK's client with a provider of credentials and an HTTP client of its own.
func sdkClient(provider aws.CredentialsProvider, do doFunc) *kinesis.Client {
	return kinesis.New(kinesis.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("https://kinesis.invalid"), Credentials: provider, HTTPClient: do,
	})
}

// noCredentials are the ways in which a provider of credentials fails. Each looks like an error of a call to the stream.
func noCredentials(t *testing.T) map[string]error {
	t.Helper()
	_, noFile := os.Open("no such file")
	require.Error(t, noFile)
	var n net.Error
	require.ErrorAs(t, noFile, &n, "errors of files look like errors of the network")
	return map[string]error{
		"no file of a token":      noFile,
		"connection to IMDS":      &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")},
		"silent STS":              context.DeadlineExceeded,
		"given up":                context.Canceled,
		"answer cut short":        io.ErrUnexpectedEOF,
		"nothing configured":      errors.New("no EC2 IMDS role found"),
		"role denied":             &smithy.OperationError{ServiceID: "STS", Err: &smithy.GenericAPIError{Code: "AccessDenied"}},
		"throttled by STS":        &smithy.OperationError{ServiceID: "STS", Err: &smithy.GenericAPIError{Code: "Throttling"}},
		"rejected by STS":         &smithy.OperationError{ServiceID: "STS", Err: &smithy.GenericAPIError{Code: "ValidationError"}},
		"request to STS not sent": &smithy.OperationError{ServiceID: "STS", Err: &smithyhttp.RequestSendError{Err: io.EOF}},
	}
}

// Whatever is in the chain of an error: if the request was not sent, the stream is unavailable and the code says so.
func TestErrorsBeforeTheRequestLeft(t *testing.T) {
	for name, cause := range noCredentials(t) {
		t.Run(name, func(t *testing.T) {
			provider := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{}, cause
			})
			client := sdkClient(provider, func(*http.Request) (*http.Response, error) {
				assert.Fail(t, "a request was sent")
				return nil, io.EOF
			})
			in := &kinesis.ListShardsInput{StreamName: aws.String(testStream)}
			noRetry := func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }
			for options, change := range map[string]func(*kinesis.Options){"the producer's": callOptions, "the client's own": noRetry} {
				_, err := client.ListShards(t.Context(), in, change)
				require.ErrorIs(t, err, cause, options)
				f := faultOfCall(err)
				assert.Equal(t, classUnavailable, f.class, options)
				assert.Equal(t, CodeNotSent, f.code, options)
			}
		})
	}
}

// The same errors of the call itself mean what they say, also if the credentials had to be got first.
func TestErrorsAfterTheRequestLeft(t *testing.T) {
	known := credentials.NewStaticCredentialsProvider("id", "secret", "")
	for name, tt := range map[string]struct {
		do   doFunc
		code string
	}{
		"connection": {func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		}, CodeConnection},
		"no answer": {func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, CodeTimeout},
		"an error": {func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: http.StatusInternalServerError,
				Header:     http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
				Body:       io.NopCloser(strings.NewReader(`{"__type":"InternalFailure","message":"get identity: not"}`)),
			}, nil
		}, "InternalFailure"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := sdkClient(known, tt.do).ListShards(ctx, &kinesis.ListShardsInput{StreamName: aws.String(testStream)},
					callOptions)
				f := faultOfCall(err)
				assert.Equal(t, classTransient, f.class)
				assert.Equal(t, tt.code, f.code)
			})
		})
	}
}

// Credentials that do not come within the time of a call are no fault of the stream. A call that the producer itself ends is no
// fault at all.
func TestCredentialsThatDoNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			advance(time.Minute)
			return aws.Credentials{}, errors.New("too late")
		}))
		in := &kinesis.ListShardsInput{StreamName: aws.String(testStream)}
		list := func(ctx context.Context) string {
			_, err := sdkClient(never, nil).ListShards(ctx, in, callOptions)
			return faultOfCall(err).code
		}
		late, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Equal(t, CodeNotSent, list(late))
		ended, end := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, end)
		assert.Equal(t, CodeCanceled, list(ended))
		advance(time.Minute) // the cache still waits for its provider
	})
}

// Without credentials the data goes back at once, and everybody hears why. With them everything is delivered.
func TestProducerWithoutCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		var there atomic.Bool
		provider := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			if !there.Load() {
				return aws.Credentials{}, &net.OpError{Op: "dial", Err: errors.New("no route to IMDS")}
			}
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		})
		seen := availability{changes: make(chan error, 10)}
		p := startProducer(t, sdkClient(provider, handled(k.Handler())), func(c *Config) {
			c.Observer = seen.observer()
		})
		at := time.Now()
		result, err := p.PutWait(t.Context(), sized("key", 1))
		require.ErrorIs(t, err, ErrUnavailable)
		require.ErrorContains(t, err, "no route to IMDS")
		assert.Less(t, time.Since(at), time.Second)
		assert.Equal(t, OutcomeUnavailable, result.Outcome())
		require.ErrorContains(t, <-seen.changes, CodeNotSent)
		assert.Empty(t, k.Calls(kpltest.OpPutRecords))

		there.Store(true)
		_, err = p.PutWait(t.Context(), sized("key", 1))
		require.NoError(t, err)
		require.NoError(t, <-seen.changes)
	})
}
