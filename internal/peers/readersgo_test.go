// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// inGo makes a reader of a function that reads the items of a record.
func inGo(read func(r ToRead) ([]string, error)) func(testing.TB, []ToRead) []Reading {
	return func(_ testing.TB, records []ToRead) []Reading {
		all := make([]Reading, len(records))
		for i := range records {
			items, err := read(records[i])
			if err != nil {
				all[i].Error = err.Error()
				continue
			}
			all[i].Items = items
		}
		return all
	}
}

// readWithLibraries reads with this repository's packages and pdata.
func readWithLibraries(r ToRead) (items []string, err error) {
	for _, member := range kpl.DeaggregateRecord(&types.Record{Data: r.Data, PartitionKey: &r.PartitionKey}) {
		plain, _, err := marshaler.Decompress(member.Data, marshaler.MaxPlainSize)
		if err != nil {
			return nil, err
		}
		found, err := readWithPdata(ToRead{Signal: r.Signal, Decoder: r.Decoder, Data: plain})
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	return items, nil
}

// readWithPdata reads with pdata's unmarshalers.
func readWithPdata(r ToRead) (items []string, err error) {
	plain, err := decompressInGo(r)
	if err != nil {
		return nil, err
	}
	for _, message := range split(r.Decoder, plain) {
		found, err := unmarshal(r.Signal, r.Decoder, message)
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	return items, nil
}

// split returns the messages in data for a decoder: the lines, or all of it.
func split(decoder string, data []byte) [][]byte {
	if decoder == decodeLines {
		return bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	}
	return [][]byte{data}
}

func unmarshal(signal, decoder string, message []byte) ([]string, error) {
	var logs plog.Unmarshaler = &plog.JSONUnmarshaler{}
	var traces ptrace.Unmarshaler = &ptrace.JSONUnmarshaler{}
	var metrics pmetric.Unmarshaler = &pmetric.JSONUnmarshaler{}
	if decoder == decodeProto {
		logs, traces, metrics = &plog.ProtoUnmarshaler{}, &ptrace.ProtoUnmarshaler{}, &pmetric.ProtoUnmarshaler{}
	}
	switch signal {
	case marshaler.Logs.String():
		data, err := logs.UnmarshalLogs(message)
		if err != nil {
			return nil, err
		}
		return logNames(data), nil
	case marshaler.Traces.String():
		data, err := traces.UnmarshalTraces(message)
		if err != nil {
			return nil, err
		}
		return traceNames(data), nil
	}
	data, err := metrics.UnmarshalMetrics(message)
	if err != nil {
		return nil, err
	}
	return metricNames(data), nil
}

// readWithProtobuf reads with protobuf for Go and the standard library.
func readWithProtobuf(r ToRead) (items []string, err error) {
	plain, err := decompressInGo(r)
	if err != nil {
		return nil, err
	}
	request := map[string]proto.Message{
		marshaler.Logs.String():    &collogspb.ExportLogsServiceRequest{},
		marshaler.Traces.String():  &coltracepb.ExportTraceServiceRequest{},
		marshaler.Metrics.String(): &colmetricspb.ExportMetricsServiceRequest{},
	}[r.Signal]
	switch r.Decoder {
	case decodeProto:
		err = proto.Unmarshal(plain, request)
	case decodeProtobufJSON:
		err = protojson.Unmarshal(plain, request)
	default:
		for _, message := range split(r.Decoder, plain) {
			found, err := namesInJSON(r.Signal, message)
			if err != nil {
				return nil, err
			}
			items = append(items, found...)
		}
		return items, nil
	}
	if err != nil {
		return nil, err
	}
	return namesInProtobuf(request), nil
}

func namesInProtobuf(message proto.Message) (names []string) {
	switch m := message.(type) {
	case *collogspb.ExportLogsServiceRequest:
		for _, r := range m.GetResourceLogs() {
			for _, s := range r.GetScopeLogs() {
				for _, l := range s.GetLogRecords() {
					names = append(names, l.GetBody().GetStringValue()+"|"+hex.EncodeToString(l.GetTraceId()))
				}
			}
		}
	case *coltracepb.ExportTraceServiceRequest:
		for _, r := range m.GetResourceSpans() {
			for _, s := range r.GetScopeSpans() {
				for _, l := range s.GetSpans() {
					names = append(names, l.GetName()+"|"+hex.EncodeToString(l.GetTraceId()))
				}
			}
		}
	case *colmetricspb.ExportMetricsServiceRequest:
		for _, r := range m.GetResourceMetrics() {
			for _, s := range r.GetScopeMetrics() {
				for _, l := range s.GetMetrics() {
					names = append(names, l.GetName()+"|")
				}
			}
		}
	}
	return names
}

// namesInJSON reads one document of OTLP in JSON as a program does that knows JSON and nothing else.
func namesInJSON(signal string, document []byte) (names []string, err error) {
	type item struct {
		Name    string                       `json:"name"`
		Body    struct{ StringValue string } `json:"body"`
		TraceID string                       `json:"traceId"`
	}
	type scope struct{ LogRecords, Spans, Metrics []item }
	type resource struct{ ScopeLogs, ScopeSpans, ScopeMetrics []scope }
	var request struct{ ResourceLogs, ResourceSpans, ResourceMetrics []resource }
	if err := json.Unmarshal(document, &request); err != nil {
		return nil, err
	}
	for _, r := range append(append(request.ResourceLogs, request.ResourceSpans...), request.ResourceMetrics...) {
		for _, s := range append(append(r.ScopeLogs, r.ScopeSpans...), r.ScopeMetrics...) {
			for _, i := range append(append(s.LogRecords, s.Spans...), s.Metrics...) {
				name := i.Name
				if signal == marshaler.Logs.String() {
					name = i.Body.StringValue
				}
				names = append(names, name+"|"+i.TraceID)
			}
		}
	}
	return names, nil
}

// decompressInGo decompresses with libraries of others.
func decompressInGo(r ToRead) ([]byte, error) {
	switch marshaler.Compression(r.Compression) {
	case marshaler.Snappy:
		return io.ReadAll(snappy.NewReader(bytes.NewReader(r.Data)))
	case marshaler.Zstd:
		d, err := zstd.NewReader(nil)
		if err != nil {
			return nil, err
		}
		defer d.Close()
		return d.DecodeAll(r.Data, nil)
	case marshaler.Gzip:
		d, err := gzip.NewReader(bytes.NewReader(r.Data))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(d)
	default:
		return r.Data, nil
	}
}

// tail reads the stream with kinesistail, which finds out by itself what is in it. It returns all items.
func tail(ctx context.Context, t *testing.T, endpoint string) (items []string) {
	t.Helper()
	cmd := exec.Command(buildGo(ctx, t, Root(t), "./cmd/kinesistail"),
		"-stream", readersStream, "-endpoint", endpoint, "-insecure")
	cmd.Env = cmd.Environ()
	for key, value := range Environment() {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	require.NoError(t, err, "%s", &stderr)
	for line := range bytes.Lines(output) {
		var record struct {
			Type, Signal, Error string
			Payload             json.RawMessage
		}
		require.NoError(t, json.Unmarshal(line, &record))
		if record.Type != "record" {
			continue
		}
		require.Empty(t, record.Error, "%s", line)
		found, err := namesInJSON(record.Signal, record.Payload)
		require.NoError(t, err)
		items = append(items, found...)
	}
	return items
}
