package main

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the aggregation format asks for it
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/segmentio/asm/base64"
)

const partitionKey = "0123456789abcdef"

// Sizes in bytes: of a record that is full, of what compresses to about that, and of the requests under load.
const (
	recordSize     = 51_200 - len(partitionKey)
	compressedFrom = 3 * 51_200
	requestSize    = 5 << 20
)

// body is the body of a PutRecords request on its way. Its buffers are used again.
type body struct {
	compress func(dst, src []byte) []byte
	piece    int // how many bytes of OTLP make a record

	json       []byte
	compressed []byte
	records    int
}

func newBody(compress func(dst, src []byte) []byte, compressing bool) *body {
	b := &body{compress: compress, piece: recordSize}
	if compressing {
		b.piece = compressedFrom
	}
	b.reset()
	return b
}

func (b *body) reset() { b.json, b.records = append(b.json[:0], `{"Records":[`...), 0 }

// add puts a message into records, and posts what is full. A full record travels by itself; a smaller one would share an
// aggregate, which has an MD5.
func (b *body) add(ctx context.Context, url string, message []byte) error {
	for len(message) > 0 {
		piece := message[:min(len(message), b.piece)]
		message = message[len(piece):]
		full := len(piece) == b.piece
		b.compressed = b.compress(b.compressed[:0], piece)
		if !full {
			sum := md5.Sum(b.compressed) //nolint:gosec // see above
			b.compressed = append(b.compressed, sum[:]...)
		}
		if b.records > 0 {
			b.json = append(b.json, ',')
		}
		b.json = append(b.json, `{"Data":"`...)
		b.json = appendBase64(b.json, b.compressed)
		b.json = append(b.json, `","PartitionKey":"`+partitionKey+`"}`...)
		b.records++
		if len(b.json) > requestSize*4/3-recordSize || b.records == 500 {
			if err := b.post(ctx, url); err != nil {
				return err
			}
		}
	}
	return nil
}

func appendBase64(dst, src []byte) []byte {
	n := base64.StdEncoding.EncodedLen(len(src))
	if cap(dst)-len(dst) < n {
		dst = append(dst, make([]byte, n)...)[:len(dst)]
	}
	base64.StdEncoding.Encode(dst[len(dst):len(dst)+n], src)
	return dst[:len(dst)+n]
}

// post sends the request, if it has records, and begins the next.
func (b *body) post(ctx context.Context, url string) error {
	if b.records == 0 {
		return nil
	}
	b.json = append(b.json, `],"StreamName":"bench"}`...)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, struct{ io.Reader }{bytes.NewReader(b.json)})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(b.json)
	request.ContentLength = int64(len(b.json))
	request.Header.Set("X-Amz-Target", "Kinesis_20131202.PutRecords")
	request.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // there is nothing to be lost
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the sink says %s", response.Status)
	}
	b.reset()
	return nil
}

// compressor returns a function that appends what compresses src to dst.
func compressor(name string) (func(dst, src []byte) []byte, error) {
	switch name {
	case "none":
		return func(dst, src []byte) []byte { return append(dst, src...) }, nil
	case "snappy":
		var buffer []byte
		return func(dst, src []byte) []byte {
			buffer = snappy.Encode(buffer[:cap(buffer)], src)
			return append(dst, buffer...)
		}, nil
	case "zstd":
		encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		return func(dst, src []byte) []byte { return encoder.EncodeAll(src, dst) }, err
	case "gzip":
		writer, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		return func(dst, src []byte) []byte {
			buffer := bytes.NewBuffer(dst)
			writer.Reset(buffer)
			writer.Write(src) //nolint:errcheck // a buffer takes everything
			writer.Close()    //nolint:errcheck // as above
			return buffer.Bytes()
		}, err
	}
	return nil, fmt.Errorf("there is no compression %q", name)
}
