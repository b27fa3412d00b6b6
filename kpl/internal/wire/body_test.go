// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recordsOf is a request with such records.
func recordsOf(data ...[]byte) *kinesis.PutRecordsInput {
	in := &kinesis.PutRecordsInput{StreamName: aws.String("s")}
	for _, d := range data {
		in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: d, PartitionKey: aws.String("k")})
	}
	return in
}

// bodyOfRecords is the body of that request in JSON, cborOfRecords in CBOR.
func bodyOfRecords(data ...[]byte) string {
	text := `{"Records":[`
	for i, d := range data {
		if i > 0 {
			text += ","
		}
		text += `{"Data":"` + base64.StdEncoding.EncodeToString(d) + `","PartitionKey":"k"}`
	}
	return text + `],"StreamName":"s"}`
}

func cborOfRecords(data ...[]byte) string {
	text := "\xbf\x67Records\x9f"
	for _, d := range data {
		text += "\xbf\x64Data" + string(cbor.Encode(cbor.Slice(d))) + "\x6cPartitionKey\x61k\xff"
	}
	return text + "\xff\x6aStreamName\x61s\xff"
}

// inBothEncodings runs a test with the body of a request with such records in JSON and in CBOR.
func inBothEncodings(t *testing.T, test func(t *testing.T, body *requestBody, want string), data ...[]byte) {
	t.Helper()
	t.Run("JSON", func(t *testing.T) {
		var body requestBody
		body.setJSON(recordsOf(data...))
		test(t, &body, bodyOfRecords(data...))
	})
	t.Run("CBOR", func(t *testing.T) {
		var body requestBody
		body.setCBOR(recordsOf(data...))
		test(t, &body, cborOfRecords(data...))
	})
}

// inPieces reads all of r, at most size bytes at a time.
func inPieces(t *testing.T, r io.Reader, size int) string {
	t.Helper()
	var all []byte
	piece := make([]byte, size)
	for {
		n, err := r.Read(piece)
		all = append(all, piece[:n]...)
		if errors.Is(err, io.EOF) {
			return string(all)
		}
		require.NoError(t, err)
		require.Positive(t, n)
	}
}

func TestRequestBodyInPiecesOfAnySize(t *testing.T) {
	long := bytes.Repeat([]byte{0xFB, 0xFF, 0x00, 0x3E, 0x7F}, 100)
	var data [][]byte
	for n := range 10 {
		data = append(data, long[:n], long[n:100-n])
	}
	inBothEncodings(t, func(t *testing.T, body *requestBody, want string) {
		require.Equal(t, len(want), body.Len())
		for size := 1; size <= len(want)+1; size++ {
			require.Equal(t, want, inPieces(t, body, size), "%d bytes at a time", size)
			require.Zero(t, body.Len())
			at, err := body.Seek(0, io.SeekStart)
			require.NoError(t, err)
			require.Zero(t, at)
		}
	}, data...)
}

func TestRequestBodyIsHashedAndThenSent(t *testing.T) {
	inBothEncodings(t, func(t *testing.T, body *requestBody, want string) {
		var hashed bytes.Buffer
		n, err := body.WriteTo(&hashed)
		require.NoError(t, err)
		require.Equal(t, want, hashed.String())
		assert.Equal(t, int64(hashed.Len()), n)
		_, err = body.Seek(0, io.SeekStart)
		require.NoError(t, err)
		assert.Equal(t, want, inPieces(t, body, 32<<10))
	}, bytes.Repeat([]byte("0123456789"), 10_000), nil, []byte("data"))
}

func TestRequestBodyIsReadFromItsStartOnly(t *testing.T) {
	inBothEncodings(t, func(t *testing.T, body *requestBody, want string) {
		_, err := body.Read(make([]byte, 7))
		require.NoError(t, err)
		at, err := body.Seek(0, io.SeekCurrent)
		require.NoError(t, err)
		assert.Equal(t, int64(7), at)
		for _, seek := range []struct {
			offset int64
			whence int
		}{{1, io.SeekStart}, {-1, io.SeekCurrent}, {0, io.SeekEnd}} {
			_, err := body.Seek(seek.offset, seek.whence)
			require.ErrorIs(t, err, errSeek)
		}
		assert.Equal(t, want[7:], inPieces(t, body, 5), "a seek that fails moves nothing")
	}, []byte("data"))
}

func TestRequestBodyStopsWhereItsWriterDoes(t *testing.T) {
	inBothEncodings(t, func(t *testing.T, body *requestBody, _ string) {
		full := errors.New("full")
		n, err := body.WriteTo(writerFunc(func([]byte) (int, error) { return 5, full }))
		require.ErrorIs(t, err, full)
		assert.Equal(t, int64(5), n)
	}, make([]byte, 1<<20))
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestRequestBodyForgets(t *testing.T) {
	inBothEncodings(t, func(t *testing.T, body *requestBody, _ string) {
		body.forget()
		assert.Zero(t, body.Len())
		assert.Empty(t, inPieces(t, body, 10))
		for _, part := range body.parts[:cap(body.parts)] {
			assert.Nil(t, part.data)
		}
	}, []byte("data"))
}

// FuzzRequestBody reads bodies in pieces, with data that starts at any offset in them.
func FuzzRequestBody(f *testing.F) {
	for n := range 100 {
		f.Add(bytes.Repeat([]byte{0xFB, 0xFF, 0x00, 0x3E}, n)[:3*n], uint8(n), uint16(n))
	}
	f.Fuzz(func(t *testing.T, data []byte, offset uint8, size uint16) {
		first, second := data[:min(int(offset), len(data))], data[min(int(offset), len(data)):]
		var body requestBody
		body.setJSON(recordsOf(first, second))
		assert.Equal(t, bodyOfRecords(first, second), inPieces(t, &body, int(size)+1))
	})
}
