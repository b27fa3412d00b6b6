// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"
)

// checkSplit cuts any bytes into messages of about the target size. If they can be cut at all, then the items in the
// messages and the rejected ones are the items of the input, and no message is larger than it may be.
func checkSplit(t *testing.T, encoding Encoding, kind uint8, target uint16, data []byte) {
	signal := Signal(kind % 3)
	whole, err := cutOf(signal, string(data), encoding == OTLPProto)
	if err != nil || len(data) > 1<<14 {
		return
	}
	size := int(target)%2048 + KeylessKeySize + 1
	m := mustNew(t, Config{Encoding: encoding, TargetSize: size, MaxSize: 2 * size})
	encoded, err := splitWhole(m, push{
		signal: signal, items: whole.itemCount(), resources: len(whole.extents[1]), groups: []group{{}},
	}, data)
	require.NoError(t, err)

	var found []string
	for _, message := range encoded.Messages {
		part, err := cutOf(signal, string(message.Data), encoding == OTLPProto)
		require.NoError(t, err)
		require.Equal(t, message.Items, part.itemCount())
		if whole.itemCount() > 0 {
			require.LessOrEqual(t, len(message.Data)+KeylessKeySize, 2*size)
		}
		if encoding == OTLPJSON && json.Valid(data) {
			require.True(t, json.Valid(message.Data))
		}
		found = append(found, contents(part, part.itemDepth())...)
	}
	want := contents(whole, whole.itemDepth())
	require.Len(t, want, len(found)+len(encoded.Rejected))
	for i := 0; len(encoded.Rejected) == 0 && i < len(want); i++ {
		require.Equal(t, want[i], found[i])
	}
}

// seeds returns small pdata of all signals. The fuzzing engine takes long to minimize large inputs.
func seeds() (all []telemetry) {
	for _, d := range newRandom(1).all() {
		all = append(all, d.keep(func(item int, _ pcommon.Resource) bool { return item%8 == 0 && item < 32 }))
	}
	return append(all, logsData{benchLogs(2, 2)}, metricsData{benchMetrics(2, 1)})
}

func seedSplit(f *testing.F, encoding Encoding) {
	m := mustNew(f, usual(encoding))
	for _, d := range seeds() {
		f.Add(uint8(d.signal()), uint16(100), d.whole(f, m))
		f.Add(uint8(d.signal()), uint16(700), d.whole(f, m))
	}
}

func FuzzSplitProto(f *testing.F) {
	seedSplit(f, OTLPProto)
	f.Fuzz(func(t *testing.T, kind uint8, target uint16, data []byte) {
		checkSplit(t, OTLPProto, kind, target, data)
	})
}

func FuzzSplitJSON(f *testing.F) {
	seedSplit(f, OTLPJSON)
	f.Add(uint8(0), uint16(1), []byte(`{"resourceLogs": [ {"scopeLogs":[{"logRecords":[{"a":"\\\""}]}]} ] } `))
	f.Fuzz(func(t *testing.T, kind uint8, target uint16, data []byte) {
		checkSplit(t, OTLPJSON, kind, target, data)
	})
}

// FuzzDetect checks that Detect accepts a message only if its outer containers are well-formed.
func FuzzDetect(f *testing.F) {
	for _, encoding := range bothEncodings {
		m := mustNew(f, usual(encoding))
		for _, d := range seeds() {
			whole := d.whole(f, m)
			f.Add(whole)
			f.Add(slices.Concat(whole, []byte("\n"), whole))
			f.Add(slices.Concat(d.signal().marker(), whole, d.signal().marker(), whole))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		signal, encoding, ok := Detect(data)
		if !ok {
			return
		}
		require.LessOrEqual(t, signal, Profiles)
		if encoding == OTLPJSON {
			data = bytes.TrimSpace(data)
			require.True(t, data[0] == '{' && data[len(data)-1] == '}')
			return
		}
		require.NotEmpty(t, data)
		for len(data) > 0 {
			number, kind, n := protowire.ConsumeField(data)
			require.Positive(t, n)
			if number == 2047 && kind == protowire.VarintType {
				value, _ := protowire.ConsumeVarint(data[protowire.SizeTag(number):n])
				require.Equal(t, uint64(signal)+1, value, "the marker decides")
			}
			data = data[n:]
		}
	})
}

// FuzzGroups proves that groups have the items of the pdata, each once, in order, and each where its own values lead to.
func FuzzGroups(f *testing.F) {
	plain := &Marshaler{codec: newCodec(OTLPProto)}
	for _, d := range seeds() {
		for key := range manyKeys {
			f.Add(uint8(d.signal()), uint8(key), uint16(500), d.whole(f, plain))
		}
	}
	f.Fuzz(func(t *testing.T, kind, key uint8, target uint16, otlp []byte) {
		d, err := decodeRequest(Signal(kind%3), otlp)
		if err != nil || len(otlp) > 1<<12 {
			return
		}
		m := mustNew(t, Config{
			Encoding: OTLPProto, TargetSize: int(target)%4096 + maxKeyLength, MaxSize: 1 << 20, Key: manyKeys[int(key)%len(manyKeys)],
		})
		checkGroups(t, m, d)
	})
}

// FuzzMarshalEncoded compares messages of any bytes with those of the pdata that is decoded from the same bytes.
func FuzzMarshalEncoded(f *testing.F) {
	plain := &Marshaler{codec: newCodec(OTLPProto)}
	s := scrambler{rand.New(rand.NewPCG(1, 3)), false}
	all := []telemetry{logsData{benchLogs(2, 1)}, metricsData{benchMetrics(1, 1)}}
	for seed := range uint64(3) {
		r := newRandom(seed)
		r.broken = brokenTexts[:seed]
		for _, d := range r.all() {
			all = append(all, d.keep(func(item int, _ pcommon.Resource) bool { return item%8 == 0 && item < 9 }))
		}
	}
	deep := plog.NewLogs()
	addLogs(deep, "deep", "")
	nested(deep.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body(), true, 40, "x")
	for _, d := range append(all, logsData{deep}) {
		otlp := d.whole(f, plain)
		for config := range uint8(6) {
			f.Add(uint8(d.signal()), config, otlp)
			f.Add(uint8(d.signal()), config, s.scramble(otlp, d.signal().request()))
		}
	}
	configs := []Config{
		{Encoding: OTLPProto, TargetSize: 300, MaxSize: 2000},
		{Encoding: OTLPProto, TargetSize: 700, MaxSize: 1 << 20, Key: KeyConfig{ResourceAttributes: []string{"tenant", "a"}}},
		{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 20, Compression: Snappy},
		usual(OTLPJSON),
		{Encoding: OTLPProto, TargetSize: 700, MaxSize: 2000, Key: KeyConfig{TraceID: true, Buckets: 3}},
		{Encoding: OTLPProto, TargetSize: 700, MaxSize: 2000, Key: KeyConfig{
			RecordAttributes: []string{"a"}, ExplicitHashKeyAttribute: "place",
		}},
	}
	f.Fuzz(func(t *testing.T, kind, config uint8, otlp []byte) {
		if len(otlp) > 1<<12 {
			return
		}
		checkEncoded(t, mustNew(t, configs[int(config)%len(configs)]), Signal(kind%4), otlp)
	})
}
