// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// reading is one fact about this machine.
type reading struct {
	name       string    // the file or the metric that was read
	text       string    // the fact, as a line of a log; empty if err is set
	err        error     // why the fact could not be read
	start, end time.Time // of reading it
}

// readMachine returns a reading for each process of this machine. If the system has no /proc, it returns a reading for each
// metric of the demo's own Go runtime.
func readMachine() []reading {
	paths, _ := filepath.Glob("/proc/[0-9]*/stat") // The pattern is well formed.
	if len(paths) == 0 {
		return readRuntime()
	}
	readings := make([]reading, 0, len(paths))
	for _, path := range paths {
		r := reading{name: path, start: time.Now()}
		stat, err := os.ReadFile(path) //nolint:gosec // The pattern only matches files in /proc.
		if err == nil {
			r.text, err = describe(string(stat))
		}
		r.err, r.end = err, time.Now() // A process may end before it is read.
		readings = append(readings, r)
	}
	return readings
}

// describe turns the text of /proc/<pid>/stat into a line of a log.
func describe(stat string) (string, error) {
	open, end := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	if open < 1 || end < open {
		return "", fmt.Errorf("no command in %q", stat)
	}
	// proc(5) counts the fields from 1. The state is field 3.
	const state, threads, rssPages = 0, 20 - 3, 24 - 3
	fields := strings.Fields(stat[end+1:])
	if len(fields) <= rssPages {
		return "", fmt.Errorf("%d fields after the command in %q", len(fields), stat)
	}
	pages, err := strconv.Atoi(fields[rssPages])
	if err != nil {
		return "", fmt.Errorf("resident set size: %w", err)
	}
	return fmt.Sprintf("pid=%s command=%q state=%s threads=%s resident_bytes=%d",
		strings.TrimSpace(stat[:open]), stat[open+1:end], fields[state], fields[threads], pages*os.Getpagesize()), nil
}

// readRuntime returns a reading for each metric of the Go runtime that is a single number.
func readRuntime() []reading {
	var readings []reading
	for _, description := range metrics.All() {
		r := reading{name: description.Name, start: time.Now()}
		sample := []metrics.Sample{{Name: description.Name}}
		metrics.Read(sample)
		var value float64
		switch sample[0].Value.Kind() {
		case metrics.KindUint64:
			value = float64(sample[0].Value.Uint64())
		case metrics.KindFloat64:
			value = sample[0].Value.Float64()
		default:
			value = math.NaN()
		}
		if !math.IsNaN(value) {
			r.text, r.end = fmt.Sprintf("metric=%s value=%g", description.Name, value), time.Now()
			readings = append(readings, r)
		}
	}
	return readings
}
