// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// PartitionKeyConfig says where partition keys come from. If nothing is set, messages have no key, and the producer chooses a
// shard that has room.
//
// Static and TraceID exclude each other and all others. The attributes and the metadata make one key together.
type PartitionKeyConfig struct {
	// Static is the key of all messages, so all data goes to one shard. It has 1 to 256 Unicode characters. Empty means none.
	Static string `mapstructure:"static"`
	// TraceID keeps the spans and log records of a trace on one shard. Their trace id puts them into one of Buckets. Log records
	// without a trace id, and data points, have no key.
	TraceID bool `mapstructure:"trace_id"`
	// Buckets is how many buckets there are for TraceID, 1 to [marshaler.MaxBuckets], the same for all who send to the stream. Zero
	// means [marshaler.DefaultBuckets].
	Buckets int `mapstructure:"buckets"`
	// ResourceAttributes are names of resource attributes. Resources with equal values of all of them go to the same shard.
	ResourceAttributes []string `mapstructure:"resource_attributes"`
	// RecordAttributes are names of attributes of log records, spans and data points.
	RecordAttributes []string `mapstructure:"record_attributes"`
	// MetadataKeys are keys of the metadata of the client that has sent the data. Upper and lower case are the same.
	MetadataKeys []string `mapstructure:"metadata_keys"`
	// ExplicitHashKeyAttribute is an attribute of an item, or else of its resource, with the explicit hash key: a decimal number
	// from 0 to 2^128-1, as a string or an int. Empty means none.
	ExplicitHashKeyAttribute string `mapstructure:"explicit_hash_key_attribute"`

	_ struct{}
}

// isDigest reports whether values of attributes or metadata make the keys.
func (c *PartitionKeyConfig) isDigest() bool {
	return len(c.ResourceAttributes)+len(c.RecordAttributes)+len(c.MetadataKeys) > 0
}

// differs reports whether the data decides about keys.
func (c *PartitionKeyConfig) differs() bool {
	return c.TraceID || c.isDigest() || c.ExplicitHashKeyAttribute != ""
}

// marshalerConfig translates for package marshaler.
func (c *PartitionKeyConfig) marshalerConfig() marshaler.KeyConfig {
	return marshaler.KeyConfig{
		Static:             c.Static,
		TraceID:            c.TraceID,
		Buckets:            c.Buckets,
		ResourceAttributes: c.ResourceAttributes,
		RecordAttributes:   c.RecordAttributes,
		MetadataKeys:       c.MetadataKeys,

		ExplicitHashKeyAttribute: c.ExplicitHashKeyAttribute,
	}
}

// Validate returns an error for each key of the block that is wrong. The errors name the keys.
func (c *PartitionKeyConfig) Validate() error {
	errs := []error{c.validateTogether()}
	if n := utf8.RuneCountInString(c.Static); n > kpl.MaxPartitionKeyLength {
		errs = append(errs, fmt.Errorf("static must have at most %d characters, found %d", kpl.MaxPartitionKeyLength, n))
	}
	if !utf8.ValidString(c.Static) {
		errs = append(errs, errors.New("static must be valid UTF-8"))
	}
	if c.Buckets < 0 || c.Buckets > marshaler.MaxBuckets {
		errs = append(errs, fmt.Errorf("buckets must be from 1 to %d, or 0 for %d, found %d",
			marshaler.MaxBuckets, marshaler.DefaultBuckets, c.Buckets))
	}
	errs = append(errs, validateNames("resource_attributes", c.ResourceAttributes, strings.Clone),
		validateNames("record_attributes", c.RecordAttributes, strings.Clone),
		validateNames("metadata_keys", c.MetadataKeys, strings.ToLower))
	if name := c.ExplicitHashKeyAttribute; name != "" && strings.TrimSpace(name) == "" {
		errs = append(errs, errors.New("explicit_hash_key_attribute must not be blank: write the name of an attribute, or leave it "+
			"out"))
	}
	return errors.Join(errs...)
}

// validateTogether returns an error for keys that exclude each other.
func (c *PartitionKeyConfig) validateTogether() error {
	var set []string
	for name, isSet := range map[string]bool{
		"resource_attributes":         len(c.ResourceAttributes) > 0,
		"record_attributes":           len(c.RecordAttributes) > 0,
		"metadata_keys":               len(c.MetadataKeys) > 0,
		"explicit_hash_key_attribute": c.ExplicitHashKeyAttribute != "",
	} {
		if isSet {
			set = append(set, name)
		}
	}
	slices.Sort(set)
	if c.TraceID {
		set = append([]string{"trace_id"}, set...)
	}
	if c.Static != "" {
		set = append([]string{"static"}, set...)
	}
	switch {
	case len(set) > 1 && (set[0] == "static" || set[0] == "trace_id"):
		return fmt.Errorf("%s and %s exclude each other: leave out %[1]s or %[2]s", set[0], strings.Join(set[1:], ", "))
	case c.Buckets != 0 && !c.TraceID:
		return errors.New("buckets needs trace_id: set trace_id to true, or leave buckets out")
	}
	return nil
}

// validateNames returns an error for each name of a list that is blank, or is there twice. The function fold makes names the same
// that mean the same.
func validateNames(key string, names []string, fold func(string) string) error {
	var errs []error
	for i, name := range names {
		if strings.TrimSpace(name) == "" {
			errs = append(errs, fmt.Errorf("%s[%d] must not be empty", key, i))
		}
		if slices.ContainsFunc(names[:i], func(other string) bool { return fold(other) == fold(name) }) {
			errs = append(errs, fmt.Errorf("%s has %q twice", key, name))
		}
	}
	return errors.Join(errs...)
}

// validateMerging finds keys of metadata that are lost when exporterhelper merges requests whose messages are not made yet.
func (c *PartitionKeyConfig) validateMerging(errs *keyErrors, kept []string) {
	for _, key := range c.MetadataKeys {
		if !hasMetadataKey(kept, key) {
			errs.add("sending_queue::batch::partition::metadata_keys", nil, "must have %q (partition_key::metadata_keys), or "+
				"sending_queue::batch be left out, found %q: requests of a storage are merged before their keys are made", key, kept)
		}
	}
}
