// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

func TestConfigFrom(t *testing.T) {
	defaults := kpl.Config{}.WithDefaults()
	tuned := defaults
	tuned.RecordMaxBufferedTime, tuned.RecordTTL = kpl.NoBuffering, 5*time.Second
	tuned.MaxOutstandingRecords, tuned.AggregationFormat, tuned.FailIfThrottled = 10_000, kpl.AggregationNone, true
	tests := []struct {
		name        string
		args        []string
		environment map[string]string
		want        config
	}{
		{
			name:        "the least",
			environment: map[string]string{"KINESIS_STREAM": "events"},
			want:        config{listen: "127.0.0.1:8080", stream: "events", producer: defaults, grace: 40 * time.Second},
		},
		{
			name: "all",
			environment: map[string]string{
				"KINESIS_STREAM": "events", "AWS_REGION": "eu-west-1", "KINESIS_ENDPOINT": "https://127.0.0.1:4567",
				"LISTEN_ADDRESS": ":80", "KINESIS_VERIFY_CERTIFICATE": "false", "RECORD_MAX_BUFFERED_TIME": "0s", "RECORD_TTL": "5s",
				"MAX_OUTSTANDING_RECORDS": "10000", "AGGREGATION_FORMAT": "none", "FAIL_IF_THROTTLED": "true",
			},
			want: config{
				listen: ":80", stream: "events", region: "eu-west-1", endpoint: "https://127.0.0.1:4567", unverified: true,
				producer: tuned, grace: 15 * time.Second,
			},
		},
		{
			name:        "a flag comes before the environment",
			args:        []string{"-kinesis-stream", "events"},
			environment: map[string]string{"KINESIS_STREAM": "others"},
			want:        config{listen: "127.0.0.1:8080", stream: "events", producer: defaults, grace: 40 * time.Second},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.client = clientTime
			got, err := configFrom(tt.args, func(key string) string { return tt.environment[key] }, io.Discard)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestConfigFromRejects(t *testing.T) {
	tests := map[string]struct {
		args        []string
		environment map[string]string
		want        string
	}{
		"no stream":         {nil, nil, "KINESIS_STREAM must be set"},
		"unknown flag":      {[]string{"-x"}, nil, "flag provided but not defined: -x"},
		"an argument":       {[]string{"events"}, nil, `unknown argument "events"`},
		"TTL without unit":  {nil, map[string]string{"RECORD_TTL": "30"}, `RECORD_TTL="30": parse error`},
		"no number":         {nil, map[string]string{"MAX_OUTSTANDING_RECORDS": "many"}, `MAX_OUTSTANDING_RECORDS="many": parse error`},
		"neither yes or no": {nil, map[string]string{"KINESIS_VERIFY_CERTIFICATE": "maybe"}, "KINESIS_VERIFY_CERTIFICATE"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var printed strings.Builder
			_, err := configFrom(tt.args, func(key string) string { return tt.environment[key] }, &printed)
			require.ErrorContains(t, err, tt.want)
			assert.Empty(t, printed.String(), "nobody requested the usage")
		})
	}
}

func TestHelp(t *testing.T) {
	var printed strings.Builder
	_, err := configFrom([]string{"--help"}, func(string) string { return "" }, &printed)
	require.ErrorIs(t, err, flag.ErrHelp)
	for _, want := range []string{
		"POST /events/confirmed", "-kinesis-stream name", "-max-outstanding-records int", "(default 30s)",
	} {
		assert.Contains(t, printed.String(), want)
	}
}
