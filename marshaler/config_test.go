// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewNamesTheBadField(t *testing.T) {
	good := Config{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 20}
	tests := []struct {
		name  string
		spoil func(*Config)
		want  string
	}{
		{
			"no encoding", func(c *Config) { c.Encoding = "" },
			`marshaler: Encoding must be "otlp_proto" or "otlp_json", found ""`,
		},
		{
			"target zero", func(c *Config) { c.TargetSize = 0 },
			"marshaler: TargetSize must be more than the 16 bytes of the partition key, found 0",
		},
		{
			"target takes no data", func(c *Config) { c.TargetSize = 32; c.Key.ResourceAttributes = []string{"a"} },
			"marshaler: TargetSize must be more than the 32 bytes of the partition key, found 32",
		},
		{
			"max below target", func(c *Config) { c.MaxSize = 51_199 },
			"marshaler: MaxSize must be at least TargetSize (51200), found 51199",
		},
		{
			"no such compression", func(c *Config) { c.Compression = "lz4" },
			`marshaler: Compression must be "none", "snappy", "zstd" or "gzip", found "lz4"`,
		},
		{
			"no such level", func(c *Config) { c.Compression, c.CompressionLevel = Zstd, 23 },
			`marshaler: CompressionLevel must be from -1 to 22 for Compression "zstd", found 23`,
		},
		{
			"level of nothing", func(c *Config) { c.CompressionLevel = 1 },
			`marshaler: CompressionLevel must be from 0 to 0 for Compression "", found 1`,
		},
		{
			"two kinds of keys", func(c *Config) { c.Key = KeyConfig{Static: "a", ResourceAttributes: []string{"b"}} },
			"marshaler: Key.Static excludes all other fields of Key",
		},
		{
			"trace ids and more", func(c *Config) { c.Key = KeyConfig{TraceID: true, RecordAttributes: []string{"b"}} },
			"marshaler: Key.TraceID excludes all other fields of Key but Buckets",
		},
		{
			"trace ids and a hash key", func(c *Config) { c.Key = KeyConfig{TraceID: true, ExplicitHashKeyAttribute: "b"} },
			"marshaler: Key.TraceID excludes all other fields of Key but Buckets",
		},
		{
			"static and trace ids", func(c *Config) { c.Key = KeyConfig{Static: "a", TraceID: true} },
			"marshaler: Key.Static excludes all other fields of Key",
		},
		{
			"buckets of nothing", func(c *Config) { c.Key = KeyConfig{Buckets: 3} },
			"marshaler: Key.Buckets needs Key.TraceID",
		},
		{
			"too many buckets", func(c *Config) { c.Key = KeyConfig{TraceID: true, Buckets: 4097} },
			"marshaler: Key.Buckets must be from 1 to 4096, or 0 for 64, found 4097",
		},
		{
			"metadata twice", func(c *Config) { c.Key.MetadataKeys = []string{"A", "a"} },
			`marshaler: Key.MetadataKeys has "a" twice`,
		},
		{
			"no room for a hash key", func(c *Config) { c.TargetSize, c.Key.ExplicitHashKeyAttribute = 39, "a" },
			"marshaler: TargetSize must be more than the 39 bytes of the partition key, found 39",
		},
		{
			"long key", func(c *Config) { c.Key.Static = strings.Repeat("ä", 257) },
			"marshaler: Key.Static has 257 characters, the limit is 256",
		},
		{"broken key", func(c *Config) { c.Key.Static = "\xff" }, "marshaler: Key.Static is not valid UTF-8"},
		{
			"empty name", func(c *Config) { c.Key.ResourceAttributes = []string{"a", ""} },
			"marshaler: Key.ResourceAttributes[1] is empty",
		},
		{
			"name twice", func(c *Config) { c.Key.ResourceAttributes = []string{"a", "b", "a"} },
			`marshaler: Key.ResourceAttributes has "a" twice`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := good
			test.spoil(&cfg)
			_, err := New(cfg)
			require.EqualError(t, err, test.want)
		})
	}
	for name, key := range map[string]KeyConfig{
		"keyless": {}, "longest key": {Static: strings.Repeat("ä", 256)}, "attributes": {ResourceAttributes: []string{"a", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			cfg.Key = key
			_, err := New(cfg)
			require.NoError(t, err)
		})
	}
}

func TestNames(t *testing.T) {
	for signal, want := range map[Signal]string{Logs: "logs", Traces: "traces", Metrics: "metrics", 9: "unknown"} {
		assert.Equal(t, want, signal.String())
	}
	for signal, want := range map[Signal]string{
		Logs:    "marshaler: a log record takes 30 bytes with its resource and partition key, the limit is 20",
		Traces:  "marshaler: a span takes 30 bytes with its resource and partition key, the limit is 20",
		Metrics: "marshaler: a data point takes 30 bytes with its resource and partition key, the limit is 20",
	} {
		require.EqualError(t, &ItemSizeError{Signal: signal, Size: 30, Limit: 20}, want)
	}
}
