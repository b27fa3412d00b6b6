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

// MaxPlainSize is the most bytes that a compressed chunk has before compression. Readers need to take no more.
const MaxPlainSize = 32 << 20

// maxZstdWindow is what every Zstandard decoder should take, by RFC 8878.
const maxZstdWindow = 8 << 20

// The first bytes of compressed data. No OTLP message begins like that, in neither encoding.
const (
	snappyMagic = "\xff\x06\x00\x00sNaPpY"
	zstdMagic   = "\x28\xb5\x2f\xfd"
	gzipMagic   = "\x1f\x8b"
)

// ErrPlainSize is wrapped by the error for data that is larger than allowed once it is decompressed.
var ErrPlainSize = errors.New("marshaler: too large once decompressed")

// compressionOf tells how data is compressed, from its first bytes.
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

// Decompress returns what data was before compression, and how it was compressed, which its first bytes tell. Data that is
// not compressed comes back as it is. It fails for what is damaged, and, with an error that wraps [ErrPlainSize], for what
// would come to more than limit bytes, without ever holding much more than that.
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
