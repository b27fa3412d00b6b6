// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// allSignals are the signals that have names.
var allSignals = []marshaler.Signal{marshaler.Logs, marshaler.Traces, marshaler.Metrics, marshaler.Profiles}

// filter chooses the user records to print. The zero value takes all.
type filter struct {
	only    []marshaler.Signal // empty means all, and data that is not OTLP
	pattern *regexp.Regexp     // nil means any
}

// newFilter reads the values of -only and -grep.
func newFilter(only, pattern string) (f filter, err error) {
	if only != "" {
		for name := range strings.SplitSeq(only, ",") {
			s, known := signalNamed(name)
			if !known {
				return filter{}, fmt.Errorf("-only must be some of logs, traces, metrics and profiles, with commas between, found %q", only)
			}
			f.only = append(f.only, s)
		}
	}
	if pattern != "" {
		if f.pattern, err = regexp.Compile(pattern); err != nil {
			return filter{}, fmt.Errorf("-grep must be a regular expression (\\Q...\\E takes text as it is): %w", err)
		}
	}
	return f, nil
}

func signalNamed(name string) (marshaler.Signal, bool) {
	i := slices.IndexFunc(allSignals, func(s marshaler.Signal) bool { return s.String() == name })
	if i < 0 {
		return 0, false
	}
	return allSignals[i], true
}

// takesAll reports whether there is nothing to choose by.
func (f filter) takesAll() bool { return len(f.only) == 0 && f.pattern == nil }

// takes reports whether to print the user record that has data. What is decoded of it is zero if it is not OTLP.
func (f filter) takes(decoded otlp, isOTLP bool, data []byte) (found bool, err error) {
	if len(f.only) > 0 && (!isOTLP || !slices.Contains(f.only, decoded.signal)) {
		return false, nil
	}
	switch {
	case f.pattern == nil:
		return true, nil
	case isOTLP:
		err = eachText(decoded.payload, func(t text) bool {
			found = f.pattern.MatchString(t.String())
			return !found
		})
		return found, err
	case decoded.text != "":
		return f.pattern.MatchString(decoded.text), nil
	default:
		return f.pattern.Match(data), nil
	}
}
