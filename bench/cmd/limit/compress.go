// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// compressor returns a function that appends what compresses src to dst, or nil for none. The levels are those that
// kinesis_kpl has by default. Encoders are made once.
func compressor(name string) (func(dst, src []byte) []byte, error) {
	switch name {
	case "none":
		return nil, nil //nolint:nilnil // there is nothing to do
	case "snappy":
		return appending(s2.NewWriter(nil, s2.WriterSnappyCompat(), s2.WriterBlockSize(64<<10), s2.WriterConcurrency(1))), nil
	case "zstd":
		encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(1<<20))
		return func(dst, src []byte) []byte { return encoder.EncodeAll(src, dst) }, err
	case "gzip":
		return appending(gzip.NewWriter(nil)), nil
	}
	return nil, fmt.Errorf("there is no compression %q", name)
}

// stream is a compressor that writes, and can be used again and again.
type stream interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// appending makes a function that appends of a stream.
func appending(s stream) func(dst, src []byte) []byte {
	out := new(appender)
	return func(dst, src []byte) []byte {
		*out = dst
		s.Reset(out)
		_, _ = s.Write(src) // memory takes everything
		_ = s.Close()
		return *out
	}
}

// appender is a writer that appends.
type appender []byte

func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}
