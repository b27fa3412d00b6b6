package kpltest

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// NewClient returns the SDK's client for a Kinesis that is served over HTTP at the URL endpoint, such as
// [Kinesis.Handler] by a [net/http/httptest.Server]. It signs with made-up credentials, and does not retry. The transport
// is the caller's to close.
func NewClient(endpoint string, transport *http.Transport) *kinesis.Client {
	return kinesis.New(kinesis.Options{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
		HTTPClient:   &http.Client{Transport: plainBodies{transport}},
		Retryer:      aws.NopRetryer{},
	})
}

// plainBodies is a transport that sends bodies without the WriteTo that the SDK gives them: with it, the SDK breaks the
// connection now and then when an answer comes faster than net/http notices that the request is written.
type plainBodies struct{ *http.Transport }

// RoundTrip implements [http.RoundTripper].
func (p plainBodies) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil && request.Body != http.NoBody {
		request = request.Clone(request.Context())
		request.Body = struct{ io.ReadCloser }{request.Body}
	}
	return p.Transport.RoundTrip(request)
}
