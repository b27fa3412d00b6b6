package marshaler

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Encoding is how a chunk spells OTLP.
type Encoding string

// The encodings.
const (
	// OTLPProto is the protobuf encoding of OTLP: the smallest and by far the cheapest.
	OTLPProto Encoding = "otlp_proto"
	// OTLPJSON is the JSON encoding of OTLP, for readers that cannot read protobuf.
	OTLPJSON Encoding = "otlp_json"
)

// Signal is a kind of telemetry.
type Signal uint8

// The signals.
const (
	Logs Signal = iota
	Traces
	Metrics
)

// String returns "logs", "traces" or "metrics".
func (s Signal) String() string {
	switch s {
	case Logs:
		return "logs"
	case Traces:
		return "traces"
	case Metrics:
		return "metrics"
	}
	return "unknown"
}

// item is the name of what is counted and never cut.
func (s Signal) item() string {
	switch s {
	case Logs:
		return "log record"
	case Traces:
		return "span"
	case Metrics:
		return "data point"
	}
	return "item"
}

// KeylessKeySize is how many bytes a chunk without a partition key counts for the key that the producer makes up for it.
const KeylessKeySize = 16

// maxKeyLength is the most Unicode characters the service takes in a partition key.
const maxKeyLength = 256

// Config says how a [Marshaler] encodes and cuts. Every size is in bytes and counts data and partition key, as the
// service does.
type Config struct {
	// Encoding is required.
	Encoding Encoding

	// TargetSize is what a chunk is filled up to. It must have room for the partition key and at least one byte of data.
	// Where what is around the items (resource, scope, metric) takes more than half of it, chunks are filled up to a
	// multiple of it instead, at most MaxSize.
	TargetSize int

	// MaxSize is what a chunk with a single item may have; an item that needs more is rejected. At least TargetSize.
	MaxSize int

	// Compression is applied to each chunk as a whole, and sizes are those after it. Chunks are filled by how well those
	// before them were compressed. One with a single item that compression makes too large is left as it is. An item with
	// more than [MaxPlainSize] bytes before compression is rejected. The zero value is [NoCompression].
	Compression Compression

	// CompressionLevel is one of [Compression.Levels]: larger is slower, and makes smaller chunks. Zstd has four in truth,
	// from 1, 3, 6 and 10 on.
	CompressionLevel int

	// Key says where partition keys come from. The zero value makes chunks without a key.
	Key KeyConfig
}

// KeyConfig says where partition keys come from. At most one of its fields may be set.
type KeyConfig struct {
	// Static is the partition key of every chunk: 1 to 256 Unicode characters. Empty means none.
	Static string

	// ResourceAttributes names the resource attributes that decide the partition key: resources with equal values share
	// a key, and each key has its own chunks. The order of the names does not matter. Empty means none.
	ResourceAttributes []string
}

// keySize returns the bytes that every partition key of this configuration has.
func (c KeyConfig) keySize() int {
	switch {
	case c.Static != "":
		return len(c.Static)
	case len(c.ResourceAttributes) > 0:
		return digestKeySize
	}
	return KeylessKeySize
}

func (c KeyConfig) validate() error {
	if c.Static != "" && len(c.ResourceAttributes) > 0 {
		return errors.New("marshaler: Key has both Static and ResourceAttributes, at most one may be set")
	}
	if n := utf8.RuneCountInString(c.Static); n > maxKeyLength {
		return fmt.Errorf("marshaler: Key.Static has %d characters, the limit is %d", n, maxKeyLength)
	}
	if !utf8.ValidString(c.Static) {
		return errors.New("marshaler: Key.Static is not valid UTF-8")
	}
	for i, name := range c.ResourceAttributes {
		if name == "" {
			return fmt.Errorf("marshaler: Key.ResourceAttributes[%d] is empty", i)
		}
		if slices.Contains(c.ResourceAttributes[:i], name) {
			return fmt.Errorf("marshaler: Key.ResourceAttributes has %q twice", name)
		}
	}
	return nil
}

func (c Config) validate() error {
	if err := c.Key.validate(); err != nil {
		return err
	}
	if c.Encoding != OTLPProto && c.Encoding != OTLPJSON {
		return fmt.Errorf("marshaler: Encoding must be %q or %q, found %q", OTLPProto, OTLPJSON, c.Encoding)
	}
	if err := c.validateCompression(); err != nil {
		return err
	}
	if c.TargetSize <= c.Key.keySize() {
		return fmt.Errorf("marshaler: TargetSize must be more than the %d bytes of the partition key, found %d",
			c.Key.keySize(), c.TargetSize)
	}
	if c.MaxSize < c.TargetSize {
		return fmt.Errorf("marshaler: MaxSize must be at least TargetSize (%d), found %d", c.TargetSize, c.MaxSize)
	}
	return nil
}

func (c Config) validateCompression() error {
	least, most, ok := c.Compression.Levels()
	switch {
	case !ok:
		return fmt.Errorf("marshaler: Compression must be %q, %q, %q or %q, found %q",
			NoCompression, Snappy, Zstd, Gzip, c.Compression)
	case c.CompressionLevel < least || c.CompressionLevel > most:
		return fmt.Errorf("marshaler: CompressionLevel must be from %d to %d for Compression %q, found %d",
			least, most, c.Compression, c.CompressionLevel)
	}
	return nil
}
