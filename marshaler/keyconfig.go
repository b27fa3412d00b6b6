// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// KeylessKeySize is the size in bytes of the partition key that the producer makes for a message without one. The size of
// such a message includes these bytes. The number must be that of the producer.
const KeylessKeySize = 16

// maxKeyLength is how many Unicode characters Kinesis allows in a partition key.
const maxKeyLength = 256

// The number of buckets for [KeyConfig.TraceID].
const (
	// DefaultBuckets is enough for a stream of 8 to 16 shards.
	DefaultBuckets = 64
	// MaxBuckets is the most that can be.
	MaxBuckets = 4096
)

// KeyConfig says where partition keys come from. The zero value makes messages without a key.
//
// Static and TraceID exclude each other and all other fields but Buckets. The attributes and the metadata make one key together.
type KeyConfig struct {
	// Static is the partition key of every message. It has 1 to 256 Unicode characters. Empty means none.
	Static string

	// TraceID puts the items of a trace into one of Buckets, by a hash of the trace id. The buckets have explicit hash keys that
	// divide the hash keys of a stream into equal parts. Log records without a trace id, and data points, have no key.
	TraceID bool
	// Buckets is how many buckets there are, 1 to [MaxBuckets]. It must be the same for all who send to a stream. Zero means
	// [DefaultBuckets].
	Buckets int

	// ResourceAttributes are names of resource attributes, RecordAttributes are names of attributes of log records, spans and data
	// points. MetadataKeys are keys of the metadata that [WithMetadata] gives; upper and lower case are the same.
	//
	// Items with equal values of all of them get the same key. What is missing counts as one more value. Each key has messages of
	// its own. The order of the names does not matter. Empty means none.
	ResourceAttributes []string
	RecordAttributes   []string
	MetadataKeys       []string

	// ExplicitHashKeyAttribute is the name of an attribute of an item, or else of its resource. The value is a decimal number from
	// 0 to 2^128-1, as a string or as an int. It becomes [Message.ExplicitHashKey], and also the partition key if nothing
	// else makes one. An item without the attribute, or with another value, goes where it would go without this field. Empty
	// means that there is no such attribute.
	ExplicitHashKeyAttribute string
}

// isDigest reports whether keys are hashes of values.
func (c *KeyConfig) isDigest() bool {
	return len(c.ResourceAttributes)+len(c.RecordAttributes)+len(c.MetadataKeys) > 0
}

// keySize returns the size in bytes of the longest partition key that the configuration makes.
func (c *KeyConfig) keySize() int {
	switch {
	case c.Static != "":
		return len(c.Static)
	case c.isDigest():
		return digestKeySize
	case c.ExplicitHashKeyAttribute != "":
		return len(maxHashKey)
	}
	return KeylessKeySize // those of buckets are shorter
}

// buckets returns how many buckets there are, 0 if trace ids make no keys.
func (c *KeyConfig) buckets() int {
	switch {
	case !c.TraceID:
		return 0
	case c.Buckets == 0:
		return DefaultBuckets
	}
	return c.Buckets
}

func (c *KeyConfig) validate() error {
	others := c.isDigest() || c.ExplicitHashKeyAttribute != ""
	switch {
	case c.Static != "" && (others || c.TraceID):
		return errors.New("marshaler: Key.Static excludes all other fields of Key")
	case c.TraceID && others:
		return errors.New("marshaler: Key.TraceID excludes all other fields of Key but Buckets")
	case c.Buckets != 0 && !c.TraceID:
		return errors.New("marshaler: Key.Buckets needs Key.TraceID")
	case c.Buckets < 0 || c.Buckets > MaxBuckets:
		return fmt.Errorf("marshaler: Key.Buckets must be from 1 to %d, or 0 for %d, found %d", MaxBuckets, DefaultBuckets, c.Buckets)
	}
	if n := utf8.RuneCountInString(c.Static); n > maxKeyLength {
		return fmt.Errorf("marshaler: Key.Static has %d characters, the limit is %d", n, maxKeyLength)
	}
	if !utf8.ValidString(c.Static) {
		return errors.New("marshaler: Key.Static is not valid UTF-8")
	}
	for _, list := range []struct {
		name   string
		values []string
	}{
		{"ResourceAttributes", c.ResourceAttributes},
		{"RecordAttributes", c.RecordAttributes},
		{"MetadataKeys", lowered(c.MetadataKeys)},
	} {
		if err := checkNames(list.name, list.values); err != nil {
			return err
		}
	}
	return nil
}

// checkNames returns an error if a list has an empty name or one twice.
func checkNames(field string, names []string) error {
	for i, name := range names {
		if name == "" {
			return fmt.Errorf("marshaler: Key.%s[%d] is empty", field, i)
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("marshaler: Key.%s has %q twice", field, name)
		}
	}
	return nil
}

// lowered returns names in lower case.
func lowered(names []string) []string {
	low := make([]string, len(names))
	for i, name := range names {
		low[i] = strings.ToLower(name)
	}
	return low
}
