// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// rich returns a log record with each kind of value.
func rich() plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "cart")
	r := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetSeverityText("ERROR")
	body := r.Body().SetEmptyMap()
	body.PutStr("message", "out of\nstock")
	r.Attributes().PutInt("status", 404)
	r.Attributes().PutBool("retried", true)
	r.Attributes().PutDouble("share", 0.5)
	list := r.Attributes().PutEmptySlice("tags")
	list.AppendEmpty().SetStr("a")
	list.AppendEmpty().SetEmptyMap().PutStr("deep", "b")
	return logs
}

func TestEachText(t *testing.T) {
	var got []string
	require.NoError(t, eachText(must(t)(new(plog.JSONMarshaler).MarshalLogs(rich())), func(t text) bool {
		got = append(got, t.in+": "+t.String())
		return true
	}))
	assert.Equal(t, []string{
		"attributes: service.name=cart", "logRecords: severityText=ERROR", "body: message=out of\nstock",
		"attributes: status=404", "attributes: retried=true", "attributes: share=0.5", "attributes: tags=a", "tags: deep=b",
	}, got)

	count := 0
	require.NoError(t, eachText([]byte(`{"a":"1","b":"2"}`), func(text) bool { count++; return false }))
	assert.Equal(t, 1, count)
	require.Error(t, eachText([]byte(`{"a":`), func(text) bool { return true }))
}

func FuzzEachText(f *testing.F) {
	f.Add([]byte(`{"a":{"key":"k","value":{"stringValue":null}},"b":[1,[true]]}`))
	f.Add([]byte(`{"key":{"key":1},"value":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = eachText(data, func(got text) bool { return assert.NotNil(t, got) }) // It ends, and panics on nothing.
	})
}

// mixed returns a stream with a record of each signal, one of text and one of other data.
func mixed(t *testing.T) *kpltest.Kinesis {
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
	putData(t, k, lowestHashKey, must(t)(new(plog.ProtoMarshaler).MarshalLogs(rich())))
	putData(t, k, lowestHashKey, must(t)(new(ptrace.JSONMarshaler).MarshalTraces(oneSpan())))
	putData(t, k, lowestHashKey, must(t)(new(pmetric.ProtoMarshaler).MarshalMetrics(threePoints())))
	profiles := must(t)(new(pprofile.ProtoMarshaler).MarshalProfiles(twoSamples()))
	putData(t, k, lowestHashKey, append([]byte("\xf8\x7f\x04"), profiles...))
	putData(t, k, lowestHashKey, []byte("plain text of a cart"))
	putData(t, k, lowestHashKey, []byte("\x00\x01binary"))
	return k
}

func TestRunFilters(t *testing.T) {
	k := mixed(t)
	flags := append(serve(t, k), "-stream", stream)
	const log, span, metric, profile, plain, data = `"signal":"logs"`, `"signal":"traces"`, `"signal":"metrics"`,
		`"signal":"profiles"`, `"text":`, `"data":`
	for name, test := range map[string]struct{ args, want []string }{
		"all":                  {nil, []string{log, span, metric, profile, plain, data}},
		"one signal":           {[]string{"-only", "logs"}, []string{log}},
		"two signals":          {[]string{"-only", "profiles,traces"}, []string{span, profile}},
		"a plain word":         {[]string{"-grep", "cart"}, []string{log, plain}},
		"an attribute":         {[]string{"-grep", "^service.name=cart$"}, []string{log}},
		"a number":             {[]string{"-grep", "status=4.."}, []string{log}},
		"a field":              {[]string{"-grep", "^name=(GET /|load)$"}, []string{span, metric}},
		"a newline in a value": {[]string{"-grep", `(?s)out.*stock`}, []string{log}},
		"bytes":                {[]string{"-grep", `\x01bin`}, []string{data}},
		"both":                 {[]string{"-grep", "cart|GET", "-only", "traces,metrics"}, []string{span}},
		"nothing":              {[]string{"-grep", "no such text"}, nil},
		"the first match":      {[]string{"-grep", "cart", "-max", "1"}, []string{log}},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.NoError(t, run(t.Context(), append(flags, test.args...), &stdout, &stderr))
			got := lines(&stdout)
			require.Len(t, got, len(test.want)+1)
			for i, want := range test.want {
				assert.Contains(t, got[i], want)
			}
			if !strings.Contains(strings.Join(test.args, " "), "-max") {
				assert.Contains(t, got[len(got)-1], `"user_records":6`, "the summary counts all")
			}
		})
	}
}

func TestRunPrintsATable(t *testing.T) {
	k := mixed(t)
	flags := append(serve(t, k), "-stream", stream)
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), append(flags, "-format", "text"), &stdout, &stderr))
	assert.Empty(t, stderr.String())
	got := lines(&stdout)
	assert.Regexp(t, `^ARRIVED +SHARD +KIND +ITEMS +PARTITION KEY +CONTENT$`, got[0])
	const start = `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  shardId-000000000000  `
	for i, want := range []string{
		`logs +1  pk +service\.name=cart  message=out of\\nstock$`, `traces +1  pk +GET /$`,
		`metrics +3  pk +load$`, `profiles +2  pk +$`,
		`text +-  pk +plain text of a cart$`, `data +-  pk +8 bytes$`,
	} {
		assert.Regexp(t, start+want, got[i+1])
	}
	assert.Contains(t, got[7], "stream telemetry:")
}

func TestContentOf(t *testing.T) {
	assert.Equal(t, "(out of range)  text", contentOf(recordLine{OutOfRange: true, Text: "text"}))
	assert.Equal(t, "why", contentOf(recordLine{Error: "why", Data: []byte("x")}))
	const record = `{"body":{"stringValue":"0123456789"}}`
	many := []byte(`{"logRecords":[` + strings.Repeat(record+",", 1000) + record + `]}`)
	assert.Len(t, titlesOf(many), contentWidth/10, "the rest has no room")
}
