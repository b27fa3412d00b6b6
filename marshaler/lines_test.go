// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Messages in JSON that stand in lines are read to the last one, compressed or not.
func TestLinesAreReadToTheLast(t *testing.T) {
	for _, compression := range []Compression{NoCompression, Snappy, Zstd, Gzip} {
		m := mustNew(t, Config{Encoding: OTLPJSON, TargetSize: 2500, MaxSize: 1 << 20, Compression: NoCompression})
		compressed := mustNew(t, Config{Encoding: OTLPJSON, TargetSize: 2500, MaxSize: 1 << 20, Compression: compression})
		separators := []string{"\n"}
		if compression == NoCompression {
			separators = append(separators, "\r\n \n", "")
		}
		for _, separator := range separators {
			for _, d := range newRandom(3).joinable() {
				var lines [][]byte
				for _, message := range d.marshal(t, m).Messages {
					lines = append(lines, message.Data)
				}
				require.Greater(t, len(lines), 2)
				if compression != NoCompression {
					lines = lines[:3]
				}
				data := bytes.Join(lines, []byte(separator))
				want := items(t, m, d)
				if compression != NoCompression {
					want = items(t, m, d.decode(t, m, data))
				}
				for _, data := range [][]byte{data, append(slices.Clone(data), "\n"...)} {
					signal, encoding, ok := Detect(data)
					assert.True(t, ok)
					assert.Equal(t, d.signal(), signal)
					assert.Equal(t, OTLPJSON, encoding)
					if compression != NoCompression {
						data = compressed.compressor.compress(nil, data)
					}
					read := d.decode(t, compressed, data)
					assert.Equal(t, want, items(t, m, read))
					proto, err := compressed.AppendProto(nil, d.signal(), data)
					require.NoError(t, err)
					plain := mustNew(t, usual(OTLPProto))
					assert.Equal(t, string(read.whole(t, plain)), string(proto))
				}
			}
		}
	}
}

func TestLinesThatAreNotAllTheSame(t *testing.T) {
	const logs, spans = `{"resourceLogs":[]}`, `{"resourceSpans":[]}`
	m := mustNew(t, usual(OTLPJSON))
	for _, test := range []struct {
		name, data   string
		detects, can bool
	}{
		{"one", logs, true, true},
		{"white space around", " \n" + logs + "\t\r\n ", true, true},
		{"two signals", logs + "\n" + spans, false, true},
		{"text behind", logs + "\nx", false, false},
		{"a list behind", logs + "[]", false, false},
		{"a comma between", logs + "," + logs, false, false},
		{"cut off", logs + "\n" + logs[:9], false, false},
		{"malformed", logs + "\n" + `{"resourceLogs":[{"resource":1}]}`, true, false},
		{"a quote in a string", `{"resourceLogs":[{"schemaUrl":"}\"{"}]}` + "\n" + logs, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			signal, _, ok := Detect([]byte(test.data))
			assert.Equal(t, test.detects, ok)
			if ok {
				assert.Equal(t, Logs, signal)
			}
			_, err := m.UnmarshalLogs([]byte(test.data))
			assert.Equal(t, test.can, err == nil, "%v", err)
		})
	}
}

// With Newline, each message is a line: when it is cut, divided, compressed or made of bytes.
func TestMessagesEndWithANewline(t *testing.T) {
	proto := mustNew(t, usual(OTLPProto))
	for _, c := range manyConfigs() {
		if !c.Newline {
			continue
		}
		m := mustNew(t, c)
		for seed := range uint64(2) {
			for _, d := range newRandom(seed).joinable() {
				for _, encoded := range []Encoded{d.marshal(t, m), marshalBytes(t, m, d.signal(), d.whole(t, proto))} {
					require.NotEmpty(t, encoded.Messages)
					for _, message := range encoded.Messages {
						checkLine(t, m, &message)
						require.LessOrEqual(t, len(message.Data)+c.Key.keySize(), c.MaxSize)
						parts, err := m.Divide(d.signal(), &message, 2)
						require.NoError(t, err)
						for i := range parts {
							checkLine(t, m, &parts[i])
							parts[i].Release()
						}
					}
				}
			}
		}
	}
}

func checkLine(t *testing.T, m *Marshaler, message *Message) {
	t.Helper()
	plain, err := m.decompressor.plain(message.Data)
	require.NoError(t, err)
	require.Equal(t, 1, bytes.Count(plain, []byte("\n")), "no text of JSON has one inside")
	require.True(t, strings.HasSuffix(string(plain), "}\n"))
}

func TestNewlineNeedsText(t *testing.T) {
	_, err := New(Config{Encoding: OTLPProto, TargetSize: 1000, MaxSize: 1000, Newline: true})
	assert.EqualError(t, err, `marshaler: Newline must be false for Encoding "otlp_proto", which is no text`)
}
