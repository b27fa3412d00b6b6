// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// Compression is how messages are compressed. Compressed data begins with bytes that say which compression it is, see
// [Decompress].
type Compression string

// The compressions.
const (
	// NoCompression leaves messages as they are. The empty Compression means the same.
	NoCompression Compression = "none"
	// Snappy is the framing format of Snappy, also called x-snappy-framed. The block format of Snappy is not used because
	// its first bytes do not say what it is.
	Snappy Compression = "snappy"
	// Zstd is one Zstandard frame with a checksum. Its window is at most 1 MiB.
	Zstd Compression = "zstd"
	// Gzip is one gzip member, as in RFC 1952.
	Gzip Compression = "gzip"
)

// defaultLevel makes a compressor choose its level: the fastest of Zstandard, and 5 of gzip.
const defaultLevel = gzip.DefaultCompression

// Levels returns the lowest and the highest level of a compression. Level 0, which all have, and level -1 both mean the default
// of the compression. It returns false if there is no such compression.
func (c Compression) Levels() (least, most int, ok bool) {
	switch c {
	case NoCompression, "", Snappy:
		return 0, 0, true
	case Zstd:
		return defaultLevel, 22, true
	case Gzip:
		return defaultLevel, gzip.BestCompression, true
	}
	return 0, 0, false
}

const (
	snappyBlock = 64 << 10 // bytes before compression; the format allows no more in a frame
	zstdWindow  = 1 << 20  // bytes
)

// compressor compresses data. Any number of goroutines may use a compressor at the same time.
type compressor interface {
	// compress appends src, compressed, to dst.
	compress(dst, src []byte) []byte
}

// NewCompressor returns a function that appends data, compressed as one frame, to dst, and returns the result. A frame may be
// larger than the data. Of no data there may be no frame. Any number of goroutines may call the function at the same time. It is
// what a producer needs that compresses whole records (kpl.Config.Compress). [NoCompression] has no such function: then it is
// nil.
//
// The level is one of [Compression.Levels]; 0 is the default. The error says what is wrong with the compression or its level.
func NewCompressor(c Compression, level int) (func(dst, data []byte) []byte, error) {
	if err := (Config{Compression: c, CompressionLevel: level}).validateCompression(); err != nil {
		return nil, err
	}
	compressor, err := newCompressor(c, level)
	if err != nil || compressor == nil {
		return nil, err
	}
	return compressor.compress, nil
}

// newCompressor returns a compressor, or nil for no compression. The compression and its level must be valid.
func newCompressor(c Compression, level int) (compressor, error) {
	if level == 0 {
		level = defaultLevel
	}
	switch c {
	case Snappy:
		return newWriters(func() (resetWriter, error) {
			return s2.NewWriter(nil, s2.WriterSnappyCompat(), s2.WriterBlockSize(snappyBlock), s2.WriterConcurrency(1)), nil
		})
	case Gzip:
		return newWriters(func() (resetWriter, error) { return gzip.NewWriterLevel(nil, level) })
	case Zstd:
		encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)),
			zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
		return blocks{encoder}, err
	case NoCompression:
	}
	return nil, nil //nolint:nilnil // there is nothing to do
}

// blocks compresses with Zstandard. The encoder serves as many calls at a time as there are processors.
type blocks struct{ encoder *zstd.Encoder }

func (b blocks) compress(dst, src []byte) []byte { return b.encoder.EncodeAll(src, dst) }

// resetWriter is a compressor that writes to w. Reset makes it ready for other data.
type resetWriter interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// writers compresses with a resetWriter. It keeps idle ones, because each has up to a megabyte of buffers and tables.
type writers struct {
	idle sync.Pool // of resetWriter
}

func (s *writers) compress(dst, src []byte) []byte {
	w := s.idle.Get().(resetWriter)
	defer s.idle.Put(w)
	out := appender(dst)
	w.Reset(&out)
	_, _ = w.Write(src) // an appender never fails
	_ = w.Close()
	w.Reset(nil) // so that an idle writer keeps no reference to out
	return out
}

// newWriters returns writers that create makes. It fails if create fails.
func newWriters(create func() (resetWriter, error)) (*writers, error) {
	first, err := create()
	if err != nil {
		return nil, err
	}
	s := &writers{idle: sync.Pool{New: func() any {
		w, _ := create() // it has worked before, with the same options
		return w
	}}}
	s.idle.Put(first)
	return s, nil
}

// appender is a writer that appends to memory.
type appender []byte

func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}
