// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// SignalConfig says what is different for one signal. What is left out is as for all signals.
type SignalConfig struct {
	// StreamName is the stream of the signal, in the account and region of the other streams. Empty means the stream of
	// [AWSConfig].
	StreamName string `mapstructure:"stream_name"`
	// Encoding of the messages. Empty means [Config.Encoding].
	Encoding marshaler.Encoding `mapstructure:"encoding"`
	// PartitionKey says where partition keys come from. None means [Config.PartitionKey]. An empty block means no keys.
	PartitionKey configoptional.Optional[PartitionKeyConfig] `mapstructure:"partition_key"`

	_ struct{}
}

// signals are the signals that a component can have.
var signals = [...]marshaler.Signal{marshaler.Logs, marshaler.Traces, marshaler.Metrics, marshaler.Profiles}

// ofSignal returns what is different for a signal.
func (c *Config) ofSignal(s marshaler.Signal) *SignalConfig {
	switch s {
	case marshaler.Logs:
	case marshaler.Traces:
		return &c.Traces
	case marshaler.Metrics:
		return &c.Metrics
	case marshaler.Profiles:
		return &c.Profiles
	}
	return &c.Logs
}

// stream returns what the producer calls the stream of a signal: its name or its ARN. It is empty if the signal has no stream.
func (c *Config) stream(s marshaler.Signal) string { return c.AWS.address(c.ofSignal(s).StreamName) }

// streams returns the streams of all signals, each once.
func (c *Config) streams() []string {
	var all []string
	for _, s := range signals {
		if stream := c.stream(s); stream != "" && !slices.Contains(all, stream) {
			all = append(all, stream)
		}
	}
	return all
}

// encoding returns the encoding of a signal.
func (c *Config) encoding(s marshaler.Signal) marshaler.Encoding {
	if own := c.ofSignal(s).Encoding; own != "" {
		return own
	}
	return c.Encoding
}

// partitionKey returns where the partition keys of a signal come from.
func (c *Config) partitionKey(s marshaler.Signal) *PartitionKeyConfig {
	if own := &c.ofSignal(s).PartitionKey; own.HasValue() {
		return own.Get()
	}
	return &c.PartitionKey
}

// validateSignals checks the keys that may differ between signals.
func (c *Config) validateSignals(errs *keyErrors) {
	if c.AWS.StreamName == "" && c.AWS.StreamARN == "" && len(c.streams()) == 0 {
		errs.add("aws:", nil, "exactly one of stream_name and stream_arn must be set")
	}
	checkEncoding(errs, "encoding", c.Encoding)
	for _, s := range signals {
		own := c.ofSignal(s)
		if own.StreamName != "" {
			if err := checkStreamName(own.StreamName, "aws::stream_arn"); err != nil {
				key := s.String() + "::stream_name"
				errs.add(key, nil, "%s", strings.TrimPrefix(err.Error(), "stream_name "))
			}
		}
		if own.Encoding != "" {
			checkEncoding(errs, s.String()+"::encoding", own.Encoding)
			if err := c.checkEncodingOf(s); err != nil {
				errs.add(s.String()+"::encoding", nil, "%s", strings.TrimPrefix(err.Error(), s.String()+"::encoding "))
			}
		}
		if size := len(c.partitionKey(s).Static); c.Producer.AggregationMaxSize <= size {
			errs.add("aggregation_max_size", nil, "must be more than the %d bytes of the partition key, found %d",
				size, c.Producer.AggregationMaxSize)
		}
	}
}

// checkSignal returns an error if there is nowhere to send a signal to, or if it cannot be encoded.
func (c *Config) checkSignal(s marshaler.Signal) error {
	if c.stream(s) == "" {
		return fmt.Errorf("%s have no stream: set %[1]s::stream_name, or aws::stream_name for all signals", s)
	}
	return c.checkEncodingOf(s)
}
