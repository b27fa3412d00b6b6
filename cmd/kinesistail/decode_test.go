// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// The samples have as many items as their names say.

func twoLogs() plog.Logs {
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, body := range []string{"<first> & more", "second"} {
		r := records.AppendEmpty()
		r.SetTimestamp(1)
		r.Body().SetStr(body)
	}
	return logs
}

func oneSpan() ptrace.Traces {
	traces := ptrace.NewTraces()
	span := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{2})
	span.SetStartTimestamp(3)
	span.SetEndTimestamp(4)
	span.SetName("GET /")
	return traces
}

func threePoints() pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	metric := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("load")
	points := metric.SetEmptyGauge().DataPoints()
	for i := range 3 {
		p := points.AppendEmpty()
		p.SetTimestamp(1)
		p.SetIntValue(int64(i))
	}
	return metrics
}

func twoSamples() pprofile.Profiles {
	profiles := pprofile.NewProfiles()
	profiles.Dictionary().StringTable().FromRaw([]string{"", "cpu", "nanoseconds"})
	p := profiles.ResourceProfiles().AppendEmpty().ScopeProfiles().AppendEmpty().Profiles().AppendEmpty()
	p.SampleType().SetTypeStrindex(1)
	p.SampleType().SetUnitStrindex(2)
	for i := range 2 {
		p.Samples().AppendEmpty().Values().Append(int64(i))
	}
	return profiles
}

func must(t *testing.T) func(data []byte, err error) []byte {
	return func(data []byte, err error) []byte {
		t.Helper()
		require.NoError(t, err)
		return data
	}
}

// Data that is text is shown as text, whatever its compression.
func TestDecodeText(t *testing.T) {
	compressed, err := marshaler.New(marshaler.Config{
		TargetSize: 1000, MaxSize: 1000, Compression: marshaler.Zstd,
		Foreign: &marshaler.Foreign{Name: "text", Logs: func(plog.Logs) ([]byte, error) { return []byte("[1]\tä\n"), nil }},
	})
	require.NoError(t, err)
	encoded, err := compressed.MarshalLogs(twoLogs())
	require.NoError(t, err)
	for data, want := range map[string]otlp{
		"a line\r\n":                     {compression: marshaler.NoCompression, text: "a line\r\n", plain: 8},
		"a\x00":                          {compression: marshaler.NoCompression, plain: 2},
		"a\xff":                          {compression: marshaler.NoCompression, plain: 2},
		string(encoded.Messages[0].Data): {compression: marshaler.Zstd, text: "[1]\tä\n", plain: 7},
	} {
		got, err := newDecoder(nil, true).decode([]byte(data), newBudget())
		require.ErrorIs(t, err, errNotOTLP)
		assert.Equal(t, want, got, "%q", data)
	}
}

func TestDecode(t *testing.T) {
	logsJSON := must(t)(new(plog.JSONMarshaler).MarshalLogs(twoLogs()))
	tracesJSON := must(t)(new(ptrace.JSONMarshaler).MarshalTraces(oneSpan()))
	metricsJSON := must(t)(new(pmetric.JSONMarshaler).MarshalMetrics(threePoints()))
	profilesJSON := must(t)(new(pprofile.JSONMarshaler).MarshalProfiles(twoSamples()))
	for name, test := range map[string]struct {
		data []byte
		want otlp
	}{
		"logs, protobuf": {
			must(t)(new(plog.ProtoMarshaler).MarshalLogs(twoLogs())),
			otlp{marshaler.Logs, marshaler.OTLPProto, marshaler.NoCompression, 2, logsJSON, "", 0},
		},
		"traces, protobuf": {
			must(t)(new(ptrace.ProtoMarshaler).MarshalTraces(oneSpan())),
			otlp{marshaler.Traces, marshaler.OTLPProto, marshaler.NoCompression, 1, tracesJSON, "", 0},
		},
		"metrics, protobuf": {
			must(t)(new(pmetric.ProtoMarshaler).MarshalMetrics(threePoints())),
			otlp{marshaler.Metrics, marshaler.OTLPProto, marshaler.NoCompression, 3, metricsJSON, "", 0},
		},
		"profiles, protobuf": {
			must(t)(new(pprofile.ProtoMarshaler).MarshalProfiles(twoSamples())),
			otlp{marshaler.Profiles, marshaler.OTLPProto, marshaler.NoCompression, 2, profilesJSON, "", 0},
		},
		"profiles, JSON": {
			profilesJSON, otlp{marshaler.Profiles, marshaler.OTLPJSON, marshaler.NoCompression, 2, profilesJSON, "", 0},
		},
		"logs, JSON":    {logsJSON, otlp{marshaler.Logs, marshaler.OTLPJSON, marshaler.NoCompression, 2, logsJSON, "", 0}},
		"traces, JSON":  {tracesJSON, otlp{marshaler.Traces, marshaler.OTLPJSON, marshaler.NoCompression, 1, tracesJSON, "", 0}},
		"metrics, JSON": {metricsJSON, otlp{marshaler.Metrics, marshaler.OTLPJSON, marshaler.NoCompression, 3, metricsJSON, "", 0}},
	} {
		t.Run(name, func(t *testing.T) {
			test.want.plain = len(test.data)
			detecting := newDecoder(nil, true)
			got, err := detecting.decode(test.data, newBudget())
			require.NoError(t, err)
			assert.JSONEq(t, string(test.want.payload), string(got.payload))
			got.payload = test.want.payload
			assert.Equal(t, test.want, got)

			told := newDecoder(&test.want.signal, false)
			got, err = told.decode(test.data, newBudget())
			require.NoError(t, err)
			test.want.payload = nil
			assert.Equal(t, test.want, got)
		})
	}
}

// The compression is detected from the data.
func TestDecodeCompressed(t *testing.T) {
	d := newDecoder(nil, true)
	for _, encoding := range []marshaler.Encoding{marshaler.OTLPProto, marshaler.OTLPJSON} {
		for _, compression := range []marshaler.Compression{marshaler.Snappy, marshaler.Zstd, marshaler.Gzip} {
			m, err := marshaler.New(marshaler.Config{
				Encoding: encoding, TargetSize: 1 << 20, MaxSize: 1 << 20, Compression: compression,
			})
			require.NoError(t, err)
			encoded, err := m.MarshalLogs(twoLogs())
			require.NoError(t, err)
			got, err := d.decode(encoded.Messages[0].Data, newBudget())
			require.NoError(t, err)
			assert.JSONEq(t, string(must(t)(new(plog.JSONMarshaler).MarshalLogs(twoLogs()))), string(got.payload))
			assert.Positive(t, got.plain)
			got.payload, got.plain = nil, 0
			assert.Equal(t, otlp{marshaler.Logs, encoding, compression, 2, nil, "", 0}, got)
		}
	}
}

// Data that would become too large when decompressed does not count as OTLP.
func TestDecodeLimitsTheDecompressedSize(t *testing.T) {
	d := newDecoder(nil, true)
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	megabyte := make([]byte, 1<<20)
	for range marshaler.MaxPlainSize>>20 + 1 {
		_, err := w.Write(megabyte)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	_, err := d.decode(bomb.Bytes(), newBudget())
	require.ErrorIs(t, err, errNotOTLP)
	require.ErrorIs(t, err, marshaler.ErrPlainSize)
	require.ErrorContains(t, err, "more than the limit of 33554432 bytes")
}

func TestDecodeFailsForOtherData(t *testing.T) {
	logs := marshaler.Logs
	for name, test := range map[string]struct {
		signal *marshaler.Signal
		data   string
	}{
		"text":              {nil, "a log line"},
		"nothing":           {nil, ""},
		"other JSON":        {nil, `{"message":"hello"}`},
		"text, told":        {&logs, "a log line"},
		"broken gzip":       {nil, "\x1f\x8b\x08 and so on"},
		"broken JSON, told": {&logs, `{"resourceLogs":[`},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDecoder(test.signal, true)
			_, err := d.decode([]byte(test.data), newBudget())
			require.ErrorIs(t, err, errNotOTLP)
		})
	}
}
