// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

func TestConfigFrom(t *testing.T) {
	least := config{
		httpAddress: "127.0.0.1:4318", grpcAddress: "127.0.0.1:4317",
		answer: confirmed, maxBody: 8 << 20, memory: 64 << 20, timeout: 8 * time.Second,
		stream: events, client: clientTime,
		producer: kpl.Config{
			RecordMaxBufferedTime: kpl.NoBuffering, RecordTTL: 4 * time.Second, RequestTimeout: 4 * time.Second,
			MaxOutstandingBytes: kpl.Unbounded, MaxOutstandingRecords: kpl.Unbounded,
		}.WithDefaults(),
		marshaler: marshaler.Config{
			Encoding: marshaler.OTLPProto, TargetSize: 2 * kpl.PutUnit, MaxSize: 1 << 20, Compression: marshaler.NoCompression,
			SignalMarker: true, Key: marshaler.KeyConfig{ResourceAttributes: []string{}},
		},
		grace: 12 * time.Second,
	}
	all := least
	all.httpAddress, all.grpcAddress, all.answer = ":80", ":81", accepted
	all.maxBody, all.memory, all.timeout = 16<<20, 128<<20, time.Minute
	all.region, all.endpoint = "eu-west-1", "http://127.0.0.1:4567"
	all.producer = kpl.Config{MaxOutstandingBytes: kpl.Unbounded, MaxOutstandingRecords: kpl.Unbounded}.WithDefaults()
	all.marshaler.Compression = marshaler.Snappy
	all.marshaler.Key.ResourceAttributes = []string{"service.name", "host.name"}
	all.grace = 40 * time.Second

	environment := map[string]string{
		"KINESIS_STREAM": events, "AWS_REGION": "eu-west-1", "KINESIS_ENDPOINT": "http://127.0.0.1:4567",
		"KINESIS_KEY_ATTRIBUTES": "service.name,host.name", "KINESIS_COMPRESSION": "snappy",
		"OTLP_HTTP_ADDRESS": ":80", "OTLP_GRPC_ADDRESS": ":81", "OTLP_ANSWER": accepted, "OTLP_TIMEOUT": "1m",
		"OTLP_MAX_BODY_MIB": "16", "OTLP_MEMORY_MIB": "128",
	}
	var flags []string
	for name, value := range environment {
		flags = append(flags, "-"+strings.ToLower(strings.ReplaceAll(name, "_", "-")), value)
	}
	other := maps.Clone(environment)
	for name := range other {
		other[name] = "other"
	}
	tests := map[string]struct {
		args        []string
		environment map[string]string
		want        config
	}{
		"the least":                    {[]string{"-kinesis-stream", events}, nil, least},
		"the least in the environment": {nil, map[string]string{"KINESIS_STREAM": events}, least},
		"all":                          {flags, nil, all},
		"all in the environment":       {nil, environment, all},
		"flags come first":             {flags, other, all},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := configFrom(append([]string{"otlpgateway"}, tt.args...), of(tt.environment), t.Output())
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			producer := got.producer
			require.NoError(t, producer.Validate())
		})
	}
}

func of(environment map[string]string) func(string) string {
	return func(name string) string { return environment[name] }
}

func TestBadConfig(t *testing.T) {
	for name, tt := range map[string]struct {
		args        []string
		environment map[string]string
		want        string
	}{
		"no stream":          {nil, nil, "-kinesis-stream must be set"},
		"unknown flag":       {[]string{"-x"}, nil, "-x"},
		"an argument":        {[]string{"-kinesis-stream", "s", "x"}, nil, `unknown argument "x"`},
		"bad environment":    {nil, map[string]string{"KINESIS_STREAM": "s", "OTLP_TIMEOUT": "8"}, "OTLP_TIMEOUT: "},
		"bad answer":         {nil, map[string]string{"KINESIS_STREAM": "s", "OTLP_ANSWER": "x"}, `-otlp-answer must be confirmed or`},
		"no time":            {[]string{"-kinesis-stream", "s", "-otlp-timeout", "10ms"}, nil, "-otlp-timeout must be at least 1s"},
		"no body":            {[]string{"-kinesis-stream", "s", "-otlp-max-body-mib", "0"}, nil, "-otlp-max-body-mib must be"},
		"little memory":      {[]string{"-kinesis-stream", "s", "-otlp-memory-mib", "31"}, nil, "four times -otlp-max"},
		"least memory":       {[]string{"-kinesis-stream=s", "-otlp-max-body-mib=1", "-otlp-memory-mib=15"}, nil, "at least 16"},
		"help is no failure": {[]string{"-help"}, nil, flag.ErrHelp.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			var help strings.Builder
			_, err := configFrom(append([]string{"otlpgateway"}, tt.args...), of(tt.environment), &help)
			require.ErrorContains(t, err, tt.want)
			if tt.want == flag.ErrHelp.Error() {
				assert.Contains(t, help.String(), "neither TLS nor authentication")
			}
		})
	}
}
