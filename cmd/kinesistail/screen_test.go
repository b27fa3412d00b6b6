// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// Sequences that clear a screen, set a title, reverse text, and start a command in one character or one byte.
const hostile = "a\x1b[2J\x1b]0;title\x07\r\n\u202eb\u009b2Jc\x7fd\u2028e\U000e0041"

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"":            "",
		"plain é 語 😀": "plain é 語 😀",
		"a\x1b[2Jb":   `a\x1b[2Jb`,
		"a\nb\tc":     `a\nb\tc`,
		"a\xffb":      `a\xffb`,
		"\u009b2J":    `\u009b2J`,
		"\u202e":      `\u202e`,
		"\ufffd":      "\ufffd",
	} {
		assert.Equal(t, want, visible(text))
	}
	assert.Equal(t, "a\n\\x1bb", visibleLines("a\n\x1bb"))
}

func TestClipped(t *testing.T) {
	assert.Equal(t, "abc", clipped("abc", 3))
	assert.Equal(t, "ab…", clipped("abcd", 3))
	assert.Equal(t, "éé…", clipped(strings.Repeat("é", 100), 3))
	assert.Equal(t, 10, utf8.RuneCountInString(clipped(strings.Repeat("\x1b", 100), 10)))
}

// Escaped JSON means the same.
func FuzzVisibleJSON(f *testing.F) {
	f.Add("plain")
	f.Add(hostile)
	f.Add("\xff\\\"\ufffd")
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		require.NoError(t, newJSONLines(&out).write(recordLine{Text: text}))
		assertVisible(t, out.String())
		var got recordLine
		require.NoError(t, json.Unmarshal(out.Bytes(), &got))
		assert.Equal(t, strings.ToValidUTF8(text, "\ufffd"), strings.ToValidUTF8(got.Text, "\ufffd"))
	})
}

func assertVisible(t *testing.T, printed string) {
	t.Helper()
	for line := range strings.SplitSeq(printed, "\n") {
		assert.Equal(t, visible(line), line)
	}
}

// Whatever is in records, nothing that is printed can command a terminal.
func TestNothingOfRecordsCommandsATerminal(t *testing.T) {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", hostile)
	resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(hostile)
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
	putData(t, k, lowestHashKey, must(t)(new(plog.ProtoMarshaler).MarshalLogs(logs)))
	putData(t, k, lowestHashKey, must(t)(new(plog.JSONMarshaler).MarshalLogs(logs)))
	putData(t, k, lowestHashKey, []byte("text \u202e\u2028"))
	putData(t, k, lowestHashKey, []byte(hostile))
	putData(t, k, lowestHashKey, []byte(`{"resourceLogs":"`+hostile+`"}`))
	flags := append(serve(t, k), "-stream", stream)
	for _, format := range []string{formatText, formatJSON, formatBoth, formatSummary} {
		var stdout, stderr bytes.Buffer
		require.NoError(t, run(t.Context(), append(flags, "-format", format), &stdout, &stderr))
		assertVisible(t, stdout.String())
		assertVisible(t, stderr.String())
	}
}

func TestIsTerminal(t *testing.T) {
	assert.False(t, isTerminal(new(bytes.Buffer)))
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	assert.False(t, isTerminal(file))
	assert.Equal(t, formatJSON, defaultFormat(file))
	if device, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err == nil {
		defer func() { require.NoError(t, device.Close()) }()
		assert.True(t, isTerminal(device))
		assert.Equal(t, formatText, defaultFormat(device))
	}
}
