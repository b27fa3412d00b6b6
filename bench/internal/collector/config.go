// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "encoding/json"

// Config is the configuration of a collector.
type Config struct {
	Protocol string         // of the receiver: http or grpc
	Exporter string         // the type of the exporter
	Keys     map[string]any // of the exporter
}

// text returns the file, as JSON, which is YAML too. The collector counts and serves its own metrics as by default, on a port
// that is free.
func (c Config) text(receiver, metrics int) ([]byte, error) {
	type keys = map[string]any
	protocol := keys{"endpoint": address(receiver)}
	if c.Protocol == "grpc" {
		protocol["max_recv_msg_size_mib"] = 20 // as much as HTTP's default
	}
	prometheus := keys{"host": "127.0.0.1", "port": metrics}
	return json.Marshal(keys{
		"receivers": keys{"otlp": keys{"protocols": keys{c.Protocol: protocol}}},
		"exporters": keys{c.Exporter: c.Keys},
		"service": keys{
			"pipelines": keys{"logs": keys{"receivers": []string{"otlp"}, "exporters": []string{c.Exporter}}},
			"telemetry": keys{"metrics": keys{
				"readers": []any{keys{"pull": keys{"exporter": keys{"prometheus": prometheus}}}},
			}},
		},
	})
}
