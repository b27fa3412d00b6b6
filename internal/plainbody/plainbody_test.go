package plainbody_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/plainbody"
)

// doer keeps the last request.
type doer struct{ last *http.Request }

func (d *doer) Do(r *http.Request) (*http.Response, error) {
	d.last = r
	return nil, http.ErrServerClosed
}

// writerBody is a body that can write itself.
type writerBody struct{ *bytes.Buffer }

func (writerBody) Close() error { return nil }

func TestBodiesAreMereReaders(t *testing.T) {
	var d doer
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://kinesis.invalid", http.NoBody)
	require.NoError(t, err)
	r.Body = writerBody{bytes.NewBufferString("body")}
	require.Implements(t, (*io.WriterTo)(nil), r.Body)

	_, err = plainbody.Client{Doer: &d}.Do(r) //nolint:bodyclose // there is no answer
	require.ErrorIs(t, err, http.ErrServerClosed)
	assert.NotImplements(t, (*io.WriterTo)(nil), d.last.Body)
	body, err := io.ReadAll(d.last.Body)
	require.NoError(t, err)
	assert.Equal(t, "body", string(body))
}

func TestNoBodyStaysNone(t *testing.T) {
	for _, none := range []io.ReadCloser{nil, http.NoBody} {
		var d doer
		_, err := plainbody.Client{Doer: &d}.Do(&http.Request{Body: none}) //nolint:bodyclose // there is no answer
		require.ErrorIs(t, err, http.ErrServerClosed)
		assert.Equal(t, none, d.last.Body)
	}
}
