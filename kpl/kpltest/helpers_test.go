package kpltest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// events is a stream name.
const events = "events"

// entry is a record to put; an empty explicitHashKey is none.
func entry(partitionKey, explicitHashKey, data string) types.PutRecordsRequestEntry {
	e := types.PutRecordsRequestEntry{PartitionKey: aws.String(partitionKey), Data: []byte(data)}
	if explicitHashKey != "" {
		e.ExplicitHashKey = aws.String(explicitHashKey)
	}
	return e
}

func putInput(entries ...types.PutRecordsRequestEntry) *kinesis.PutRecordsInput {
	return &kinesis.PutRecordsInput{StreamName: aws.String(events), Records: entries}
}

// plainBodies is a transport that sends bodies without the WriteTo that the SDK gives them: with it, the SDK breaks the
// connection now and then when an answer comes faster than net/http notices that the request is written.
type plainBodies struct{ *http.Transport }

func (p plainBodies) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		request = request.Clone(request.Context())
		request.Body = struct{ io.ReadCloser }{request.Body}
	}
	return p.Transport.RoundTrip(request)
}

// sdkClient returns the SDK's client for a Kinesis that is served over HTTP until the test ends.
func sdkClient(t *testing.T, k *Kinesis) *kinesis.Client {
	t.Helper()
	server := httptest.NewServer(k.Handler())
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return kinesis.New(kinesis.Options{
		BaseEndpoint: aws.String(server.URL),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
		HTTPClient:   &http.Client{Transport: plainBodies{transport}},
		Retryer:      aws.NopRetryer{},
	})
}
