// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func TestDescribe(t *testing.T) {
	const rest = " S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 12 0 100 4096 250 18446744073709551615\n"
	resident := fmt.Sprintf("resident_bytes=%d", 250*os.Getpagesize())
	tests := []struct{ name, stat, want, err string }{
		{name: "plain", stat: "7 (sh)" + rest, want: `pid=7 command="sh" state=S threads=12 ` + resident},
		{name: "brackets", stat: "7 (a) (b c)" + rest, want: `pid=7 command="a) (b c" state=S threads=12 ` + resident},
		{name: "empty", stat: "", err: `no command in ""`},
		{name: "reversed", stat: "7 )(", err: `no command in "7 )("`},
		{name: "cut", stat: "7 (sh) S 1", err: `2 fields after the command in "7 (sh) S 1"`},
		{
			name: "no number", stat: "7 (sh)" + strings.ReplaceAll(rest, " 250 ", " x "),
			err: `resident set size: strconv.Atoi: parsing "x": invalid syntax`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := describe(test.stat)
			if test.err != "" {
				require.EqualError(t, err, test.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestReadMachineFindsThisProcess(t *testing.T) {
	want, own := "metric=/sched/goroutines:goroutines ", "/sched/goroutines:goroutines"
	if _, err := os.Stat("/proc/self/stat"); err == nil {
		want, own = fmt.Sprintf("pid=%d ", os.Getpid()), fmt.Sprintf("/proc/%d/stat", os.Getpid())
	}
	found := 0
	for _, r := range readMachine() {
		assert.False(t, r.end.Before(r.start))
		if r.name == own {
			require.NoError(t, r.err)
			assert.True(t, strings.HasPrefix(r.text, want), r.text)
			found++
		}
	}
	assert.Equal(t, 1, found)
}

func TestReadRuntime(t *testing.T) {
	readings := readRuntime()
	require.NotEmpty(t, readings)
	for _, r := range readings {
		require.NoError(t, r.err)
		assert.True(t, strings.HasPrefix(r.text, "metric="+r.name+" value="), r.text)
	}
}

func TestScanBecomesLinesAndSpans(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	readings := []reading{
		{name: "a", text: "x=1", start: start, end: start.Add(time.Millisecond)},
		{name: "b", err: errors.New("gone"), start: start, end: start.Add(2 * time.Millisecond)},
	}

	var file bytes.Buffer
	lines, err := writeLines(&file, readings)
	require.NoError(t, err)
	assert.Equal(t, 1, lines)
	assert.Equal(t, "2026-01-02T03:04:05.001Z x=1\n", file.String())

	traces, traceID := newTrace(start, readings)
	require.Equal(t, 3, traces.SpanCount())
	spans := traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	ids := map[pcommon.SpanID]bool{}
	for _, span := range spans.All() {
		assert.Equal(t, traceID, span.TraceID())
		ids[span.SpanID()] = true
	}
	assert.Len(t, ids, 3)
	assert.True(t, spans.At(0).ParentSpanID().IsEmpty())
	assert.Equal(t, "read b", spans.At(2).Name())
	assert.Equal(t, spans.At(0).SpanID(), spans.At(2).ParentSpanID())
	assert.Equal(t, start.Add(2*time.Millisecond), spans.At(2).EndTimestamp().AsTime())
	assert.Equal(t, ptrace.StatusCodeUnset, spans.At(1).Status().Code())
	assert.Equal(t, ptrace.StatusCodeError, spans.At(2).Status().Code())

	logs := newScanLog(start, traceID, readings)
	require.Equal(t, 1, logs.LogRecordCount())
	record := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, traceID, record.TraceID())
	assert.Contains(t, record.Body().Str(), "2 readings in ")
}
