// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
)

// FieldError says what is wrong with one field of a [Config].
type FieldError struct {
	Field string // name of the Go field
	Value any    // what the field has
	// Reason says which values are allowed, for example "must be from 1 to 500". It names no field.
	Reason string
	// Related is the field that sets the limit which Reason states; empty if no other field does.
	Related string
}

func (e *FieldError) Error() string {
	related := ""
	if e.Related != "" {
		related = " (" + e.Related + ")"
	}
	if reflect.TypeOf(e.Value).Kind() == reflect.String {
		return fmt.Sprintf("kpl: %s %s%s, found %q", e.Field, e.Reason, related, e.Value)
	}
	return fmt.Sprintf("kpl: %s %s%s, found %v", e.Field, e.Reason, related, e.Value)
}

// FieldErrors is the error of [Config.Validate]: one [*FieldError] for each field that is wrong.
type FieldErrors []*FieldError

func (e FieldErrors) Error() string {
	lines := make([]string, len(e))
	for i, field := range e {
		lines[i] = field.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors one by one, for [errors.Is] and [errors.As].
func (e FieldErrors) Unwrap() []error {
	list := make([]error, len(e))
	for i, field := range e {
		list[i] = field
	}
	return list
}

// Validate returns nil, or an error of type [FieldErrors] if a field is out of its range. Fields that are zero count as
// their defaults.
func (c Config) Validate() error {
	c = c.WithDefaults()
	var errs FieldErrors
	errs.within("MaxRecordSize", c.MaxRecordSize, minRecordSize, MaxServiceRecordSize, "")
	switch {
	case c.AggregationFormat == AggregationConcatenated:
	case c.AggregationFormat != AggregationKPL && c.AggregationFormat != AggregationNone:
		errs.add("AggregationFormat", c.AggregationFormat,
			fmt.Sprintf("must be %s, %s or %s", AggregationKPL, AggregationConcatenated, AggregationNone), "")
	case c.Compress != nil:
		errs.add("AggregationFormat", c.AggregationFormat, fmt.Sprintf("must be %s", AggregationConcatenated), "Compress")
	}
	errs.within("AggregationMaxCount", c.AggregationMaxCount, 1, math.MaxInt, "")
	errs.within("AggregationMaxSize", c.AggregationMaxSize, minAggregationSize, c.largestRecord(), "MaxRecordSize")
	errs.within("CollectionMaxCount", c.CollectionMaxCount, 1, MaxRecordsPerRequest, "")
	errs.within("CollectionMaxSize", c.CollectionMaxSize, c.largestRecord(), MaxRequestSize, "MaxRecordSize")
	errs.more("RecordTTL", c.RecordTTL, max(0, c.RecordMaxBufferedTime), "RecordMaxBufferedTime")
	errs.more("RequestTimeout", c.RequestTimeout, 0, "")
	errs.within("MaxConnections", c.MaxConnections, 1, 10_000, "")
	errs.within("RateLimit", c.RateLimit, 1, 1_000_000, "")
	if c.WireProtocol != WireAuto && c.WireProtocol != WireJSON && c.WireProtocol != WireSDK {
		errs.add("WireProtocol", c.WireProtocol, fmt.Sprintf("must be %s, %s or %s", WireAuto, WireJSON, WireSDK), "")
	}
	errs.within("MaxOutstandingRecords", c.MaxOutstandingRecords, 1, math.MaxInt, "")
	errs.within("MaxOutstandingBytes", c.MaxOutstandingBytes, c.largestRecord(), math.MaxInt, "MaxRecordSize")
	if len(errs) == 0 {
		return nil
	}
	return errs
}

func (e *FieldErrors) add(field string, value any, reason, related string) {
	*e = append(*e, &FieldError{Field: field, Value: value, Reason: reason, Related: related})
}

// within demands a value from low to high.
func (e *FieldErrors) within(field string, value, low, high int, related string) {
	switch {
	case value >= low && value <= high:
	case high == math.MaxInt:
		e.add(field, value, fmt.Sprintf("must be at least %d", low), related)
	default:
		e.add(field, value, fmt.Sprintf("must be from %d to %d", low, high), related)
	}
}

// more demands a time that is longer than least.
func (e *FieldErrors) more(field string, value, least time.Duration, related string) {
	switch {
	case value > least:
	case least == 0:
		e.add(field, value, "must be positive", "")
	default:
		e.add(field, value, fmt.Sprintf("must be more than %v", least), related)
	}
}
