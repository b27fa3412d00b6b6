// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// inField is content as a field of a protobuf message.
func inField(number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), content)
}

// logsOf is a request with the given log records: fields with the number 2.
func logsOf(records ...[]byte) []byte {
	severity := inField(2, []byte{2 << 3, 9}) // shows that these are logs
	return inField(1, inField(2, append(severity, bytes.Join(records, nil)...)))
}

// nestedProto is logs with a body of arrays inside of each other.
func nestedProto(depth int) []byte {
	// Built backwards, because a message inside of a message is copied otherwise.
	size := 0
	var backwards [][]byte
	for range depth {
		for _, number := range []protowire.Number{1, 5} { // ArrayValue.values, AnyValue.array_value
			header := protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.BytesType), uint64(size))
			backwards = append(backwards, header)
			size += len(header)
		}
	}
	body := make([]byte, 0, size)
	for _, header := range slices.Backward(backwards) {
		body = append(body, header...)
	}
	return logsOf(inField(2, inField(5, body)))
}

// nestedJSON is the same in JSON.
func nestedJSON(depth int) []byte {
	return []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` +
		strings.Repeat(`{"arrayValue":{"values":[`, depth) + `{}` + strings.Repeat(`]}}`, depth) + `}]}]}]}`)
}

func compressed(t testing.TB, data []byte) []byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer encoder.Close()
	return encoder.EncodeAll(data, nil)
}

func TestDecodeBounds(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(16 << 20)) // A stack overflow ends the test and not only this case.
	emptyLogs := logsOf(bytes.Repeat([]byte{2<<3 | 2, 0}, marshaler.MaxPlainSize/2-100))
	emptyJSON := []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Repeat(`{},`, 10_000_000) + `{}]}]}]}`)
	unknown := []byte(`{"resourceLogs":[{"x":` + strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000) + "}]}")
	for name, test := range map[string]struct {
		data []byte
		want string // empty if it is decoded
	}{
		"protobuf, 40 levels":                  {nestedProto(40), ""},
		"protobuf, 1,500,000 levels":           {nestedProto(1_500_000), "more than 1000 deep"},
		"protobuf, 1,500,000 levels, zstd":     {compressed(t, nestedProto(1_500_000)), "more than 1000 deep"},
		"JSON, 300 levels":                     {nestedJSON(300), ""},
		"JSON, 1,500,000 levels, zstd":         {compressed(t, nestedJSON(1_000_000)), "more than 1000 deep"},
		"JSON, unknown field":                  {unknown, "more than 1000 deep"},
		"millions of empty logs, zstd":         {compressed(t, emptyLogs), "more than 4194304 values"},
		"millions of empty logs in JSON, zstd": {compressed(t, emptyJSON), "more than 4194304 values"},
		"groups inside of each other":          {logsOf(inField(2, bytes.Repeat([]byte{15<<3 | 3}, 1_000_000))), "not OTLP"},
		"compressed twice":                     {compressed(t, compressed(t, nestedJSON(1))), "not OTLP"},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := newDecoder(nil, true).decode(test.data, newBudget())
			if test.want != "" {
				require.ErrorIs(t, err, errNotOTLP)
				require.ErrorContains(t, err, test.want)
				return
			}
			require.NoError(t, err)
			assert.True(t, json.Valid(o.payload))
		})
	}
}

// If somebody says what all data is, data that was compressed twice is not decompressed a second time past the limits.
func TestDecodeToldTheSignal(t *testing.T) {
	logs := marshaler.Logs
	_, err := newDecoder(&logs, true).decode(compressed(t, compressed(t, nestedProto(1_500_000))), newBudget())
	require.ErrorIs(t, err, errNotOTLP)
}

// The user records of one Kinesis record share the limits.
func TestBudget(t *testing.T) {
	b := newBudget()
	d := newDecoder(nil, false)
	big := compressed(t, logsOf(inField(2, inField(5, inField(1, bytes.Repeat([]byte("x"), 30<<20))))))
	small := logsOf()
	decoded := 0
	for range 10 {
		if _, err := d.decode(big, b); err == nil {
			decoded++
		} else {
			require.ErrorIs(t, err, errNotOTLP)
		}
	}
	assert.Equal(t, 2, decoded)
	_, err := d.decode(compressed(t, small), b)
	require.ErrorIs(t, err, errTooMuchPlain)
	_, err = d.decode(small, b)
	require.NoError(t, err, "what is not compressed costs nothing")

	b = newBudget()
	damaged := compressed(t, bytes.Repeat([]byte("telemetry"), 1000))
	damaged[len(damaged)-1] ^= 1
	attempts := 0
	for ; b.plainBytes > 0; attempts++ {
		_, err := d.decode(damaged, b)
		require.Error(t, err)
	}
	assert.Equal(t, maxPlainBytes/failureCost, attempts)

	b = newBudget()
	many := logsOf(bytes.Repeat([]byte{2<<3 | 2, 0}, maxValues/2))
	_, err = d.decode(many, b)
	require.NoError(t, err)
	_, err = d.decode(many, b)
	require.ErrorIs(t, err, errTooManyValues)
}

// printed returns the lines that the tail prints for a Kinesis record.
func printed(t *testing.T, data []byte) (lines []map[string]any, s *summary) {
	t.Helper()
	var out bytes.Buffer
	tail := newTail(options{format: formatJSON}, &out)
	require.NoError(t, tail.handle(batch{
		shard: types.Shard{ShardId: aws.String("shardId-000000000000"), HashKeyRange: &types.HashKeyRange{
			StartingHashKey: aws.String(lowestHashKey), EndingHashKey: aws.String(highestHashKey),
		}},
		records: []types.Record{{PartitionKey: aws.String("pk"), SequenceNumber: aws.String("7"), Data: data}},
	}))
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var line map[string]any
		require.NoError(t, decoder.Decode(&line))
		lines = append(lines, line)
	}
	return lines, tail.summary
}

// Members that cannot be read are told, with all that is there.
func TestLostMembersAreTold(t *testing.T) {
	good := aggregate("1", []byte("first"))
	message := good[4 : len(good)-16]
	broken := append(bytes.Clone(message), inField(3, append([]byte{1 << 3, 9}, inField(3, []byte("second"))...))...)
	data := frame(broken)
	lines, summary := printed(t, data)
	require.Len(t, lines, 2)
	assert.Equal(t, "record", lines[0]["type"])
	assert.Equal(t, "first", lines[0]["text"])
	assert.Nil(t, lines[0]["error"])
	assert.Equal(t, "error", lines[1]["type"])
	assert.Equal(t, "7", lines[1]["sequence_number"])
	assert.Contains(t, lines[1]["error"], "member 1: keys that cannot be read")
	assert.Equal(t, 1, summary.IncompleteAggregates)
	assert.Equal(t, 1, summary.UserRecords)
	assert.Equal(t, 1, summary.AggregatedRecords)
}

// Many members may share one very long key. It is not printed for each of them.
func TestLongKeysAreCut(t *testing.T) {
	member := inField(3, append([]byte{1 << 3, 0}, inField(3, nil)...))
	lines, _ := printed(t, frame(append(inField(1, bytes.Repeat([]byte("k"), 1<<19)), bytes.Repeat(member, 1000)...)))
	require.Len(t, lines, 1000)
	for _, line := range lines {
		assert.Equal(t, strings.Repeat("k", 1024)+"...", line["partition_key"])
	}
}

// What pdata can hold but JSON cannot is printed as data.
func TestPayloadsAreJSON(t *testing.T) {
	logs := twoLogs()
	body := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body()
	for name, set := range map[string]func(pcommon.Value){
		"not a number":  func(v pcommon.Value) { v.SetDouble(nan()) },
		"invalid UTF-8": func(v pcommon.Value) { v.SetStr("\xff\xfe\"\\") },
		"zero byte":     func(v pcommon.Value) { v.SetStr("\x00\u2028") },
	} {
		t.Run(name, func(t *testing.T) {
			set(body)
			lines, _ := printed(t, must(t)(new(plog.ProtoMarshaler).MarshalLogs(logs)))
			assert.Len(t, lines, 1)
		})
	}
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}

// Whatever a record contains, the tail prints lines of JSON for it and goes on.
func FuzzTail(f *testing.F) {
	add := func(data []byte) {
		for _, signal := range []uint8{0, 1, 2, 3} {
			f.Add(data, signal, false)
			f.Add(data, signal, true)
		}
	}
	add(logsOf())
	add(nestedProto(10))
	add(nestedJSON(10))
	add(compressed(f, logsOf()))
	add([]byte("\x1f\x8b\x08 and so on"))
	good := aggregate("1", []byte("first"), nestedJSON(2))
	add(good)
	add(good[4 : len(good)-16])
	f.Fuzz(func(t *testing.T, data []byte, signal uint8, inFrame bool) {
		if inFrame {
			data = frame(data)
		}
		var out bytes.Buffer
		o := options{format: formatJSON}
		if signals := []marshaler.Signal{marshaler.Logs, marshaler.Traces, marshaler.Metrics, marshaler.Profiles}; signal > 0 {
			o.signal = &signals[int(signal)%len(signals)]
		}
		tail := newTail(o, &out)
		shard := types.Shard{ShardId: aws.String("shardId-000000000000")}
		require.NoError(t, tail.handle(batch{shard: shard, records: []types.Record{{PartitionKey: aws.String("pk"), Data: data}}}))
		require.NoError(t, tail.finish(&out, io.Discard))
		lines := json.NewDecoder(&out)
		count := 0
		for ; lines.More(); count++ {
			require.NoError(t, lines.Decode(new(map[string]any)))
		}
		want := tail.summary.IncompleteAggregates + 1
		if members, err := kpl.Deaggregate(data); err == nil || errors.Is(err, kpl.ErrMembersLost) {
			want += len(members)
		} else {
			want += len(messagesOf(data))
		}
		require.Equal(t, want, count)
	})
}

// FuzzDecode gives the decoder data that looks like OTLP, which a fuzzer does not find behind a frame and a compression.
func FuzzDecode(f *testing.F) {
	f.Add(nestedProto(20), uint8(0))
	f.Add(nestedJSON(20), uint8(1))
	f.Add(logsOf(inField(2, inField(6, []byte("\x0a\x01k\x12\x02\x10\x01")))), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, signal uint8) {
		signals := []marshaler.Signal{marshaler.Logs, marshaler.Traces, marshaler.Metrics, marshaler.Profiles}
		b := newBudget()
		o, err := newDecoder(&signals[int(signal)%len(signals)], true).decode(data, b)
		if err != nil {
			require.ErrorIs(t, err, errNotOTLP)
			require.NotContains(t, err.Error(), "the decoder failed")
			return
		}
		require.True(t, json.Valid(o.payload))
		require.LessOrEqual(t, o.items, len(data))
	})
}

// The program prints what it can and goes on, record by record.
func TestRunSurvivesBadRecords(t *testing.T) {
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
	flags := serve(t, k)
	put(t, k, "0 before")
	for _, data := range [][]byte{
		nestedProto(100_000), nestedJSON(10_000), frame([]byte("\xff")), compressed(t, nestedJSON(100_000)),
	} {
		putData(t, k, "0", data)
	}
	put(t, k, "0 after")
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), append(flags, "-stream", stream), &out, io.Discard))
	got := lines(&out)
	require.Len(t, got, 7)
	assert.Contains(t, got[0], `"text":"before"`)
	assert.Contains(t, got[1], "more than 1000 deep")
	assert.Contains(t, got[2], "more than 1000 deep")
	assert.Contains(t, got[4], "more than 1000 deep")
	assert.Contains(t, got[5], `"text":"after"`)
}
