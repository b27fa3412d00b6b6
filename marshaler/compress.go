package marshaler

import (
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// Compression is how chunks are compressed, each as a whole. All three say what they are in their first bytes, see
// [Decompress].
type Compression string

// The compressions.
const (
	// NoCompression leaves chunks as they are; so does the empty Compression.
	NoCompression Compression = "none"
	// Snappy is the framing format of Snappy (elsewhere named x-snappy-framed), not its bare block format, which does not
	// show what it is.
	Snappy Compression = "snappy"
	// Zstd is a Zstandard frame with a checksum, and with a window of 1 MiB at most.
	Zstd Compression = "zstd"
	// Gzip is a gzip member.
	Gzip Compression = "gzip"
)

// defaultLevel is the level that a compressor takes for a good one: the fastest of Zstandard, 5 of gzip.
const defaultLevel = gzip.DefaultCompression

// Levels returns the range of levels that a compression has. 0, which all have, and -1 stand for the one that it takes for
// a good one. It returns false if there is no such compression.
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
	snappyBlock = 64 << 10 // the most plain bytes of a frame, by its definition
	zstdWindow  = 1 << 20
)

// compressor compresses. Any number of goroutines may use one at the same time.
type compressor interface {
	// compress appends src, compressed, to dst.
	compress(dst, src []byte) []byte
}

// newCompressor returns nil for no compression. The compression and its level have been checked.
func newCompressor(c Compression, level int) (compressor, error) {
	if level == 0 {
		level = defaultLevel
	}
	switch c {
	case Snappy:
		return newStreams(func() (stream, error) {
			return s2.NewWriter(nil, s2.WriterSnappyCompat(), s2.WriterBlockSize(snappyBlock), s2.WriterConcurrency(1)), nil
		})
	case Gzip:
		return newStreams(func() (stream, error) { return gzip.NewWriterLevel(nil, level) })
	case Zstd:
		encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)),
			zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
		return blocks{encoder}, err
	case NoCompression:
	}
	return nil, nil //nolint:nilnil // there is nothing to do
}

// blocks compresses with Zstandard, whose encoder keeps what it needs for as many calls as there are processors.
type blocks struct{ encoder *zstd.Encoder }

func (b blocks) compress(dst, src []byte) []byte { return b.encoder.EncodeAll(src, dst) }

// stream is a compressor that writes, and can be used again and again.
type stream interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// streams keeps the streams that nobody uses: each has buffers and tables of up to a megabyte.
type streams struct {
	idle sync.Pool // of stream
}

func (s *streams) compress(dst, src []byte) []byte {
	w := s.idle.Get().(stream)
	defer s.idle.Put(w)
	out := appender(dst)
	w.Reset(&out)
	_, _ = w.Write(src) // memory takes everything
	_ = w.Close()
	w.Reset(nil) // what it has written is not its own
	return out
}

// newStreams returns streams made by a function, whose error it returns.
func newStreams(create func() (stream, error)) (*streams, error) {
	first, err := create()
	if err != nil {
		return nil, err
	}
	s := &streams{idle: sync.Pool{New: func() any {
		w, _ := create() // as the first
		return w
	}}}
	s.idle.Put(first)
	return s, nil
}

// appender is a writer that appends.
type appender []byte

func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}
