// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConfigFrom(t *testing.T) {
	tests := []struct {
		name        string
		environment map[string]string
		want        config
	}{
		{
			name:        "the least",
			environment: map[string]string{"KINESIS_STREAM": "events"},
			want:        config{listen: "127.0.0.1:8080", stream: "events"},
		},
		{
			name: "all",
			environment: map[string]string{
				"KINESIS_STREAM": "events", "AWS_REGION": "eu-west-1", "KINESIS_ENDPOINT": "http://127.0.0.1:4567",
				"LISTEN_ADDRESS": ":80",
			},
			want: config{listen: ":80", stream: "events", region: "eu-west-1", endpoint: "http://127.0.0.1:4567"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.grace, tt.want.client = 40*time.Second, clientTime
			got, err := configFrom(func(key string) string { return tt.environment[key] })
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
	_, err := configFrom(func(string) string { return "" })
	require.ErrorContains(t, err, "KINESIS_STREAM must be set")
}
