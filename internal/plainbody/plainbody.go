// Package plainbody keeps net/http from losing answers to the AWS SDK's requests.
package plainbody

import (
	"io"
	"net/http"
)

// Doer is an HTTP client as the SDK takes one.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Client is an HTTP client that sees request bodies as mere readers. The body of the SDK has a WriteTo that fails once it
// was closed, which it is as soon as the answer is there; net/http then takes the connection for broken, and the answer
// is lost: of a request that was stored, or of one that reads.
type Client struct{ Doer }

// Do carries a request out.
func (c Client) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.Doer.Do(r)
}
