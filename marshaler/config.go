// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Encoding is the encoding of OTLP in a message.
type Encoding string

// The encodings.
const (
	// OTLPProto is protobuf. It is much smaller and takes much less CPU time than JSON.
	OTLPProto Encoding = "otlp_proto"
	// OTLPJSON is JSON, for readers that cannot read protobuf.
	OTLPJSON Encoding = "otlp_json"
)

// IsText reports whether messages of the encoding are text. Only text can have [Config.Newline].
func (e Encoding) IsText() bool { return e == OTLPJSON }

// Config says how a [Marshaler] encodes and cuts. All sizes are in bytes and include the partition key, because the limits of
// Kinesis do.
type Config struct {
	// Encoding of the messages. It is required, unless Foreign is set.
	Encoding Encoding

	// Foreign encodes the messages in a format other than OTLP. Then Encoding must be empty. Nil means OTLP.
	//
	// Messages have the keys and streams that they would have in OTLP, and come in the same order. They are divided until each fits
	// TargetSize, or MaxSize if it has one item.
	Foreign *Foreign

	// TargetSize is the size up to which messages are filled. It must be more than the size of the partition key.
	//
	// Resource, scope and metric are repeated in each message. If they take more than half of TargetSize, messages are
	// filled up to a multiple of TargetSize instead, but not beyond MaxSize.
	TargetSize int

	// MaxSize is the largest size of a message. An item that needs more by itself is cut or rejected, see Oversize. MaxSize must
	// be at least TargetSize.
	MaxSize int

	// Compression is applied to each message as a whole. TargetSize and MaxSize are sizes after compression. An item is sent
	// uncompressed if compression alone makes it too large. An item with more than [MaxPlainSize] bytes before compression
	// is cut or rejected. The zero value is [NoCompression].
	Compression Compression

	// CompressionLevel is one of [Compression.Levels]. Higher levels are slower and make smaller messages. Zstd has four
	// different levels only: 1 and 2, 3 to 5, 6 to 9, and 10 and more. Zero is the default of the compression.
	CompressionLevel int

	// SignalMarker puts a marker in front of each message in protobuf: a field that says of which signal the message is. Without
	// it, [Detect] has to conclude the signal from the items, which does not always show it. It is a varint in field 2047 and
	// takes 3 bytes: f8 7f 01 for logs, f8 7f 02 for traces, f8 7f 03 for metrics. Decoders of OTLP skip it. It has no effect
	// with [OTLPJSON], where a key names the signal. The zero value leaves it out.
	SignalMarker bool

	// Newline ends each message with a newline, which is a part of Data. So the messages of several records make lines of text.
	// It must be false if the Encoding is no text.
	Newline bool

	// Oversize says what becomes of an item that fits no message. The zero value is [DropOversize].
	Oversize Oversize

	// Key says where partition keys come from. The zero value makes messages without a key.
	Key KeyConfig

	// Route returns the stream of a resource with the attributes, see [Message.Stream]. It is called once for each resource. It must
	// only read the attributes, and any number of goroutines may call it. Nil means that there is one stream.
	Route func(attributes pcommon.Map) string
}

func (c Config) validate() error {
	if err := c.Key.validate(); err != nil {
		return err
	}
	if err := c.validateEncoding(); err != nil {
		return err
	}
	if c.Oversize != "" && c.Oversize != DropOversize && c.Oversize != TruncateOversize {
		return fmt.Errorf("marshaler: Oversize must be %q or %q, found %q", DropOversize, TruncateOversize, c.Oversize)
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

func (c Config) validateEncoding() error {
	name, text := string(c.Encoding), c.Encoding.IsText()
	switch f := c.Foreign; {
	case f == nil && c.Encoding != OTLPProto && c.Encoding != OTLPJSON:
		return fmt.Errorf("marshaler: Encoding must be %q or %q, found %q", OTLPProto, OTLPJSON, c.Encoding)
	case f == nil:
	case c.Encoding != "":
		return fmt.Errorf("marshaler: Encoding must be empty with Foreign, found %q", c.Encoding)
	case !f.Has(Logs) && !f.Has(Traces) && !f.Has(Metrics) && !f.Has(Profiles):
		return errors.New("marshaler: Foreign must have a function for one signal at least")
	default:
		name, text = f.Name, f.Text
	}
	if c.Newline && !text {
		return fmt.Errorf("marshaler: Newline must be false for Encoding %q, which is no text", name)
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
