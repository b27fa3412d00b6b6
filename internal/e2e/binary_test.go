// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestComponentsListsTheExporter(t *testing.T) {
	output, err := command(t, settings{}, "components").Output()
	require.NoError(t, err)
	retrieved, err := confmap.NewRetrievedFromYAML(output)
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	var listed struct {
		Exporters []struct {
			Name      string            `mapstructure:"name"`
			Stability map[string]string `mapstructure:"stability"`
		} `mapstructure:"exporters"`
	}
	require.NoError(t, conf.Unmarshal(&listed, confmap.WithIgnoreUnused()))
	stability := map[string]map[string]string{}
	for _, e := range listed.Exporters {
		stability[e.Name] = e.Stability
	}
	assert.Equal(t, map[string]string{"logs": "Alpha", "traces": "Alpha", "metrics": "Alpha"}, stability["kinesis_kpl"])
}

func TestValidate(t *testing.T) {
	const prefix = "exporters::kinesis_kpl::"
	tests := []struct {
		name     string
		override string
		want     string // part of the message; empty if the configuration is good
	}{
		{"as it is", prefix + "record_ttl: 20s", ""},
		{"unknown key", prefix + "linger: 1s", "linger"},
		{"no such encoding", prefix + "encoding: otlp-proto", "exporters::kinesis_kpl: encoding must be"},
		{
			"no stream", prefix + "aws::stream_name: ''",
			"exporters::kinesis_kpl: aws: exactly one of stream_name and stream_arn",
		},
		{"timeout within the TTL", prefix + "timeout: 30s", "exporters::kinesis_kpl: timeout must be more than record_ttl"},
		{"no connections", prefix + "max_connections: 0", "max_connections must be"},
		{"no duration", prefix + "record_ttl: soon", "record_ttl"},
		{
			"two kinds of key", prefix + "partition_key: {static: a, resource_attributes: [b]}",
			"exporters::kinesis_kpl::partition_key: static and resource_attributes",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := settings{kinesis: "http://127.0.0.1:1", overrides: []string{test.override}, env: map[string]string{
				"E2E_GRPC_ADDRESS": "127.0.0.1:1", "E2E_HTTP_ADDRESS": "127.0.0.1:2", "E2E_METRICS_PORT": "3",
			}}
			output, err := command(t, s, append([]string{"validate"}, s.configArgs()...)...).CombinedOutput()
			if test.want == "" {
				require.NoError(t, err, "%s", output)
				return
			}
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			assert.Equal(t, 1, exit.ExitCode())
			assert.Contains(t, string(output), test.want)
		})
	}
}
