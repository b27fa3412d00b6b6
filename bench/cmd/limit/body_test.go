// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
)

// posted is what a body has posted.
type posted [][]struct{ Data []byte }

func (p *posted) post(t *testing.T) func(body []byte, hash string) error {
	t.Helper()
	return func(body []byte, hash string) error {
		sum := sha256.Sum256(body)
		assert.Equal(t, hex.EncodeToString(sum[:]), hash)
		var request struct {
			StreamName string
			Records    []struct{ Data []byte }
		}
		err := json.Unmarshal(body, &request)
		*p = append(*p, request.Records)
		return err
	}
}

// message returns random text.
func message(size int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(size)))
	m := make([]byte, size)
	for i := range m {
		m[i] = "0123456789abcdef"[random.IntN(16)]
	}
	return m
}

// logs returns a message of about 3 MB.
func logs(t *testing.T) []byte {
	t.Helper()
	shape, err := load.Find("logs-100x100")
	require.NoError(t, err)
	m, err := load.Requests(shape, 1, 1)[0].Marshal(shape)
	require.NoError(t, err)
	return m
}

// Full records are sent by themselves. Only messages that share a record have an MD5.
func TestRecords(t *testing.T) {
	var p posted
	b := newBody(inJSON(), nil, p.post(t))
	two, small, large := message(2*recordSize+1000), message(2000), message(recordSize-100)
	for _, m := range [][]byte{two, small, large} {
		require.NoError(t, b.add(m))
	}
	require.NoError(t, b.flush())
	shared := append(bytes.Clone(two[2*recordSize:]), small...)
	sum := md5.Sum(shared)
	require.Len(t, p, 1)
	var got [][]byte
	for _, r := range p[0] {
		got = append(got, r.Data)
	}
	assert.Equal(t, [][]byte{two[:recordSize], two[recordSize : 2*recordSize], append(shared, sum[:]...), large}, got)
	require.NoError(t, b.flush())
	assert.Len(t, p, 1, "nothing is left")
}

// In CBOR a request says the same as in JSON.
func TestCBOR(t *testing.T) {
	var p posted
	var body []byte
	b, c := newBody(inJSON(), nil, p.post(t)), newBody(inCBOR(), nil, func(text []byte, _ string) error {
		body = bytes.Clone(text)
		return nil
	})
	for _, m := range [][]byte{message(2*recordSize + 1000), message(2000)} {
		require.NoError(t, b.add(m))
		require.NoError(t, c.add(m))
	}
	require.NoError(t, b.flush())
	require.NoError(t, c.flush())
	require.Len(t, p, 1)
	want := cbor.List{}
	for _, r := range p[0] {
		want = append(want, cbor.Map{"Data": cbor.Slice(r.Data), "PartitionKey": cbor.String(partitionKey)})
	}
	got, err := cbor.Decode(body)
	require.NoError(t, err)
	assert.Equal(t, cbor.Map{"Records": want, "StreamName": cbor.String("bench")}, got)
}

// A request has at most 5 MiB and 500 records.
func TestRequests(t *testing.T) {
	var p posted
	b := newBody(inJSON(), nil, p.post(t))
	for range 25 {
		require.NoError(t, b.add(message(10*recordSize)))
	}
	require.NoError(t, b.flush())
	records := 0
	for _, request := range p {
		assert.LessOrEqual(t, len(request)*(recordSize+len(partitionKey)), requestSize)
		records += len(request)
	}
	assert.Equal(t, 250, records)
	assert.Len(t, p, 3)
}

// What is compressed fills records, and says the same as before.
func TestCompressions(t *testing.T) {
	for name, decompress := range map[string]func(io.Reader) (io.Reader, error){
		"snappy": func(r io.Reader) (io.Reader, error) { return s2.NewReader(r), nil },
		"zstd":   func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
		"gzip":   func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	} {
		t.Run(name, func(t *testing.T) {
			compress, err := compressor(name)
			require.NoError(t, err)
			var p posted
			b := newBody(inJSON(), compress, p.post(t))
			want := logs(t)
			require.NoError(t, b.add(want))
			require.NoError(t, b.flush())
			require.Len(t, p, 1)
			var got []byte
			for i, record := range p[0] {
				if i > 0 && i < len(p[0])-1 {
					assert.InEpsilon(t, recordSize, len(record.Data), 0.05)
				}
				r, err := decompress(bytes.NewReader(record.Data))
				require.NoError(t, err)
				plain, err := io.ReadAll(r)
				require.NoError(t, err)
				got = append(got, plain...)
			}
			assert.Equal(t, want, got)
		})
	}
	_, err := compressor("lz4")
	assert.EqualError(t, err, `there is no compression "lz4"`)
}

// In the steady state records of a megabyte allocate next to nothing: hashes, and a few bytes in the writer of snappy.
func TestAlloc(t *testing.T) {
	for _, name := range []string{"none", "snappy", "zstd", "gzip"} {
		t.Run(name, func(t *testing.T) {
			compress, err := compressor(name)
			require.NoError(t, err)
			b := newBody(inJSON(), compress, func([]byte, string) error { return nil })
			m := logs(t)[:20*recordSize]
			assert.LessOrEqual(t, testing.AllocsPerRun(5, func() {
				require.NoError(t, b.add(m))
				require.NoError(t, b.flush())
			}), 30.0)
		})
	}
}

func TestPost(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, "the body", string(body))
		assert.Equal(t, "the hash", r.Header.Get("X-Amz-Content-Sha256"))
		assert.Equal(t, "Kinesis_20131202.PutRecords", r.Header.Get("X-Amz-Target"))
		w.WriteHeader(status)
		_, err = io.WriteString(w, strings.Repeat("an answer ", 1000))
		assert.NoError(t, err)
	}))
	defer server.Close()
	c, err := dial(t.Context(), server.URL, inJSON().contentType)
	require.NoError(t, err)
	defer c.Close()
	for range 3 {
		require.NoError(t, c.post([]byte("the body"), "the hash"))
	}
	status = http.StatusBadRequest
	assert.EqualError(t, c.post([]byte("the body"), "the hash"), "the sink says 400 Bad Request")
}
