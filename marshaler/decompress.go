// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// MaxPlainSize is how many bytes a message may have before it is compressed. So readers know how much they must accept.
const MaxPlainSize = 32 << 20

// maxZstdWindow is the window that every Zstandard decoder should accept, as RFC 8878 says.
const maxZstdWindow = 8 << 20

// The first bytes of compressed data. No OTLP request begins with them, neither in protobuf nor in JSON.
const (
	snappyMagic = "\xff\x06\x00\x00sNaPpY"
	zstdMagic   = "\x28\xb5\x2f\xfd"
	gzipMagic   = "\x1f\x8b"
)

// ErrPlainSize is wrapped by the error of [Decompress] for data that has more bytes than allowed before compression.
var ErrPlainSize = errors.New("marshaler: too large once decompressed")

// compressionOf returns how data is compressed. Its first bytes say so.
func compressionOf(data []byte) Compression {
	switch begins := func(magic string) bool { return bytes.HasPrefix(data, []byte(magic)) }; {
	case begins(snappyMagic):
		return Snappy
	case begins(zstdMagic):
		return Zstd
	case begins(gzipMagic):
		return Gzip
	}
	return NoCompression
}

// Decompress returns data as it was before compression, and how it was compressed. Data that is not compressed is returned as
// it is, whatever its size.
//
// Decompress fails for damaged data. For data that would have more than limit bytes it fails with an error that wraps
// [ErrPlainSize], and holds hardly more than limit bytes in memory meanwhile.
func Decompress(data []byte, limit int) ([]byte, Compression, error) {
	c := compressionOf(data)
	if c == NoCompression {
		return data, c, nil
	}
	plain, err := decompress(data, c, limit)
	if err != nil {
		return nil, c, fmt.Errorf("marshaler: decompress %s of %d bytes: %w", c, len(data), err)
	}
	return plain, c, nil
}

// decompress decompresses data with the given compression, to at most limit bytes.
func decompress(data []byte, c Compression, limit int) ([]byte, error) {
	var r io.Reader
	source := bytes.NewReader(data)
	switch c {
	case Snappy:
		r = s2.NewReader(source, s2.ReaderMaxBlockSize(snappyBlock))
	case Zstd:
		decoder, err := zstd.NewReader(source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		defer decoder.Close()
		r = decoder
	case Gzip:
		decoder, err := gzip.NewReader(source)
		if err != nil {
			return nil, err
		}
		r = decoder
	case NoCompression:
		r = source
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(plain) > limit {
		return nil, fmt.Errorf("%w: more than the limit of %d bytes", ErrPlainSize, limit)
	}
	return plain, nil
}
