// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

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
	plain, err := new(decompressor).append(nil, data, c, limit)
	return plain, c, err
}

// decompressor decompresses data. It keeps idle readers, because each has buffers of up to a megabyte. Any number of
// goroutines may use it at the same time. The zero value is ready.
type decompressor struct {
	snappy, zstd, gzip sync.Pool // of *reader
}

// reader decompresses what it is reset to.
type reader struct {
	source bytes.Reader
	stream io.Reader
	// reset makes stream read source from its start.
	reset func() error
}

// plain returns data as it was before compression. Data that is not compressed is returned as it is.
func (d *decompressor) plain(data []byte) ([]byte, error) {
	c := compressionOf(data)
	if c == NoCompression {
		return data, nil
	}
	return d.append(nil, data, c, MaxPlainSize)
}

// append decompresses data and appends it to dst. It fails if that are more than limit bytes.
func (d *decompressor) append(dst, data []byte, c Compression, limit int) ([]byte, error) {
	fail := func(err error) ([]byte, error) {
		return nil, fmt.Errorf("marshaler: decompress %s of %d bytes: %w", c, len(data), err)
	}
	idle := d.idle(c)
	r, _ := idle.Get().(*reader)
	if r == nil {
		var err error
		if r, err = newReader(c); err != nil {
			return fail(err)
		}
	}
	defer func() {
		r.source.Reset(nil) // so that an idle reader keeps no reference to data
		idle.Put(r)
	}()
	r.source.Reset(data)
	if err := r.reset(); err != nil {
		return fail(err)
	}
	out, err := appendAll(dst, r.stream, 4*len(data), limit)
	if err != nil {
		return fail(err)
	}
	return out, nil
}

// idle returns the pool of the readers of a compression.
func (d *decompressor) idle(c Compression) *sync.Pool {
	switch c {
	case Snappy:
		return &d.snappy
	case Zstd:
		return &d.zstd
	default:
		return &d.gzip
	}
}

// newReader returns a reader for the compression.
func newReader(c Compression) (*reader, error) {
	r := new(reader)
	switch c { //nolint:exhaustive // there is nothing to do for NoCompression
	case Snappy:
		stream := s2.NewReader(nil, s2.ReaderMaxBlockSize(snappyBlock))
		r.stream, r.reset = stream, func() error { stream.Reset(&r.source); return nil }
	case Zstd:
		stream, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		r.stream, r.reset = stream, func() error { return stream.Reset(&r.source) }
	case Gzip:
		stream := new(gzip.Reader)
		r.stream, r.reset = stream, func() error { return stream.Reset(&r.source) }
	}
	return r, nil
}

// appendAll appends all that the stream has to dst, which gets room for so many bytes at first.
func appendAll(dst []byte, stream io.Reader, room, limit int) ([]byte, error) {
	start := len(dst)
	dst = slices.Grow(dst, min(room, limit)+1)
	for {
		free := dst[len(dst):min(cap(dst), start+limit+1)]
		n, err := stream.Read(free)
		dst = dst[:len(dst)+n]
		switch {
		case len(dst)-start > limit:
			return nil, fmt.Errorf("%w: more than the limit of %d bytes", ErrPlainSize, limit)
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return nil, err
		case len(dst) == cap(dst):
			dst = slices.Grow(dst, min(len(dst), start+limit+1)-start)
		}
	}
}
