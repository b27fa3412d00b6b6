// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// Config is the configuration of one kinesis_kpl component. Keys that the Kinesis Producer Library has too have the same names
// here, in snake_case. Durations are written as in Go, for example 100ms.
type Config struct {
	// Timeout is how long a push may take, with all retries of its records. It must be more than RecordTTL, or the Collector
	// would send data again that the producer still sends. Zero means no timeout: RecordTTL limits a push then.
	Timeout exporterhelper.TimeoutConfig `mapstructure:",squash"`
	// Queue holds data until it is pushed. By default its size is limited in bytes.
	Queue configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// Retry says how the Collector sends data again that the producer gave back after RecordTTL.
	Retry configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// AWS names the stream and says how to reach it.
	AWS AWSConfig `mapstructure:"aws"`

	// Encoding of the messages: otlp_proto or otlp_json.
	Encoding marshaler.Encoding `mapstructure:"encoding"`
	// Compression of each message as a whole: none, snappy, zstd or gzip.
	Compression marshaler.Compression `mapstructure:"compression"`
	// CompressionParams has the level of zstd or gzip. 0 means the default of the compression.
	CompressionParams configcompression.CompressionParams `mapstructure:"compression_params"`
	// SignalMarker puts a field in front of each message in protobuf that says which signal it has.
	SignalMarker bool `mapstructure:"signal_marker"`
	// Newline ends each message with a newline, if its encoding is text. At least one signal must have such an encoding.
	Newline bool `mapstructure:"newline"`
	// Oversize says what becomes of an item that fits no record: drop or truncate.
	Oversize marshaler.Oversize `mapstructure:"oversize"`
	// Delivery says when a push counts as delivered.
	Delivery Delivery `mapstructure:"delivery"`
	// DrainTimeout is how long a stop may take until the exporter gives up what is not delivered. It begins when the first of
	// the exporter's components is told to stop. At least 100ms; zero means no limit.
	DrainTimeout time.Duration `mapstructure:"drain_timeout"`
	// PartitionKey says where partition keys come from.
	PartitionKey PartitionKeyConfig `mapstructure:"partition_key"`
	// ShardOverflow says what happens to data for a shard that holds its share of the queue.
	ShardOverflow ShardOverflow `mapstructure:"shard_overflow"`

	// Logs, Traces, Metrics and Profiles say what is different for one signal.
	Logs     SignalConfig `mapstructure:"logs"`
	Traces   SignalConfig `mapstructure:"traces"`
	Metrics  SignalConfig `mapstructure:"metrics"`
	Profiles SignalConfig `mapstructure:"profiles"`

	// Streams lets the data name its stream.
	Streams StreamsConfig `mapstructure:"streams"`

	// Producer configures the producer.
	Producer ProducerConfig `mapstructure:",squash"`

	// Telemetry says what the exporter's own metrics show.
	Telemetry TelemetryConfig `mapstructure:"telemetry"`

	_ struct{}
}

// Delivery says when a push counts as delivered.
type Delivery string

// The deliveries.
const (
	// Confirmed waits for the Result of each record. Data that fails goes back to the Collector's queue and its retries.
	Confirmed Delivery = "confirmed"
	// FireAndForget waits only until the producer has room for each record. Data that fails later is lost. It is counted and
	// logged.
	FireAndForget Delivery = "fire_and_forget"
)

// ShardOverflow says what happens to data for a shard that holds its share of the queue already. A share is as much as is free.
// So a shard that takes nothing holds half of the queue at most, and all others go on.
type ShardOverflow string

// What happens to data for such a shard.
const (
	// RetryOverflow does not accept the request, as if the queue were full. The sender keeps all of it and tries again.
	RetryOverflow ShardOverflow = "retry"
	// DropOverflow drops what is for that shard, counts and logs it, and takes the rest of the request.
	DropOverflow ShardOverflow = "drop"
)

// TelemetryConfig says what the exporter's own metrics show.
type TelemetryConfig struct {
	// ShardAttribute adds the shard to the metrics of Kinesis records and of errors by code. It is off by default, because a
	// stream can have thousands of shards.
	ShardAttribute bool `mapstructure:"shard_attribute"`

	_ struct{}
}

// defaultQueueSize limits what each signal holds in memory, in bytes of messages. That is several seconds of a busy stream.
const defaultQueueSize = 64 << 20

// Kubernetes kills a process 30 s after it was told to stop. So the default leaves the Collector some time for its own end.
const (
	defaultDrainTimeout = 20 * time.Second
	minDrainTimeout     = 100 * time.Millisecond
)

// createDefaultConfig returns the default of each key. The stream has no default.
func createDefaultConfig() component.Config {
	producer := newDefaultProducerConfig()
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.Sizer = exporterhelper.RequestSizerTypeBytes
	queue.QueueSize = defaultQueueSize
	queue.NumConsumers = defaultConsumers
	return &Config{
		Timeout:     exporterhelper.TimeoutConfig{Timeout: producer.RecordTTL + 5*time.Second},
		Queue:       configoptional.Some(queue),
		Retry:       configretry.NewDefaultBackOffConfig(),
		Encoding:    marshaler.OTLPProto,
		Compression: marshaler.NoCompression,
		Delivery:    Confirmed,
		Producer:    producer,

		SignalMarker:  true,
		Oversize:      marshaler.DropOversize,
		DrainTimeout:  defaultDrainTimeout,
		ShardOverflow: RetryOverflow,
		Streams:       StreamsConfig{MaxLive: defaultMaxLive},
	}
}

// Validate returns an error for each key that is wrong by itself or together with others. The errors name the keys. The blocks
// aws and partition_key have a Validate of their own, which the Collector calls too.
func (c *Config) Validate() error {
	var errs keyErrors
	c.validateDurations(&errs)
	producer := c.boundedProducer()
	producer.validate(&errs)
	c.validateSignals(&errs)
	c.Streams.validate(&errs)
	c.validateMessages(&errs)
	if c.Delivery != Confirmed && c.Delivery != FireAndForget {
		errs.add("delivery", nil, "must be %s or %s, found %q", Confirmed, FireAndForget, c.Delivery)
	}
	if c.ShardOverflow != RetryOverflow && c.ShardOverflow != DropOverflow {
		errs.add("shard_overflow", nil, "must be %s or %s, found %q", RetryOverflow, DropOverflow, c.ShardOverflow)
	}
	if t := c.Timeout.Timeout; t != 0 && t <= c.Producer.RecordTTL {
		errs.add("timeout", []string{"record_ttl"}, "must be more than record_ttl (%v), or 0 for none, found %v",
			c.Producer.RecordTTL, t)
	}
	if t := c.DrainTimeout; t != 0 && t < minDrainTimeout {
		errs.add("drain_timeout", nil, "must be at least %v, or 0s for no limit, found %s", minDrainTimeout, withHint(t))
	}
	c.validateJoined(&errs)
	c.validateCompression(&errs)
	c.validateQueue(&errs)
	return errs.join()
}

// validateMessages checks what messages end with, and what fits none.
func (c *Config) validateMessages(errs *keyErrors) {
	if c.Newline && !slices.ContainsFunc(signals[:], func(s marshaler.Signal) bool { return isText(c.encoding(s)) }) {
		errs.add("newline", []string{"encoding"},
			"must be false with encoding %s, which is no text: use encoding %s, or leave newline out", c.Encoding, marshaler.OTLPJSON)
	}
	if c.Oversize != marshaler.DropOversize && c.Oversize != marshaler.TruncateOversize {
		errs.add("oversize", nil, "must be %s or %s, found %q", marshaler.DropOversize, marshaler.TruncateOversize, c.Oversize)
	}
}

// validateCompression checks the compression and its level.
func (c *Config) validateCompression(errs *keyErrors) {
	least, most, ok := c.Compression.Levels()
	switch level := int(c.CompressionParams.Level); {
	case !ok:
		errs.add("compression", nil, "must be %s, %s, %s or %s, found %q",
			marshaler.NoCompression, marshaler.Snappy, marshaler.Zstd, marshaler.Gzip, c.Compression)
	case least == most && level != least:
		errs.add("compression_params::level", nil, "must be left out for compression %s, which has no levels, found %d",
			c.Compression, level)
	case level < least || level > most:
		errs.add("compression_params::level", nil, "must be from %d to %d for compression %s, found %d",
			least, most, c.Compression, level)
	}
}

// compressesRecords reports whether the producer compresses whole Kinesis records, instead of the marshaler each message. Many
// readers read compressed messages that follow each other only to the end of the first, without an error.
func (c *Config) compressesRecords() bool {
	return c.Producer.AggregationFormat == kpl.AggregationConcatenated && c.Compression != marshaler.NoCompression
}

// marshalerConfig returns the configuration of the marshaler of a signal. Messages are filled up to aggregation_max_size. A full
// message is sent as a Kinesis record of its own, without the format of aggregated records.
func (c *Config) marshalerConfig(s marshaler.Signal) marshaler.Config {
	if c.compressesRecords() {
		return c.plainMarshalerConfig(s)
	}
	return marshaler.Config{
		Encoding:   c.encoding(s),
		TargetSize: c.Producer.AggregationMaxSize,
		MaxSize:    c.Producer.MaxRecordSize,

		Compression:      c.Compression,
		CompressionLevel: int(c.CompressionParams.Level),

		SignalMarker: c.SignalMarker,
		Newline:      c.Newline && isText(c.encoding(s)),
		Oversize:     c.Oversize,

		Key: c.partitionKey(s).marshalerConfig(),
	}
}

// messagesInRecord is how many messages are as large as a Kinesis record, if the producer compresses records. With larger ones,
// what does not fit any more would leave more of the record empty. With smaller ones, more bytes would repeat the resources.
const messagesInRecord = 8

// plainMarshalerConfig returns the configuration of the marshaler for messages that the producer compresses together. An item may
// be larger than max_record_size, because compression may make it small enough.
func (c *Config) plainMarshalerConfig(s marshaler.Signal) marshaler.Config {
	config := *c
	config.Compression, config.CompressionParams.Level = marshaler.NoCompression, 0
	m := config.marshalerConfig(s)
	m.MaxSize = max(m.MaxSize, min(kpl.MaxPlainSize, c.boundedProducer().MaxOutstandingBytes))
	if small := m.TargetSize / messagesInRecord; small > messagesInRecord*len(c.partitionKey(s).Static) {
		m.TargetSize = small
	}
	return m
}
