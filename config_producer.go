package kinesiskplexporter

import (
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// ProducerConfig has the fields of [kpl.Config] under their YAML keys; their meanings, ranges and defaults are
// described, checked and kept there alone.
type ProducerConfig struct {
	AggregationEnabled    bool             `mapstructure:"aggregation_enabled"`
	AggregationMaxCount   int              `mapstructure:"aggregation_max_count"`
	AggregationMaxSize    int              `mapstructure:"aggregation_max_size"`
	CollectionMaxCount    int              `mapstructure:"collection_max_count"`
	CollectionMaxSize     int              `mapstructure:"collection_max_size"`
	MaxRecordSize         int              `mapstructure:"max_record_size"`
	RecordMaxBufferedTime time.Duration    `mapstructure:"record_max_buffered_time"`
	RecordTTL             time.Duration    `mapstructure:"record_ttl"`
	RequestTimeout        time.Duration    `mapstructure:"request_timeout"`
	MaxConnections        int              `mapstructure:"max_connections"`
	RateLimit             int              `mapstructure:"rate_limit"`
	FailIfThrottled       bool             `mapstructure:"fail_if_throttled"`
	FixedRate             bool             `mapstructure:"fixed_rate"`
	WireProtocol          kpl.WireProtocol `mapstructure:"wire_protocol"`
	MaxOutstandingRecords int              `mapstructure:"max_outstanding_records"`
	MaxOutstandingBytes   int              `mapstructure:"max_outstanding_bytes"`

	_ struct{}
}

func newDefaultProducerConfig() ProducerConfig {
	d := kpl.NewDefaultConfig()
	return ProducerConfig{
		AggregationEnabled:    d.AggregationEnabled,
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
		MaxOutstandingRecords: d.MaxOutstandingRecords,
		MaxOutstandingBytes:   d.MaxOutstandingBytes,
	}
}

// kplConfig translates for package kpl.
func (c *ProducerConfig) kplConfig(observer kpl.Observer) kpl.Config {
	return kpl.Config{
		AggregationEnabled:    c.AggregationEnabled,
		AggregationMaxCount:   c.AggregationMaxCount,
		AggregationMaxSize:    c.AggregationMaxSize,
		CollectionMaxCount:    c.CollectionMaxCount,
		CollectionMaxSize:     c.CollectionMaxSize,
		MaxRecordSize:         c.MaxRecordSize,
		RecordMaxBufferedTime: c.RecordMaxBufferedTime,
		RecordTTL:             c.RecordTTL,
		RequestTimeout:        c.RequestTimeout,
		MaxConnections:        c.MaxConnections,
		RateLimit:             c.RateLimit,
		FailIfThrottled:       c.FailIfThrottled,
		FixedRate:             c.FixedRate,
		WireProtocol:          c.WireProtocol,
		MaxOutstandingRecords: c.MaxOutstandingRecords,
		MaxOutstandingBytes:   c.MaxOutstandingBytes,
		Observer:              observer,
	}
}

// validate lets package kpl check what it defines, and gives its error the names of the YAML keys.
func (c *ProducerConfig) validate() error {
	config := c.kplConfig(nil)
	err := config.Validate()
	if err == nil {
		return nil
	}
	names := []string{"kpl: ", ""}
	for field := range reflect.TypeFor[ProducerConfig]().Fields() {
		if key := field.Tag.Get("mapstructure"); key != "" {
			names = append(names, field.Name, key)
		}
	}
	return errors.New(strings.NewReplacer(names...).Replace(err.Error()))
}
