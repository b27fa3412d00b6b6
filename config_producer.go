// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"errors"
	"reflect"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// ProducerConfig has the fields of [kpl.Config] under their YAML keys. Package kpl says what they mean, checks them and knows
// their defaults.
type ProducerConfig struct {
	AggregationFormat     kpl.AggregationFormat `mapstructure:"aggregation_format"`
	AggregationMaxCount   int                   `mapstructure:"aggregation_max_count"`
	AggregationMaxSize    int                   `mapstructure:"aggregation_max_size"`
	CollectionMaxCount    int                   `mapstructure:"collection_max_count"`
	CollectionMaxSize     int                   `mapstructure:"collection_max_size"`
	MaxRecordSize         int                   `mapstructure:"max_record_size"`
	RecordMaxBufferedTime time.Duration         `mapstructure:"record_max_buffered_time"`
	RecordTTL             time.Duration         `mapstructure:"record_ttl"`
	RequestTimeout        time.Duration         `mapstructure:"request_timeout"`
	MaxConnections        int                   `mapstructure:"max_connections"`
	RateLimit             int                   `mapstructure:"rate_limit"`
	FailIfThrottled       bool                  `mapstructure:"fail_if_throttled"`
	FixedRate             bool                  `mapstructure:"fixed_rate"`
	WireProtocol          kpl.WireProtocol      `mapstructure:"wire_protocol"`
	MaxOutstandingRecords int                   `mapstructure:"max_outstanding_records"`
	MaxOutstandingBytes   int                   `mapstructure:"max_outstanding_bytes"`

	_ struct{}
}

func newDefaultProducerConfig() ProducerConfig {
	d := kpl.Config{}.WithDefaults() // except for what the producer may hold, see [Config.boundedProducer]
	return ProducerConfig{
		AggregationFormat:     d.AggregationFormat,
		AggregationMaxCount:   d.AggregationMaxCount,
		AggregationMaxSize:    d.AggregationMaxSize,
		CollectionMaxCount:    d.CollectionMaxCount,
		CollectionMaxSize:     d.CollectionMaxSize,
		MaxRecordSize:         d.MaxRecordSize,
		RecordMaxBufferedTime: d.RecordMaxBufferedTime,
		RecordTTL:             d.RecordTTL,
		RequestTimeout:        d.RequestTimeout,
		MaxConnections:        d.MaxConnections,
		RateLimit:             d.RateLimit,
		FailIfThrottled:       d.FailIfThrottled,
		FixedRate:             d.FixedRate,
		WireProtocol:          d.WireProtocol,
	}
}

// kplConfig translates for package kpl.
func (c *ProducerConfig) kplConfig(observer kpl.Observer) kpl.Config {
	return kpl.Config{
		AggregationFormat:     c.AggregationFormat,
		AggregationMaxCount:   explicit(c.AggregationMaxCount),
		AggregationMaxSize:    explicit(c.AggregationMaxSize),
		CollectionMaxCount:    explicit(c.CollectionMaxCount),
		CollectionMaxSize:     explicit(c.CollectionMaxSize),
		MaxRecordSize:         explicit(c.MaxRecordSize),
		RecordMaxBufferedTime: explicit(c.RecordMaxBufferedTime),
		RecordTTL:             explicit(c.RecordTTL),
		RequestTimeout:        explicit(c.RequestTimeout),
		MaxConnections:        explicit(c.MaxConnections),
		RateLimit:             explicit(c.RateLimit),
		FailIfThrottled:       c.FailIfThrottled,
		FixedRate:             c.FixedRate,
		WireProtocol:          c.WireProtocol,
		MaxOutstandingRecords: explicit(c.MaxOutstandingRecords),
		MaxOutstandingBytes:   explicit(c.MaxOutstandingBytes),
		Observer:              observer,
	}
}

// explicit turns a zero of the YAML into -1, because a zero means the default in package kpl. There a RecordMaxBufferedTime of
// -1 is [kpl.NoBuffering]. All other fields must not be negative, so they are reported as wrong.
func explicit[T int | time.Duration](value T) T {
	if value == 0 {
		return -1
	}
	return value
}

// validate lets package kpl check what it defines, and names the YAML keys of what is wrong.
func (c *ProducerConfig) validate(errs *keyErrors) {
	if c.RecordMaxBufferedTime < 0 {
		errs.add("record_max_buffered_time", nil, "must not be negative, found %v: 0s sends at once", c.RecordMaxBufferedTime)
	}
	var fields kpl.FieldErrors
	if !errors.As(c.kplConfig(kpl.Observer{}).Validate(), &fields) {
		return
	}
	for _, f := range fields {
		c.addField(errs, f)
	}
}

// addField adds the error of a field in the words of the YAML.
func (c *ProducerConfig) addField(errs *keyErrors, f *kpl.FieldError) {
	reason, related := f.Reason, []string(nil)
	if f.Related != "" {
		related = []string{keyOf(f.Related)}
		reason += " (" + related[0] + ")"
	}
	format := "%s, found %v"
	value := reflect.ValueOf(c).Elem().FieldByName(f.Field)
	if value.Kind() == reflect.String {
		format = "%s, found %q"
	}
	errs.add(keyOf(f.Field), related, format, reason, value)
}

// keyOf returns the YAML key of a field.
func keyOf(field string) string {
	f, _ := reflect.TypeFor[ProducerConfig]().FieldByName(field)
	return f.Tag.Get("mapstructure")
}
