// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// Unmarshal reads the YAML keys of a component. A key that another one has replaced is an error, which says what to write.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	const replaced = "aggregation_enabled"
	if conf.IsSet(replaced) {
		value, format := conf.Get(replaced), kpl.AggregationKPL
		if enabled, isBool := value.(bool); isBool && !enabled {
			format = kpl.AggregationNone
		}
		return fmt.Errorf("%s is replaced: in place of %v, write aggregation_format: %s", replaced, value, format)
	}
	return conf.Unmarshal(c)
}
