// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recordingHTTP fails every request, after a look at it.
type recordingHTTP struct {
	mu             sync.Mutex
	calls, writers int // guarded by mu
}

func (h *recordingHTTP) Do(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls++
	if _, is := r.Body.(io.WriterTo); is {
		h.writers++
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return nil, errors.New("connection reset")
}

func TestTheSDKNeitherRetriesNorWritesBodiesItself(t *testing.T) {
	recorder := &recordingHTTP{}
	client := kinesis.New(kinesis.Options{
		Region:      "us-east-1",
		HTTPClient:  recorder,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	input := &kinesis.ListShardsInput{StreamName: aws.String(testStream)}
	_, err := client.ListShards(t.Context(), input, callOptions)
	require.Error(t, err)
	assert.Equal(t, 1, recorder.calls)
	assert.Zero(t, recorder.writers)
	f := faultOfCall(err)
	assert.Equal(t, CodeConnection, f.code)

	_, err = client.ListShards(t.Context(), input, func(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} })
	require.Error(t, err)
	assert.Equal(t, 1, recorder.writers, "the SDK's own body has the WriteTo that has to be hidden")
}

func TestWithoutCredentialsOrRegionNothingIsSent(t *testing.T) {
	options := map[string]kinesis.Options{
		"credentials": {Region: "us-east-1", Credentials: aws.CredentialsProviderFunc(
			func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{}, errors.New("no credentials found")
			},
		)},
		"region": {Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")},
	}
	for name, o := range options {
		recorder := &recordingHTTP{}
		o.HTTPClient = recorder
		_, err := kinesis.New(o).ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(testStream)}, callOptions)
		require.Error(t, err, name)
		assert.Zero(t, recorder.calls, name)
		f := faultOfCall(err)
		assert.Equal(t, classUnavailable, f.class, name)
		assert.Equal(t, CodeNotSent, f.code, name)
	}
}
