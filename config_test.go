// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

func defaultConfig() *Config { return createDefaultConfig().(*Config) }

func TestLoadConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)

	minimal := defaultConfig()
	minimal.AWS.Region, minimal.AWS.StreamName = "eu-central-1", "telemetry"

	all := defaultConfig()
	all.Timeout.Timeout = 2 * time.Minute
	storage := component.MustNewID("file_storage")
	queue := all.Queue.Get()
	queue.NumConsumers, queue.QueueSize, queue.StorageID = 20, 128<<20, &storage
	queue.Batch.GetOrInsertDefault().FlushTimeout = time.Second
	queue.Batch.Get().Partition.MetadataKeys = []string{"x-stream", "x-tenant"}
	all.Retry.MaxElapsedTime = 0
	all.AWS = AWSConfig{
		StreamARN:   "arn:aws:kinesis:eu-west-1:123456789012:stream/telemetry",
		Endpoint:    "http://127.0.0.1:4567",
		Insecure:    true,
		Profile:     "producer",
		RoleARN:     "arn:aws:iam::123456789012:role/writer",
		ExternalID:  "collector",
		SessionName: "collector-7",
		STSRegion:   "eu-west-3",
		STSEndpoint: "https://sts.eu-west-3.amazonaws.com",
	}
	all.AWS.TLS.CAFile, all.AWS.TLS.IncludeSystemCACertsPool = "/etc/ssl/kinesis.pem", true
	all.AWS.TLS.CertFile, all.AWS.TLS.KeyFile = "/etc/ssl/collector.pem", "/etc/ssl/collector-key.pem"
	all.AWS.TLS.ReloadInterval, all.AWS.TLS.MinVersion, all.AWS.TLS.ServerName = time.Hour, "1.3", "kinesis.local"
	all.Encoding, all.Delivery = marshaler.OTLPJSON, FireAndForget
	all.SignalMarker, all.Newline, all.Oversize = false, true, marshaler.TruncateOversize
	all.DrainTimeout = 45 * time.Second
	all.Compression, all.CompressionParams.Level = marshaler.Zstd, 3
	all.PartitionKey = PartitionKeyConfig{
		ResourceAttributes: []string{"service.name", "service.namespace"}, RecordAttributes: []string{"session.id"},
		MetadataKeys: []string{"x-tenant"}, ExplicitHashKeyAttribute: "kinesis.hash_key",
	}
	all.Producer = ProducerConfig{
		AggregationFormat:     kpl.AggregationNone,
		AggregationMaxCount:   100,
		AggregationMaxSize:    25_600,
		CollectionMaxCount:    250,
		CollectionMaxSize:     10 << 20,
		MaxRecordSize:         2 << 20,
		RecordMaxBufferedTime: 250 * time.Millisecond,
		RecordTTL:             time.Minute,
		RequestTimeout:        10 * time.Second,
		MaxConnections:        8,
		RateLimit:             50,
		FailIfThrottled:       true,
		FixedRate:             true,
		WireProtocol:          kpl.WireJSON,
		MaxOutstandingRecords: 5000,
		MaxOutstandingBytes:   16 << 20,
	}
	all.Telemetry.ShardAttribute = true
	all.Logs = SignalConfig{StreamName: "log-archive", Encoding: marshaler.OTLPProto}
	all.Traces.PartitionKey = configoptional.Some(PartitionKeyConfig{Static: "spans"})
	all.Metrics.PartitionKey = configoptional.Some(PartitionKeyConfig{})
	all.Streams = StreamsConfig{
		FromResourceAttribute: "kinesis.stream", FromMetadataKey: "x-stream", Allowed: []string{"payments", "team-*"}, MaxLive: 7,
	}

	government := defaultConfig()
	government.AWS.StreamARN = "arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/telemetry"
	government.PartitionKey.TraceID, government.PartitionKey.Buckets = true, 256
	government.AWS.UseFIPSEndpoint, government.AWS.UseDualStackEndpoint = true, true
	government.AWS.TLS.InsecureSkipVerify, government.AWS.CheckAtStart = true, true

	unqueued := defaultConfig()
	unqueued.Queue = configoptional.None[exporterhelper.QueueBatchConfig]()
	unqueued.Retry.Enabled = false
	unqueued.AWS.StreamName = "telemetry"
	unqueued.PartitionKey.Static = "all"

	for name, want := range map[string]*Config{"": minimal, "all": all, "government": government, "unqueued": unqueued} {
		t.Run(name, func(t *testing.T) {
			sub, err := conf.Sub(component.NewIDWithName(metadata.Type, name).String())
			require.NoError(t, err)
			got := defaultConfig()
			require.NoError(t, sub.Unmarshal(got))
			require.NoError(t, confmap.Validate(got))
			if !got.Queue.HasValue() { // a disabled queue still has its defaults
				got.Queue = configoptional.None[exporterhelper.QueueBatchConfig]()
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestDefaultConfig(t *testing.T) {
	c := defaultConfig()
	assert.Equal(t, 35*time.Second, c.Timeout.Timeout)
	assert.Equal(t, configretry.NewDefaultBackOffConfig(), c.Retry)
	assert.Equal(t, marshaler.OTLPProto, c.Encoding)
	assert.Equal(t, marshaler.NoCompression, c.Compression)
	assert.True(t, c.SignalMarker)
	assert.False(t, c.Newline)
	assert.Equal(t, marshaler.DropOversize, c.Oversize)
	assert.Empty(t, c.CompressionParams)
	assert.Equal(t, Confirmed, c.Delivery)
	assert.Equal(t, 20*time.Second, c.DrainTimeout)
	bounded := c.boundedProducer()
	want := kpl.Config{}.WithDefaults()
	want.MaxOutstandingBytes, want.MaxOutstandingRecords = 4*64<<20, 4*64<<20/messageOverhead
	assert.Equal(t, want, bounded.kplConfig(kpl.Observer{}))
	assert.Empty(t, c.PartitionKey)
	assert.Empty(t, c.AWS)

	require.True(t, c.Queue.HasValue())
	queue := c.Queue.Get()
	assert.Equal(t, exporterhelper.RequestSizerTypeBytes, queue.Sizer)
	assert.Equal(t, int64(64<<20), queue.QueueSize)
	assert.Equal(t, 1024, queue.NumConsumers)
	assert.False(t, queue.Batch.HasValue())

	c.AWS.StreamName = "telemetry"
	require.NoError(t, confmap.Validate(c))
}

// Each testdata/bad_*.yaml has exactly one fault, which the error names by its key.
func TestValidate(t *testing.T) {
	const (
		maxRecord = "1048576"
		maxCall   = "10485760"
	)
	want := map[string]string{
		"encoding": `encoding must be otlp_proto, otlp_json, raw, jaeger_proto, jaeger_json, zipkin_proto, zipkin_json,` +
			` or the id of an encoding extension, found "otlp-proto"`,
		"aggregation_format_jaeger": `aggregation_format must be kpl or none with encoding "jaeger_proto", found "concatenated":` +
			` readers would take spans that follow each other for one`,
		"aggregation_format_raw": `aggregation_format must be kpl or none with encoding "raw", found "concatenated":` +
			` nobody can tell where bodies end, unless newline is true`,
		"aggregation_format_extension": `aggregation_format must be kpl or none with metrics::encoding "text_encoding/lines",` +
			` found "concatenated": nobody can tell where messages of an extension end`,
		"newline_of_proto": `newline must be false with encoding otlp_proto, which is no text: use encoding otlp_json,` +
			` or leave newline out`,
		"oversize":          `oversize must be drop or truncate, found "cut"`,
		"compression":       `compression must be none, snappy, zstd or gzip, found "lz4"`,
		"compression_level": `compression_params::level must be from -1 to 9 for compression gzip, found 10`,
		"compression_level_of_snappy": `compression_params::level must be left out for compression snappy,` +
			` which has no levels, found 1`,
		"delivery": `delivery must be confirmed or fire_and_forget, found "maybe"`,
		"drain_timeout": `drain_timeout must be at least 100ms, or 0s for no limit, found 20µs:` +
			` a number without a unit is in nanoseconds, so for milliseconds write 20000ms`,
		"timeout_not_over_record_ttl":       `timeout must be more than record_ttl (30s), or 0 for none, found 30s`,
		"timeout_negative":                  `timeout must be more than record_ttl (30s), or 0 for none, found -1s`,
		"record_ttl_not_over_buffered_time": `record_ttl must be more than 100ms (record_max_buffered_time), found 100ms`,
		"record_max_buffered_time_negative": `record_max_buffered_time must not be negative, found -1ms`,
		"request_timeout_zero":              `request_timeout must be positive, found 0s`,
		"aggregation_format":                `aggregation_format must be kpl, concatenated or none, found "KPL"`,
		"aggregation_max_count_zero":        `aggregation_max_count must be at least 1, found 0`,
		"aggregation_max_size_over_record": `aggregation_max_size must be from 64 to ` + maxRecord + ` (max_record_size),` +
			` found 1048577`,
		"aggregation_max_size_under_key": `aggregation_max_size must be more than the 64 bytes of the partition key,` +
			` found 64`,
		"collection_max_count_over_limit": `collection_max_count must be from 1 to 500, found 501`,
		"collection_max_size_over_limit": `collection_max_size must be from ` + maxRecord + ` to ` + maxCall +
			` (max_record_size), found 10485761`,
		"max_record_size_over_limit":         `max_record_size must be from 1024 to ` + maxCall + `, found 10485761`,
		"max_connections_zero":               `max_connections must be from 1 to 10000, found 0`,
		"rate_limit_zero":                    `rate_limit must be from 1 to 1000000, found 0`,
		"wire_protocol":                      `wire_protocol must be auto, json or sdk, found "http2"`,
		"max_outstanding_records_negative":   `max_outstanding_records must be at least 1, found -1`,
		"max_outstanding_bytes_under_record": `max_outstanding_bytes must be at least ` + maxRecord + ` (max_record_size)`,
		"queue_size_of_requests": `sending_queue::queue_size is in bytes unless sending_queue::sizer is set, and must be at` +
			` least ` + maxRecord + ` then (max_record_size), found 1000: the default is 67108864`,
		"queue_size_of_100_kB": `sending_queue::queue_size is in bytes unless sending_queue::sizer is set, and must be at` +
			` least ` + maxRecord + ` then (max_record_size), found 100000: the default is 67108864`,
		"batch_max_size_under_record": `sending_queue::batch::max_size must be at least ` + maxRecord + ` bytes` +
			` (max_record_size), or be left out, found 500000: a message may be as large as a record,` +
			` and the exporter cuts requests itself`,
		"batch_flush_timeout_without_unit": `sending_queue::batch::flush_timeout must be at least 1ms, found 200ns:` +
			` a number without a unit is in nanoseconds, so for milliseconds write 200ms`,
		"record_max_buffered_time_without_unit": `record_max_buffered_time must be at least 1ms, or 0s to send at once,` +
			` found 100ns: a number without a unit is in nanoseconds, so for milliseconds write 100ms`,
		"record_ttl_without_unit": `record_ttl must be at least 100ms, found 30µs: a number without a unit is in nanoseconds,` +
			` so for milliseconds write 30000ms`,
		"request_timeout_without_unit": `request_timeout must be at least 100ms, found 6µs: a number without a unit is in` +
			` nanoseconds, so for milliseconds write 6000ms`,
		"request_timeout_short": `request_timeout must be at least 100ms, found 50ms`,
		"retry_elapsed_without_unit": `retry_on_failure::max_elapsed_time must be at least 100ms, or 0s for no end, found 300ns:` +
			` a number without a unit is in nanoseconds, so for milliseconds write 300ms`,
		"stream_name": `aws: stream_name must have 1 to 128 of the characters a-z, A-Z, 0-9, _, . and -,` +
			` found "prod/logs" with 9`,
		"stream_name_is_arn": `aws: stream_name must be a name, found the ARN` +
			` "arn:aws:kinesis:us-east-1:123456789012:stream/telemetry": write it as stream_arn, or write the name alone`,
		"stream_arn_of_consumer": `aws: stream_arn must be like arn:aws:kinesis:us-east-1:123456789012:stream/name, found` +
			` "arn:aws:kinesis:us-east-1:123456789012:stream/telemetry/consumer/reader:1": this is the ARN of the consumer` +
			` "reader:1": leave out what follows stream/telemetry`,
		"region": `aws: region must be like us-east-1, found "us-east-1a" (that is an availability zone: write us-east-1)`,
		"queue_size_missing": `sending_queue::queue_size must be set along with sending_queue::sizer:` +
			` its default, 67108864, is in bytes`,
		"queue_size_zero":    "sending_queue: `queue_size` must be positive",
		"num_consumers_zero": "sending_queue: `num_consumers` must be positive",
		"retry_negative":     "retry_on_failure: initial_interval value must be greater than or equal to 0",
		"partition_key_both": `partition_key: static and resource_attributes exclude each other:` +
			` leave out static or resource_attributes`,
		"partition_key_too_long":            `partition_key: static must have at most 256 characters, found 257`,
		"partition_key_attribute_empty":     `partition_key: resource_attributes[0] must not be empty`,
		"partition_key_attribute_twice":     `partition_key: resource_attributes has "a" twice`,
		"partition_key_static_and_trace_id": `partition_key: static and trace_id exclude each other: leave out static or trace_id`,
		"partition_key_trace_id_and_more": `partition_key: trace_id and metadata_keys, record_attributes exclude each other:` +
			` leave out trace_id or metadata_keys, record_attributes`,
		"partition_key_trace_id_and_hash_key": `partition_key: trace_id and explicit_hash_key_attribute exclude each other:` +
			` leave out trace_id or explicit_hash_key_attribute`,
		"partition_key_buckets_alone":          `partition_key: buckets needs trace_id: set trace_id to true, or leave buckets out`,
		"partition_key_buckets_over_limit":     `partition_key: buckets must be from 1 to 4096, or 0 for 64, found 4097`,
		"partition_key_buckets_negative":       `partition_key: buckets must be from 1 to 4096, or 0 for 64, found -1`,
		"partition_key_record_attribute_twice": `partition_key: record_attributes has "a" twice`,
		"partition_key_record_attribute_empty": `partition_key: record_attributes[0] must not be empty`,
		"partition_key_metadata_twice":         `partition_key: metadata_keys has "x-tenant" twice`,
		"partition_key_hash_key_blank": `partition_key: explicit_hash_key_attribute must not be blank: write the name of an` +
			` attribute, or leave it out`,
		"partition_key_metadata_merged": `sending_queue::batch::partition::metadata_keys must have "x-region"` +
			` (partition_key::metadata_keys), or sending_queue::batch be left out, found ["tenant"]: requests of a storage are` +
			` merged before their keys are made`,
		"stream_missing":         `aws: exactly one of stream_name and stream_arn must be set`,
		"stream_twice":           `aws: exactly one of stream_name and stream_arn must be set`,
		"stream_arn":             `aws: stream_arn must be like arn:aws:kinesis:us-east-1:123456789012:stream/name`,
		"region_of_other_stream": `aws: region is "us-east-1", but the stream of stream_arn is in "eu-west-1"`,
		"endpoint":               `aws: endpoint must be an https:// or http:// URL, found "localhost:4567"`,
		"endpoint_without_tls": `aws: endpoint is http://localhost:4567, which has no TLS: use https://,` +
			` or set aws::insecure to true`,
		"endpoint_with_user": `aws: endpoint must have no user, query or fragment, found "https://me:xxxxx@localhost": leave it out,` +
			` credentials come from the SDK's default chain`,
		"endpoint_no_url_with_user": `aws: endpoint must be an https:// or http:// URL, found "xxxxx@localhost:4567"`,
		"endpoint_with_query":       `aws: endpoint must have no user, query or fragment, found "https://localhost/?a=b"`,
		"role_arn": `aws: role_arn must be the ARN of a role, like arn:aws:iam::123456789012:role/name,` +
			` found "writer"`,
		"role_arn_of_user": `aws: role_arn must be the ARN of a role, like arn:aws:iam::123456789012:role/name,` +
			` found "arn:aws:iam::123456789012:user/writer"`,
		"external_id_without_role":  `aws: external_id needs role_arn`,
		"session_name_without_role": `aws: session_name needs role_arn: set role_arn, or leave session_name out`,
		"session_name": `aws: session_name must have 2 to 64 of the characters a-z, A-Z, 0-9, _, +, =, comma, ., @ and -,` +
			` found "my collector" with 12`,
		"use_fips_endpoint": `aws: endpoint and use_fips_endpoint exclude each other: leave out use_fips_endpoint and write the` +
			` URL that you want, or leave out endpoint`,
		"use_dualstack_endpoint": `aws: sts_endpoint and use_dualstack_endpoint exclude each other: leave out` +
			` use_dualstack_endpoint and write the URL that you want, or leave out sts_endpoint`,
		"sts_region":   `aws: sts_region must be like us-east-1, found "us-east-1a" (that is an availability zone: write us-east-1)`,
		"sts_endpoint": `aws: sts_endpoint must be an https:// or http:// URL, found "sts.eu-west-3.amazonaws.com"`,
		"sts_endpoint_without_tls": `aws: sts_endpoint is http://localhost:4567, which has no TLS: use https://,` +
			` or set aws::insecure to true`,
		"tls_ca_file_unused": `aws: tls::insecure_skip_verify and the authorities of tls::ca_file or tls::ca_pem exclude each` +
			` other: leave one of them out`,
		"tls_ca_twice": `aws::tls: provide either a CA file or the PEM-encoded string, but not both`,
		"tls_cert_without_key": `aws::tls: TLS configuration must include both certificate and key (CertFile/CertPem and` +
			` KeyFile/KeyPem)`,
		"tls_insecure": `aws: tls::insecure has no meaning here: leave it out, and to allow endpoints with http:// set` +
			` aws::insecure to true`,
		"tls_min_version": `aws::tls: invalid TLS min_version: unsupported TLS version: "1.4"`,
		"tls_versions":    `aws::tls: invalid TLS configuration: min_version cannot be greater than max_version`,
		"tls_reload_interval": `aws: tls::reload_interval must be at least 1s, or 0s for never, found 3.6µs: a number without` +
			` a unit is in nanoseconds, so for milliseconds write 3600ms`,
		"tls_server_name": `aws: tls::server_name_override needs endpoint, found "kinesis.local": set endpoint, or leave` +
			` tls::server_name_override out`,
		"ca_file_moved": `aws::ca_file is aws::tls::ca_file now: write it in the block tls of aws`,
		"logs_stream_name": `logs::stream_name must have 1 to 128 of the characters a-z, A-Z, 0-9, _, . and -,` +
			` found "prod/logs" with 9`,
		"logs_stream_name_is_arn": `logs::stream_name must be a name, found the ARN` +
			` "arn:aws:kinesis:us-east-1:123456789012:stream/a": write it as aws::stream_arn, or write the name alone`,
		"traces_encoding": `traces::encoding must be an encoding of traces: otlp_proto, otlp_json, jaeger_proto, jaeger_json,` +
			` zipkin_proto, zipkin_json, or the id of an encoding extension, found "raw"`,
		"metrics_partition_key":          `metrics::partition_key: static and resource_attributes exclude each other`,
		"traces_partition_key_over_size": `aggregation_max_size must be more than the 64 bytes of the partition key, found 64`,
		"streams_allowed_missing":        `streams::allowed must have the names of streams that data may name, found none`,
		"streams_allowed_unused":         `streams::allowed needs streams::from_resource_attribute or streams::from_metadata_key`,
		"streams_allowed_pattern": `streams::allowed must have 1 to 128 of the characters a-z, A-Z, 0-9, _, . and -, and a` +
			` star for any characters, found "team-[ab]"`,
		"streams_allowed_twice": `streams::allowed has "a" twice`,
		"streams_metadata_merged": `sending_queue::batch::partition::metadata_keys must have "x-stream"` +
			` (streams::from_metadata_key), or sending_queue::batch be left out, found ["tenant"]: requests of a storage are` +
			` merged before their streams are known`,
		"streams_max_live":           `streams::max_live must be from 1 to 10000, found 0`,
		"insecure_skip_verify_moved": `aws::insecure_skip_verify is aws::tls::insecure_skip_verify now`,
	}
	files, err := filepath.Glob(filepath.Join("testdata", "bad_*.yaml"))
	require.NoError(t, err)
	require.Len(t, files, len(want))
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "bad_"), ".yaml")
		t.Run(name, func(t *testing.T) {
			require.Contains(t, want, name)
			conf, err := confmaptest.LoadConf(file)
			require.NoError(t, err)
			cfg := defaultConfig()
			if err = conf.Unmarshal(cfg); strings.HasSuffix(name, "_moved") {
				require.ErrorContains(t, err, want[name])
				return
			}
			require.NoError(t, err)
			err = confmap.Validate(cfg)
			require.ErrorContains(t, err, want[name])
			// Of these upstream has its own errors.
			if name != "timeout_negative" && name != "retry_elapsed_without_unit" && !strings.HasPrefix(want[name], "aws::tls: ") {
				assert.NotContains(t, err.Error(), "\n", "one fault, one error")
			}
			assert.NotContains(t, err.Error(), "kpl:")
		})
	}
}

func TestReplacedKey(t *testing.T) {
	for value, want := range map[any]string{
		true:  "aggregation_enabled is replaced: in place of true, write aggregation_format: kpl",
		false: "aggregation_enabled is replaced: in place of false, write aggregation_format: none",
	} {
		conf := confmap.NewFromStringMap(map[string]any{"aggregation_enabled": value})
		require.ErrorContains(t, conf.Unmarshal(defaultConfig()), want)
	}
}

func TestTimeoutZeroIsValid(t *testing.T) {
	c := defaultConfig()
	c.AWS.StreamName = "telemetry"
	c.Timeout.Timeout = 0
	assert.NoError(t, confmap.Validate(c))
}

// Every field of kpl.Config that is for users can be set, under its own name in snake_case, and an error about it names that key.
func TestProducerConfigIsComplete(t *testing.T) {
	var fromKPL []string
	for field := range reflect.TypeFor[kpl.Config]().Fields() {
		switch field.Name {
		case "Observer", "FailIfTooLarge", "Compress": // the exporter sets them itself
		default:
			fromKPL = append(fromKPL, field.Name)
		}
	}
	var ours []string
	set := reflect.ValueOf(&ProducerConfig{}).Elem()
	for i := range set.NumField() {
		field := set.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		ours = append(ours, field.Name)
		assert.Equal(t, strings.ToLower(field.Name), strings.ReplaceAll(field.Tag.Get("mapstructure"), "_", ""))
		switch field.Type.Kind() {
		case reflect.Bool:
			set.Field(i).SetBool(true)
		case reflect.String:
			set.Field(i).SetString(field.Name)
		default:
			set.Field(i).SetInt(int64(i + 1))
		}
	}
	assert.Equal(t, fromKPL, ours)

	producer := set.Addr().Interface().(*ProducerConfig)
	config := reflect.ValueOf(producer.kplConfig(kpl.Observer{}))
	for _, name := range ours {
		assert.Equal(t, set.FieldByName(name).Interface(), config.FieldByName(name).Interface(), name)
	}
}

// A zero in the YAML is zero, and never the default of package kpl.
func TestZerosOfTheYAMLAreNoDefaults(t *testing.T) {
	zero := ProducerConfig{RecordTTL: time.Second}
	assert.Equal(t, kpl.NoBuffering, zero.kplConfig(kpl.Observer{}).RecordMaxBufferedTime)
	var fields kpl.FieldErrors
	require.ErrorAs(t, zero.kplConfig(kpl.Observer{}).Validate(), &fields)
	assert.Len(t, fields, 10, "all that a zero makes no sense for")
	var errs keyErrors
	zero.validate(&errs)
	for line := range strings.Lines(errs.join().Error()) {
		assert.NotContains(t, line, "-1")
	}
}

func TestStreamAddress(t *testing.T) {
	const streamARN = "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/telemetry"
	for _, tt := range []struct {
		name                  string
		aws                   AWSConfig
		signal                string
		stream, label, region string
	}{
		{"name", AWSConfig{StreamName: "telemetry", Region: "eu-west-1"}, "", "telemetry", "telemetry", "eu-west-1"},
		{"name without region", AWSConfig{StreamName: "telemetry"}, "", "telemetry", "telemetry", ""},
		{"name of a signal", AWSConfig{StreamName: "telemetry"}, "spans", "spans", "spans", ""},
		{"ARN", AWSConfig{StreamARN: streamARN}, "", streamARN, "telemetry", "cn-north-1"},
		{
			"name of a signal beside an ARN",
			AWSConfig{StreamARN: streamARN},
			"spans",
			"arn:aws-cn:kinesis:cn-north-1:123456789012:stream/spans", "spans", "cn-north-1",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, tt.aws.Validate())
			assert.Equal(t, tt.stream, tt.aws.address(tt.signal))
			assert.Equal(t, tt.label, streamLabel(tt.aws.address(tt.signal)))
			assert.Equal(t, tt.region, tt.aws.region())
		})
	}
}

func FuzzParseStreamARN(f *testing.F) {
	f.Add("arn:aws:kinesis:us-east-1:123456789012:stream/name")
	f.Add("arn:aws:kinesis:us-east-1:123456789012:stream/")
	f.Add("arn:::::")
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := parseStreamARN(s)
		label := streamLabel(s)
		if err != nil {
			assert.Equal(t, s, label)
			return
		}
		assert.Equal(t, s, parsed.String())
		assert.NotEmpty(t, label)
		assert.True(t, strings.HasSuffix(s, ":stream/"+label))
	})
}
