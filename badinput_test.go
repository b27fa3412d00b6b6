// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// anyStream is a service whose streams are all the same one.
type anyStream struct{ *kpltest.Kinesis }

func (s anyStream) PutRecords(
	ctx context.Context, in *kinesis.PutRecordsInput, options ...func(*kinesis.Options),
) (*kinesis.PutRecordsOutput, error) {
	same := *in
	same.StreamName, same.StreamARN = aws.String(testStream), nil
	return s.Kinesis.PutRecords(ctx, &same, options...)
}

func (s anyStream) ListShards(
	ctx context.Context, in *kinesis.ListShardsInput, options ...func(*kinesis.Options),
) (*kinesis.ListShardsOutput, error) {
	same := *in
	if same.StreamName != nil || same.StreamARN != nil {
		same.StreamName, same.StreamARN = aws.String(testStream), nil
	}
	return s.Kinesis.ListShards(ctx, &same, options...)
}

// exporterConfig reads the YAML of an exporter and checks it.
func exporterConfig(yaml []byte) (*Config, error) {
	retrieved, err := confmap.NewRetrievedFromYAML(yaml)
	if err != nil {
		return nil, err
	}
	conf, err := retrieved.AsConf()
	if err != nil {
		return nil, err
	}
	c := defaultConfig()
	return c, errors.Join(conf.Unmarshal(c), confmap.Validate(c))
}

// FuzzConfig checks that no YAML makes the exporter panic, and that with any valid one it delivers a log record.
func FuzzConfig(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.yaml"))
	require.NoError(f, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(content)
	}
	for _, keys := range []string{
		"sending_queue: {enabled: false}",
		"sending_queue: {sizer: requests, queue_size: 1, num_consumers: 1, block_on_overflow: true, wait_for_result: true}",
		"sending_queue: {storage: file_storage, batch: {flush_timeout: 1h, min_size: 1, max_size: 1}}",
		"sending_queue: {batch: {flush_timeout: 1h, sizer: bytes, partition: {metadata_keys: [a]}}}",
		"partition_key: {static: \U0001f600}",
		"aggregation_max_size: 64\nmax_record_size: 1024\npartition_key: {resource_attributes: [a]}",
		"max_connections: 10000\nrate_limit: 1000000",
		"max_outstanding_records: 9223372036854775807\nmax_outstanding_bytes: 9223372036854775807",
		"aggregation_max_count: 9223372036854775807\nencoding: otlp_json\ndelivery: fire_and_forget",
		"timeout: 0\nrecord_ttl: 2562047h\nrecord_max_buffered_time: 2562046h\nrequest_timeout: 2562047h",
		"timeout: 2562047h\nrecord_ttl: 100ms\nrecord_max_buffered_time: 0\nrequest_timeout: 100ms",
		"max_connections: 1\nrate_limit: 1\nmax_outstanding_records: 1\ncollection_max_count: 1",
	} {
		yaml := keys + "\naws: {stream_name: telemetry}"
		_, err := exporterConfig([]byte(yaml))
		require.NoError(f, err, yaml)
		f.Add([]byte(yaml))
	}
	f.Add([]byte("aws: {stream_name: '{\u0000}', region: '\xff', endpoint: https://x}"))
	f.Fuzz(func(t *testing.T, yaml []byte) {
		c, err := exporterConfig(yaml)
		if err != nil {
			return
		}
		synctest.Test(t, func(t *testing.T) { deliverOne(t, c) })
	})
}

// deliverOne pushes a log record through an exporter with this configuration.
func deliverOne(t *testing.T, c *Config) {
	k := newTestKinesis(2)
	c.Retry.Enabled = false // its intervals may be zero
	stores := false
	if c.Queue.HasValue() {
		c.Queue.Get().WaitForResult = false // exporterhelper shares its channels between bubbles
		stores = c.Queue.Get().StorageID != nil
	}
	e := newRig(t, factoryFor(anyStream{k}), c)
	if stores {
		e.host.Host = storageHost{*c.Queue.Get().StorageID: &memoryStorage{values: map[string][]byte{}}}
	}
	require.NoError(t, e.Start(t.Context(), e.host))
	err := e.ConsumeLogs(within(t, time.Hour), logsOf("a"))
	e.stop(t)
	stored := len(k.UserRecords(testStream))
	assert.LessOrEqual(t, stored, 1)
	if stores || c.Producer.RecordTTL < time.Second || c.Producer.RequestTimeout < time.Second {
		return // it may still be in the storage, or not be delivered in such a time
	}
	require.NoError(t, err)
	assert.Equal(t, 1, stored)
}

// The extremes of a key either work, or the error names the key.
func TestExtremeConfigurations(t *testing.T) {
	const most = "9223372036854775807"
	for yaml, invalid := range map[string]string{
		"max_connections: " + most:         "max_connections must be from 1 to ",
		"rate_limit: " + most:              "rate_limit must be from 1 to ",
		"max_outstanding_records: " + most: "",
		"max_outstanding_bytes: " + most:   "",
		"aggregation_max_count: " + most:   "",
		"record_ttl: 2562047h\ntimeout: 0": "",
		"request_timeout: 2562047h":        "",
	} {
		t.Run(yaml, func(t *testing.T) {
			c, err := exporterConfig([]byte(yaml + "\naws: {stream_name: telemetry}"))
			if invalid != "" {
				require.ErrorContains(t, err, invalid)
				return
			}
			require.NoError(t, err)
			synctest.Test(t, func(t *testing.T) { deliverOne(t, c) })
		})
	}
}
