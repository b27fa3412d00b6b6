package peers

import (
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// Region is the region of everything here.
const Region = "us-east-1"

// The credentials of everything here; no stand-in checks signatures.
const accessKeyID, secretAccessKey = "test", "test"

// Environment is what the SDK of a program needs to find in its environment, and nothing from this machine's files.
func Environment() map[string]string {
	return map[string]string{ //nolint:gosec // They are made up.
		"AWS_REGION":                  Region,
		"AWS_ACCESS_KEY_ID":           accessKeyID,
		"AWS_SECRET_ACCESS_KEY":       secretAccessKey,
		"AWS_SESSION_TOKEN":           "",
		"AWS_PROFILE":                 "",
		"AWS_CONFIG_FILE":             "/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"AWS_EC2_METADATA_DISABLED":   "true",
	}
}

// NewClient returns a client of the SDK that does not retry.
func NewClient(t testing.TB, endpoint string) *kinesis.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return kinesis.New(kinesis.Options{
		Region:       Region,
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider(accessKeyID, secretAccessKey, ""),
		HTTPClient:   &http.Client{Transport: plainBodies{transport}},
		Retryer:      aws.NopRetryer{},
	})
}

// plainBodies is a transport that hides all methods of a request's body but Read and Close. The SDK's body has a WriteTo
// that can fail after everything was sent; the connection is then dropped with the answer.
type plainBodies struct{ next http.RoundTripper }

func (p plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return p.next.RoundTrip(r)
	}
	plain := *r
	plain.Body = struct {
		io.Reader
		io.Closer
	}{r.Body, r.Body}
	return p.next.RoundTrip(&plain)
}
