// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

// marked returns the configuration with markers.
func marked(c Config) Config {
	c.SignalMarker = true
	return c
}

// oneOfEach returns a log record, a span and a data point, each in a push of its own.
func oneOfEach() []telemetry {
	return []telemetry{logsData{benchLogs(1, 1)}, tracesData{newRandom(1).traces()}, metricsData{benchMetrics(1, 1)}}
}

// The marker is a promise to readers, so its bytes never change.
func TestBytesOfTheMarker(t *testing.T) {
	want := map[Signal]string{Logs: "\xf8\x7f\x01", Traces: "\xf8\x7f\x02", Metrics: "\xf8\x7f\x03"}
	with, without := mustNew(t, marked(usual(OTLPProto))), mustNew(t, usual(OTLPProto))
	for _, d := range oneOfEach() {
		found := d.marshal(t, with).Messages
		require.Len(t, found, 1)
		assert.Equal(t, want[d.signal()]+string(d.whole(t, without)), string(found[0].Data))
		text := d.marshal(t, mustNew(t, marked(usual(OTLPJSON)))).Messages
		assert.Equal(t, string(d.whole(t, mustNew(t, usual(OTLPJSON)))), string(text[0].Data), "JSON has none")
	}
}

// Each message has one marker in front, whatever made the message: a push as a whole, pieces, a cut, a division, bytes or the
// public marshalers. Decoders of Go find the same items, in one message and in many that stand one after the other.
func TestEachMessageHasOneMarker(t *testing.T) {
	plain := &Marshaler{codec: newCodec(OTLPProto)}
	for i, c := range []Config{
		{Encoding: OTLPProto, TargetSize: 400, MaxSize: 1 << 20},
		{Encoding: OTLPProto, TargetSize: 2500, MaxSize: 1 << 20},
		{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 20},
		{Encoding: OTLPProto, TargetSize: 2500, MaxSize: 1 << 20, Compression: Zstd},
	} {
		m := mustNew(t, marked(c))
		m.pieceSize = []int{1, 1000, 1 << 30, 1000}[i]
		for _, d := range newRandom(uint64(i)).all() {
			checkMarked(t, m, d, d.marshal(t, m))
			checkMarked(t, m, d, marshalBytes(t, m, d.signal(), d.whole(t, plain)))
			checkMarked(t, m, d, d.marshal(t, unreached(mustNew(t, m.cfg))))
		}
	}
}

// checkMarked checks the messages of a push, and those that they are divided into.
func checkMarked(t *testing.T, m *Marshaler, d telemetry, encoded Encoded) {
	t.Helper()
	require.Empty(t, encoded.Rejected)
	var joined []byte
	check := func(data []byte) {
		decodeStrictly(t, m, d.signal(), data)
		data, _, err := Decompress(data, MaxPlainSize)
		require.NoError(t, err)
		require.Equal(t, 1, markersIn(t, data))
		require.Equal(t, string(d.signal().marker()), string(data[:3]))
		signal, _, ok := Detect(data)
		require.True(t, ok)
		require.Equal(t, d.signal(), signal)
		joined = append(joined, data...)
	}
	for i := range encoded.Messages {
		parts, err := m.Divide(d.signal(), &encoded.Messages[i], 3)
		require.NoError(t, err)
		for j := range parts {
			check(parts[j].Data)
			parts[j].Release()
		}
	}
	require.Equal(t, d.count(), d.decode(t, m, joined).count())
	joined = joined[:0]
	for _, message := range encoded.Messages {
		require.Equal(t, message.Items, d.decode(t, m, message.Data).count())
		check(message.Data)
	}
	require.Equal(t, items(t, m, d), items(t, m, d.decode(t, m, joined)))
	decodeStrictly(t, m, d.signal(), joined)
	signal, _, ok := Detect(joined)
	require.True(t, ok)
	require.Equal(t, d.signal(), signal)
}

// markersIn counts the markers of a request.
func markersIn(t *testing.T, otlp []byte) (count int) {
	t.Helper()
	require.True(t, eachRawField(otlp, func(number protowire.Number, _ protowire.Type, _, _ []byte) {
		if number == 2047 {
			count++
		}
	}))
	return count
}

// Bytes that have markers already, of any signal and any number, get the one that is configured, or none.
func TestMarkersDoNotPileUp(t *testing.T) {
	without := mustNew(t, usual(OTLPProto))
	for _, d := range oneOfEach() {
		plain := d.whole(t, without)
		for _, front := range []string{"", "\xf8\x7f\x01", "\xf8\x7f\x03", "\xf8\x7f\x01\xf8\x7f\x02", "\xf8\x7f\x80\x01"} {
			for _, otlp := range [][]byte{
				append([]byte(front), plain...), slices.Concat(plain, []byte(front)),
				slices.Concat([]byte(front), plain, []byte(front), plain),
			} {
				want := without.codec
				read, err := want.decode(d.signal(), otlp)
				require.NoError(t, err)
				clean, err := want.encode(read)
				require.NoError(t, err)
				for _, c := range []Config{usual(OTLPProto), {Encoding: OTLPProto, TargetSize: 120, MaxSize: 1 << 20}} {
					found := marshalBytes(t, mustNew(t, c), d.signal(), otlp)
					assert.Equal(t, marshalBytes(t, mustNew(t, c), d.signal(), clean), found)
					for _, message := range marshalBytes(t, mustNew(t, marked(c)), d.signal(), otlp).Messages {
						assert.Equal(t, 1, markersIn(t, message.Data))
						assert.Equal(t, string(d.signal().marker()), string(message.Data[:3]))
					}
				}
			}
		}
	}
}

// What AppendProto appends has no markers, so that MarshalEncoded need not take them out again.
func TestAppendedMessagesHaveNoMarkers(t *testing.T) {
	for _, compression := range []Compression{NoCompression, Gzip} {
		m := mustNew(t, Config{
			Encoding: OTLPProto, TargetSize: 1000, MaxSize: 1 << 20, SignalMarker: true, Compression: compression,
		})
		d := logsData{benchLogs(5, 10)}
		otlp := []byte("\xf8\x7f\x09")
		for _, message := range d.marshal(t, m).Messages {
			var err error
			otlp, err = m.AppendProto(otlp, Logs, message.Data)
			require.NoError(t, err)
		}
		assert.Equal(t, 1, markersIn(t, otlp), "the one that was there")
		assert.Equal(t, items(t, m, d), items(t, m, d.decode(t, m, otlp)))
	}
}

func TestDetectByTheMarker(t *testing.T) {
	text := func(number protowire.Number, s string) []byte { return bytesField(number, []byte(s)) }
	mark := func(n byte) []byte { return []byte{0xf8, 0x7f, n} }
	body, name := requestOf(bytesField(5, text(1, "hello"))), requestOf(text(5, "\n\x00"))
	log, event := requestOf(fixed64Field(1)), requestOf(fixed64Field(7))
	tests := []struct {
		name   string
		data   []byte
		signal Signal
		ok     bool
	}{
		{"log with only a body", join(mark(1), body), Logs, true},
		{"span with the same bytes", join(mark(2), body), Traces, true},
		{"span whose name could be a gauge", join(mark(2), name), Traces, true},
		{"metric with the same bytes", join(mark(3), name), Metrics, true},
		{"no items", mark(3), Metrics, true},
		{"behind the items", join(body, mark(1)), Logs, true},
		{"joined", join(mark(1), body, mark(1), log), Logs, true},
		{"joined with one that has none", join(body, mark(1), log), Logs, true},
		{"joined, of two signals", join(mark(1), body, mark(2), body), 0, false},
		{"joined, of no signal and of one", join(mark(0), body, mark(1), body), 0, false},
		{"of another signal than the item", join(mark(2), log), 0, false},
		{"of another signal than the last item", join(mark(2), body, mark(2), event, log), 0, false},
		{"of no signal", join(mark(0), log), 0, false},
		{"of a signal that is not known", join(mark(9), log), 0, false},
		{"large", join([]byte{0xf8, 0x7f, 0x81, 0x02}, log), 0, false},
		{"of another wire type", join(bytesField(2047, []byte{1}), log), Logs, true},
		{"inside of a resource", bytesField(1, join(mark(2), log[2:])), Logs, true},
		{"in front of garbage", join(mark(1), []byte{0x0a, 0x7f}), 0, false},
		{"in front of an item that is malformed", join(mark(1), requestOf([]byte{0x0a, 0x7f})), 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			signal, encoding, ok := Detect(test.data)
			assert.Equal(t, test.ok, ok)
			assert.Equal(t, OTLPProto, encoding)
			if test.ok {
				assert.Equal(t, test.signal, signal)
			}
		})
	}
}

// BenchmarkMarker shows what the marker costs: nothing but its bytes.
func BenchmarkMarker(b *testing.B) {
	for _, shape := range append(shapes, struct{ resources, records int }{1, 10}) {
		logs := benchLogs(shape.resources, shape.records)
		otlp := logsData{logs}.whole(b, mustNew(b, usual(OTLPProto)))
		for _, signalMarker := range []bool{false, true} {
			c := usual(OTLPProto)
			c.SignalMarker = signalMarker
			m := mustNew(b, c)
			run := func(name string, marshal func() (Encoded, error)) {
				b.Run(fmt.Sprintf("%dx%d/%s/%v", shape.resources, shape.records, name, signalMarker), func(b *testing.B) {
					b.SetBytes(int64(len(otlp)))
					b.ReportAllocs()
					for b.Loop() {
						encoded, err := marshal()
						if err != nil {
							b.Fatal(err)
						}
						encoded.Release()
					}
				})
			}
			run("pdata", func() (Encoded, error) { return m.MarshalLogs(logs) })
			run("bytes", func() (Encoded, error) { return m.MarshalEncoded(Logs, otlp) })
		}
	}
}
