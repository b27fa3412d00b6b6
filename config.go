package kinesiskplexporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// Config is the configuration of one kinesis_kpl component. Its keys are those of the Producer Library in snake_case,
// with Go durations.
type Config struct {
	// Timeout bounds one attempt to send a request, all retries of its records included. It must be more than
	// RecordTTL, or records that are still on their way would be sent twice. Zero means that RecordTTL alone bounds it.
	Timeout exporterhelper.TimeoutConfig `mapstructure:",squash"`
	// Queue holds requests until there is a consumer for them. By default it is bounded in bytes.
	Queue configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// Retry is for what the producer gives back after RecordTTL.
	Retry configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// AWS says where the stream is and who may write to it.
	AWS AWSConfig `mapstructure:"aws"`

	// Encoding of the OTLP messages in the records: otlp_proto or otlp_json.
	Encoding marshaler.Encoding `mapstructure:"encoding"`
	// Compression of the messages, each as a whole: none, snappy, zstd or gzip.
	Compression marshaler.Compression `mapstructure:"compression"`
	// CompressionParams has the level of zstd or gzip; 0 leaves it to them.
	CompressionParams configcompression.CompressionParams `mapstructure:"compression_params"`
	// Delivery says when a request counts as sent.
	Delivery Delivery `mapstructure:"delivery"`
	// PartitionKey says where partition keys come from.
	PartitionKey PartitionKeyConfig `mapstructure:"partition_key"`

	// Producer has the keys of the producer.
	Producer ProducerConfig `mapstructure:",squash"`

	// Telemetry says how much the exporter tells about itself.
	Telemetry TelemetryConfig `mapstructure:"telemetry"`

	_ struct{}
}

// Delivery says when a request counts as sent.
type Delivery string

// The deliveries.
const (
	// Confirmed waits for the Result of each record, so that the Collector's queue and retries cover what fails.
	Confirmed Delivery = "confirmed"
	// FireAndForget waits for no more than room in the producer. What fails after that is counted and logged, and lost.
	FireAndForget Delivery = "fire_and_forget"
)

// PartitionKeyConfig says where partition keys come from. At most one of its fields may be set; with none, records
// carry no key of their own and the producer chooses shards by the room they have.
type PartitionKeyConfig struct {
	// Static is the key of every record, 1 to 256 Unicode characters: everything goes to one shard.
	Static string `mapstructure:"static"`
	// ResourceAttributes names resource attributes. Resources with equal values of them share a shard.
	ResourceAttributes []string `mapstructure:"resource_attributes"`

	_ struct{}
}

// TelemetryConfig says how much the exporter tells about itself.
type TelemetryConfig struct {
	// ShardAttribute adds the shard to the metrics of Kinesis records and of errors by code. Off by default, for streams
	// can have thousands of shards.
	ShardAttribute bool `mapstructure:"shard_attribute"`

	_ struct{}
}

// defaultQueueSize is the bound of each signal's queue, in bytes of OTLP: several seconds of a busy stream, and as much
// as the producer itself may hold by default.
const defaultQueueSize = 64 << 20

// createDefaultConfig returns the configuration of a component without any key, which lacks the stream.
func createDefaultConfig() component.Config {
	producer := newDefaultProducerConfig()
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.Sizer = exporterhelper.RequestSizerTypeBytes
	queue.QueueSize = defaultQueueSize
	return &Config{
		Timeout:     exporterhelper.TimeoutConfig{Timeout: producer.RecordTTL + 5*time.Second},
		Queue:       configoptional.Some(queue),
		Retry:       configretry.NewDefaultBackOffConfig(),
		Encoding:    marshaler.OTLPProto,
		Compression: marshaler.NoCompression,
		Delivery:    Confirmed,
		Producer:    producer,
	}
}

// Validate returns an error for each key with a value that cannot work, alone or together with others. The Collector
// calls the Validate of the blocks aws and partition_key besides.
func (c *Config) Validate() error {
	errs := []error{c.Producer.validate()}
	if c.Encoding != marshaler.OTLPProto && c.Encoding != marshaler.OTLPJSON {
		errs = append(errs, fmt.Errorf("encoding must be %s or %s, found %q",
			marshaler.OTLPProto, marshaler.OTLPJSON, c.Encoding))
	}
	if c.Delivery != Confirmed && c.Delivery != FireAndForget {
		errs = append(errs, fmt.Errorf("delivery must be %s or %s, found %q", Confirmed, FireAndForget, c.Delivery))
	}
	if t := c.Timeout.Timeout; t != 0 && t <= c.Producer.RecordTTL {
		errs = append(errs, fmt.Errorf("timeout must be more than record_ttl (%v), or 0 for none, found %v",
			c.Producer.RecordTTL, t))
	}
	if key := c.partitionKeySize(); c.Producer.AggregationMaxSize <= key {
		errs = append(errs, fmt.Errorf("aggregation_max_size must be more than the %d bytes of the partition key, found %d",
			key, c.Producer.AggregationMaxSize))
	}
	return errors.Join(append(errs, c.validateCompression(), c.validateQueue())...)
}

// validateCompression checks the compression and its level.
func (c *Config) validateCompression() error {
	least, most, ok := c.Compression.Levels()
	switch level := int(c.CompressionParams.Level); {
	case !ok:
		return fmt.Errorf("compression must be %s, %s, %s or %s, found %q",
			marshaler.NoCompression, marshaler.Snappy, marshaler.Zstd, marshaler.Gzip, c.Compression)
	case level < least || level > most:
		return fmt.Errorf("compression_params::level must be from %d to %d for compression %s, found %d",
			least, most, c.Compression, level)
	}
	return nil
}

// validateQueue checks that the bound of the queue fits its unit: the default unit is bytes here and requests in most
// other exporters, and a number meant for one is absurd for the other.
func (c *Config) validateQueue() error {
	if !c.Queue.HasValue() {
		return nil
	}
	queue := c.Queue.Get()
	inBytes := queue.Sizer == exporterhelper.RequestSizerTypeBytes
	switch {
	case inBytes && queue.QueueSize > 0 && queue.QueueSize < kpl.PutUnit:
		return fmt.Errorf("sending_queue::queue_size is in bytes unless sending_queue::sizer is set, and must be at least "+
			"%d then, found %d", kpl.PutUnit, queue.QueueSize)
	case !inBytes && queue.QueueSize == defaultQueueSize:
		return fmt.Errorf("sending_queue::queue_size must be set along with sending_queue::sizer: its default, %d, is in bytes",
			defaultQueueSize)
	}
	return nil
}

// partitionKeySize returns the bytes of a static partition key. Keys of other kinds always leave room for data.
func (c *Config) partitionKeySize() int { return len(c.PartitionKey.Static) }

// marshalerConfig translates for package marshaler. Messages are cut where an aggregated record is full: a message of
// that size travels as a record of its own, which readers find without the aggregation format.
func (c *Config) marshalerConfig() marshaler.Config {
	return marshaler.Config{
		Encoding:   c.Encoding,
		TargetSize: c.Producer.AggregationMaxSize,
		MaxSize:    c.Producer.MaxRecordSize,

		Compression:      c.Compression,
		CompressionLevel: int(c.CompressionParams.Level),

		Key: marshaler.KeyConfig{
			Static:             c.PartitionKey.Static,
			ResourceAttributes: c.PartitionKey.ResourceAttributes,
		},
	}
}

// consumers returns how many goroutines push at the same time, or 0 if nobody knows.
func (c *Config) consumers() int {
	if !c.Queue.HasValue() {
		return 0
	}
	return c.Queue.Get().NumConsumers
}

// Validate checks the block on its own.
func (c *PartitionKeyConfig) Validate() error {
	var errs []error
	if c.Static != "" && len(c.ResourceAttributes) > 0 {
		errs = append(errs, errors.New("static and resource_attributes exclude each other"))
	}
	if n := utf8.RuneCountInString(c.Static); n > kpl.MaxPartitionKeyLength {
		errs = append(errs, fmt.Errorf("static must have at most %d characters, found %d", kpl.MaxPartitionKeyLength, n))
	}
	if !utf8.ValidString(c.Static) {
		errs = append(errs, errors.New("static must be valid UTF-8"))
	}
	for i, name := range c.ResourceAttributes {
		if strings.TrimSpace(name) == "" {
			errs = append(errs, fmt.Errorf("resource_attributes[%d] must not be empty", i))
		}
		if slices.Contains(c.ResourceAttributes[:i], name) {
			errs = append(errs, fmt.Errorf("resource_attributes has %q twice", name))
		}
	}
	return errors.Join(errs...)
}
