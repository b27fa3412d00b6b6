// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// serve serves k over HTTP and gives the SDK an environment of its own. It returns the flags that lead there.
func serve(t *testing.T, k *kpltest.Kinesis) []string {
	t.Helper()
	server := httptest.NewServer(k.Handler())
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":           "key",
		"AWS_SECRET_ACCESS_KEY":       "secret",
		"AWS_SESSION_TOKEN":           "",
		"AWS_PROFILE":                 "",
		"AWS_REGION":                  "",
		"AWS_DEFAULT_REGION":          "",
		"AWS_CONFIG_FILE":             t.TempDir() + "/config",
		"AWS_SHARED_CREDENTIALS_FILE": t.TempDir() + "/credentials",
	} {
		t.Setenv(name, value)
	}
	return []string{"-endpoint", server.URL, "-insecure", "-region", "us-east-1"}
}

// filled returns a stream with two shards and one of each kind of record.
func filled(t *testing.T) *kpltest.Kinesis {
	t.Helper()
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 2})
	logs := must(t)(new(plog.ProtoMarshaler).MarshalLogs(twoLogs()))
	spans := must(t)(new(ptrace.JSONMarshaler).MarshalTraces(oneSpan()))
	putData(t, k, lowestHashKey, aggregate("7", logs, logs, spans))
	putData(t, k, lowestHashKey, logs)
	putData(t, k, lowestHashKey, []byte("plain <text>"))
	putData(t, k, lowestHashKey, frame([]byte("no protobuf")))
	putData(t, k, highestHashKey, aggregate("7", logs, logs)) // on the wrong shard
	putData(t, k, highestHashKey, spans)
	return k
}

// wantSummary is the summary of filled.
const wantSummary = `{
	"type": "summary", "stream": "telemetry",
	"user_records": 7, "kinesis_records": 5, "aggregated_records": 1, "aggregation_ratio": 1.4, "bytes": %BYTES%,
	"items": {"logs": 6, "traces": 2, "metrics": 0, "profiles": 0},
	"undecodable_records": 2, "malformed_aggregates": 1, "incomplete_aggregates": 0, "out_of_range_aggregates": 1,
	"shards": [
		{"shard": "shardId-000000000000", "user_records": 6, "kinesis_records": 4, "bytes": %LOW%},
		{"shard": "shardId-000000000001", "user_records": 1, "kinesis_records": 1, "bytes": %HIGH%}
	]
}`

// summaryOf fills in the bytes that k stores, but for the record that readers skip.
func summaryOf(k *kpltest.Kinesis) string {
	sizes := map[string]int{}
	for i, r := range k.Records(stream) {
		if i != 4 {
			sizes[r.ShardID] += len(r.Data) + len("pk")
		}
	}
	low, high := sizes["shardId-000000000000"], sizes["shardId-000000000001"]
	text := func(n int) string { s, _ := json.Marshal(n); return string(s) }
	return strings.NewReplacer("%BYTES%", text(low+high), "%LOW%", text(low), "%HIGH%", text(high)).Replace(wantSummary)
}

func lines(out *bytes.Buffer) []string {
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestRunPrintsRecordsAndSummary(t *testing.T) {
	k := filled(t)
	flags := serve(t, k)
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), append(flags, "-stream", stream), &stdout, &stderr))
	assert.Empty(t, stderr.String())

	got := lines(&stdout)
	require.Len(t, got, 10)
	assert.JSONEq(t, summaryOf(k), got[9])

	byShard := map[string][]map[string]any{}
	for _, line := range got[:9] {
		var record map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &record))
		assert.Equal(t, "record", record["type"])
		arrived, err := time.Parse(time.RFC3339, fmt.Sprint(record["arrived"]))
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now(), arrived, time.Minute)
		shard := fmt.Sprint(record["shard"])
		byShard[shard] = append(byShard[shard], record)
		delete(record, "arrived")
	}
	low, high := byShard["shardId-000000000000"], byShard["shardId-000000000001"]
	require.Len(t, low, 6)
	require.Len(t, high, 3)

	stored := k.Records(stream)
	logsJSON := must(t)(new(plog.JSONMarshaler).MarshalLogs(twoLogs()))
	var payload any
	require.NoError(t, json.Unmarshal(logsJSON, &payload))
	assert.Equal(t, map[string]any{
		"type": "record", "shard": "shardId-000000000000", "sequence_number": stored[0].SequenceNumber,
		"partition_key": "member", "explicit_hash_key": "7", "aggregated": true,
		"signal": "logs", "encoding": "otlp_proto", "items": 2.0, "payload": payload,
	}, low[0])
	assert.Equal(t, "traces", low[2]["signal"])
	assert.Equal(t, "otlp_json", low[2]["encoding"])
	assert.Equal(t, map[string]any{
		"type": "record", "shard": "shardId-000000000000", "sequence_number": stored[1].SequenceNumber,
		"partition_key": "pk", "aggregated": false,
		"signal": "logs", "encoding": "otlp_proto", "items": 2.0, "payload": payload,
	}, low[3])
	assert.Equal(t, map[string]any{
		"type": "record", "shard": "shardId-000000000000", "sequence_number": stored[2].SequenceNumber,
		"partition_key": "pk", "aggregated": false, "text": "plain <text>",
	}, low[4])
	assert.Equal(t, base64.StdEncoding.EncodeToString(frame([]byte("no protobuf"))), low[5]["data"])
	assert.Equal(t, true, high[0]["out_of_range"])
	assert.Equal(t, true, high[1]["out_of_range"])
	assert.NotContains(t, high[2], "out_of_range")
	assert.Contains(t, stdout.String(), "<first> & more", "payloads are not escaped for HTML")
}

func TestRunFormats(t *testing.T) {
	k := filled(t)
	flags := append(serve(t, k), "-stream", stream)

	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), append(flags, "-format", "summary"), &stdout, &stderr))
	assert.Contains(t, stdout.String(), "stream telemetry:")
	assert.Regexp(t, `(?m)^ *user records +7$`, stdout.String())
	assert.Regexp(t, `(?m)^ *shardId-000000000001 +1 user records, 1 Kinesis records, \d+ bytes$`, stdout.String())
	assert.NotContains(t, stdout.String(), "{")
	assert.Empty(t, stderr.String())

	summaryText := stdout.String()
	stdout.Reset()
	require.NoError(t, run(t.Context(), append(flags, "-format", "both"), &stdout, &stderr))
	got := lines(&stdout)
	require.Len(t, got, 10)
	assert.JSONEq(t, summaryOf(k), got[9])
	assert.Equal(t, summaryText, stderr.String())
}

func TestRunStopsAtMax(t *testing.T) {
	k := filled(t)
	flags := append(serve(t, k), "-stream", stream)
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), append(flags, "-max", "1"), &stdout, io.Discard))
	got := lines(&stdout)
	require.Len(t, got, 2)
	assert.Contains(t, got[0], `"type":"record"`)
	assert.Contains(t, got[1], `"type":"summary"`)
}

func TestRunOfASignal(t *testing.T) {
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
	putData(t, k, lowestHashKey, must(t)(new(plog.ProtoMarshaler).MarshalLogs(plog.NewLogs())))
	putData(t, k, lowestHashKey, []byte(`{}`)) // Neither has anything that tells its signal.
	flags := append(serve(t, k), "-stream", stream)
	for args, want := range map[string]string{
		"":                `"undecodable_records":2`,
		"-signal=metrics": `"undecodable_records":0`,
	} {
		var stdout bytes.Buffer
		require.NoError(t, run(t.Context(), append(flags, strings.Fields(args)...), &stdout, io.Discard))
		assert.Contains(t, stdout.String(), want)
	}
}

func TestRunFollowsUntilInterrupted(t *testing.T) {
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
	put(t, k, lowestHashKey+" text")
	flags := serve(t, k)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	done := make(chan error)
	var stdout bytes.Buffer
	go func() {
		const arn = "arn:aws:kinesis:us-east-1:000000000000:stream/" + stream
		done <- run(ctx, append(flags[:3:3], "-stream", arn, "-follow"), &stdout, io.Discard)
	}()
	require.NoError(t, k.WaitCalls(t.Context(), kpltest.OpGetRecords, 2))
	interrupt()
	require.NoError(t, <-done)
	got := lines(&stdout)
	require.Len(t, got, 2)
	assert.Contains(t, got[1], `"user_records":1`)
}

func TestRunInterruptedBeforeTheTip(t *testing.T) {
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
	k.Inject(kpltest.ForOperation(kpltest.OpGetRecords, kpltest.Break(kpltest.ConnectionHangs)))
	flags := append(serve(t, k), "-stream", stream)
	ctx, interrupt := context.WithCancel(t.Context())
	k.Inject(kpltest.ForOperation(kpltest.OpGetRecords, func(*kpltest.Call) kpltest.Action {
		interrupt()
		return kpltest.Action{}
	}))
	var stdout bytes.Buffer
	require.ErrorContains(t, run(ctx, flags, &stdout, io.Discard), "interrupted before the end of the stream")
	assert.Contains(t, stdout.String(), `"type":"summary"`)
}

// brokenWriter is a standard output whose reader is gone.
type brokenWriter struct{}

var errBroken = errors.New("broken pipe")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestRunFails(t *testing.T) {
	k := filled(t)
	flags := serve(t, k)
	err := run(t.Context(), append(flags, "-stream", "other"), io.Discard, io.Discard)
	require.ErrorContains(t, err, "ResourceNotFound")
	err = run(t.Context(), append(flags, "-stream", stream), brokenWriter{}, io.Discard)
	require.ErrorIs(t, err, errBroken)
	err = run(t.Context(), append(flags[:3:3], "-stream", stream), io.Discard, io.Discard)
	require.ErrorContains(t, err, "no AWS region")
}

func TestInvalidOptions(t *testing.T) {
	for name, test := range map[string]struct{ args, want string }{
		"no stream":            {"", "-stream is required"},
		"bad ARN":              {"-stream arn:x", "-stream: "},
		"bad start":            {"-stream s -from now", "-from must be horizon, latest, a time"},
		"latest to the tip":    {"-stream s -from latest", "-from latest needs -follow"},
		"bad format":           {"-stream s -format xml", "-format must be"},
		"negative max":         {"-stream s -max -1", "-max must not be negative"},
		"bad signal":           {"-stream s -signal events", "-signal must be logs, traces, metrics or profiles"},
		"http endpoint":        {"-stream s -endpoint http://127.0.0.1:4567", "allow it with -insecure"},
		"endpoint without URL": {"-stream s -endpoint 127.0.0.1:4567", "-endpoint must be a URL"},
		"other scheme":         {"-stream s -insecure -endpoint ftp://host", "-endpoint must be a URL"},
		"start in the future":  {"-stream s -from 2999-01-01T00:00:00Z", "is in the future"},
		"bad role":             {"-stream s -role-arn reader", "-role-arn must be the ARN of a role"},
		"id without role":      {"-stream s -external-id x", "-external-id needs -role-arn"},
		"bad only":             {"-stream s -only logs,events", "-only must be some of logs, traces, metrics and profiles"},
		"bad expression":       {"-stream s -grep (", "-grep must be a regular expression"},
		"filtered summary":     {"-stream s -grep x -format summary", "exclude -format summary"},
		"short interval":       {"-stream s -stats -interval 10ms", "-interval must be at least 1s"},
		"stats of some":        {"-stream s -stats -grep x", "-stats shows no records"},
		"stats as summary":     {"-stream s -stats -format both", "-stats needs -format text or json"},
		"argument":             {"-stream s more", `unexpected argument "more"`},
		"unknown flag":         {"-what", "flag provided but not defined"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			err := run(t.Context(), strings.Fields(test.args), &stdout, &stderr)
			require.ErrorAs(t, err, new(usageError))
			require.ErrorContains(t, err, test.want)
			assert.Empty(t, stderr.String(), "main prints the error, and no usage")
			assert.Empty(t, stdout.String())
		})
	}
}

func TestHelp(t *testing.T) {
	for _, flag := range []string{"-h", "-help", "--help"} {
		var stdout, stderr bytes.Buffer
		require.NoError(t, run(t.Context(), []string{flag}, &stdout, &stderr))
		assert.Contains(t, stdout.String(), "(required)")
		assert.Empty(t, stderr.String())
	}
}
