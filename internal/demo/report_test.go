// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func TestCheck(t *testing.T) {
	all := items{Logs: 3, Traces: 2, Metrics: 1}
	tests := []struct {
		name          string
		sent, carried items
		found         contents
		want          string
	}{
		{name: "equal", sent: items{Logs: 3, Traces: 2}, carried: all, found: contents{items: all}},
		{
			name: "lost on the way to the collector", sent: items{Logs: 4, Traces: 2}, carried: all, found: contents{items: all},
			want: "4 log records were made, the collector carried 3",
		},
		{
			name: "lost on the way to the stream", sent: all, carried: all,
			found: contents{items: items{Logs: 3, Traces: 1, Metrics: 1}},
			want:  "2 spans were sent, 1 decoded",
		},
		{
			name: "duplicated", sent: all, carried: all, found: contents{items: items{Logs: 3, Traces: 2, Metrics: 2}},
			want: "1 data points were sent, 2 decoded",
		},
		{
			name: "nothing", want: "no log records were sent\nno spans were sent\nno data points were sent",
		},
		{
			name: "unreadable", sent: all, carried: all,
			found: contents{
				items:   all,
				summary: line{UndecodableRecords: 1, MalformedAggregates: 2, OutOfRangeAggregates: 3},
			},
			want: "1 user records are not OTLP\n5 aggregated records can't be read",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := check(test.sent, test.carried, test.found)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, test.want)
		})
	}
}

// tailOutput is what kinesistail prints for a stream with a log record, a span and two data points.
const tailOutput = `
{"type":"record","shard":"shardId-000000000000","sequence_number":"1","signal":"logs","items":1,
 "payload":{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}}
{"type":"record","shard":"shardId-000000000000","sequence_number":"1","signal":"traces","items":1,
 "payload":{"resourceSpans":[{"scopeSpans":[{"spans":[
  {"name":"scan","startTimeUnixNano":"1000","endTimeUnixNano":"3000"}]}]}]}}
{"type":"record","shard":"shardId-000000000001","sequence_number":"1","signal":"metrics","items":2,
 "payload":{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
  {"name":"load","unit":"1","gauge":{"dataPoints":[{"asInt":"7"},{}]}}]}]}]}}
{"type":"record","shard":"shardId-000000000001","sequence_number":"2","data":"AA=="}
{"type":"summary","user_records":3,"kinesis_records":2,"aggregated_records":1,"aggregation_ratio":1.5,"bytes":1200,
 "items":{"logs":1,"traces":1,"metrics":2},
 "shards":[{"shard":"shardId-000000000000","user_records":2,"kinesis_records":1,"bytes":800}]}
`

// consumed returns a follower that has read output.
func consumed(t *testing.T, output string) *follower {
	t.Helper()
	stdout, stdoutWriter := io.Pipe()
	f := &follower{sequenceNumbers: map[string]bool{}, done: make(chan struct{})}
	go f.consume(stdout)
	_, _ = io.WriteString(stdoutWriter, output) // Fails if the follower gives up; f.err says why.
	require.NoError(t, stdoutWriter.Close())
	<-f.done
	return f
}

func TestFollower(t *testing.T) {
	f := consumed(t, tailOutput)
	require.NoError(t, f.err)
	assert.Equal(t, items{Logs: 1, Traces: 1, Metrics: 2}, f.items())
	assert.Equal(t, 3, f.kinesisRecords())
	assert.Len(t, f.samples, 3)
	assert.Equal(t, 1200, f.summary.Bytes)

	for name, output := range map[string]string{
		"no JSON":  "panic",
		"no count": `{"type":"record","signal":"logs","items":"many"}`,
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorContains(t, consumed(t, output).err, "kinesistail's output: ")
		})
	}
}

func TestReport(t *testing.T) {
	f := consumed(t, tailOutput)
	found := contents{summary: f.summary, samples: f.samples}
	require.NoError(t, json.Unmarshal(f.summary.Items, &found.items))
	var out bytes.Buffer
	require.NoError(t, report(&out, items{Logs: 1, Traces: 1}, items{Logs: 1, Traces: 1, Metrics: 2}, found))
	for _, want := range []string{
		"data points  2     2 ",
		"shardId-000000000000  2             1                800 ",
		"1 of the Kinesis records are aggregated: 1.5 user records, 2.0 items in a Kinesis record.\n",
		"logs     hello\n",
		"traces   scan: 2µs, trace \n",
		"metrics  load map[] = 7 1\n",
		"\nEvery item that was sent is in the stream, once.\n",
	} {
		assert.Contains(t, out.String(), want)
	}

	out.Reset()
	require.EqualError(t, report(&out, items{Logs: 2, Traces: 1}, items{Logs: 2, Traces: 1, Metrics: 2}, found),
		"2 log records were sent, 1 decoded")
	assert.NotContains(t, out.String(), "Every item")
}

func TestDescribeMetric(t *testing.T) {
	metric := pmetric.NewMetric()
	metric.SetName("m")
	metric.SetUnit("By")
	metric.SetEmptyHistogram()
	assert.Equal(t, "m, a Histogram", describeMetric(metric))
	points := metric.SetEmptySum().DataPoints()
	assert.Equal(t, "m without data points", describeMetric(metric))
	points.AppendEmpty().SetDoubleValue(1.5)
	points.At(0).Attributes().PutStr("cpu", "cpu0")
	assert.Equal(t, "m map[cpu:cpu0] = 1.5 By", describeMetric(metric))
}
