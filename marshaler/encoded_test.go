// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"
)

// manyConfigs are configurations that differ in all that decides how a push is cut.
func manyConfigs() (configs []Config) {
	for e, encoding := range bothEncodings {
		for n, compression := range append([]Compression{NoCompression}, compressions()...) {
			for i, key := range []KeyConfig{{}, {Static: "fixed"}, {ResourceAttributes: []string{"tenant", "a"}}} {
				if testing.Short() && (e+n+i)%2 == 1 {
					continue
				}
				target := []int{400, 2500, 51_200}[i]
				configs = append(configs, Config{
					Encoding: encoding, TargetSize: target, MaxSize: 3 * target, Compression: compression, Key: key,
					SignalMarker: i != 1, Newline: encoding.IsText() && i != 1,
				})
			}
		}
	}
	return configs
}

// marshalBytes returns messages as copies, and releases the Marshaler's own.
func marshalBytes(t testing.TB, m *Marshaler, s Signal, otlp []byte) Encoded {
	t.Helper()
	encoded, err := m.MarshalEncoded(s, otlp)
	require.NoError(t, err)
	return kept(encoded)
}

// Bytes that pdata wrote make the same messages as the pdata, whatever is in them and whatever is configured.
func TestBytesMakeTheMessagesOfPdata(t *testing.T) {
	pdata := newCodec(OTLPProto)
	for _, c := range manyConfigs() {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			fromPdata, fromBytes := mustNew(t, c), mustNew(t, c)
			rejected, mended := 0, 0
			for seed := range uint64(4) {
				r := newRandom(seed)
				if seed%2 == 1 {
					r.broken = brokenTexts
				}
				for _, d := range r.all() {
					otlp := d.whole(t, &Marshaler{codec: pdata})
					want := d.marshal(t, fromPdata)
					require.Equal(t, want, marshalBytes(t, fromBytes, d.signal(), otlp), "seed %d, %s", seed, d.signal())
					rejected += len(want.Rejected)
					mended += want.Mended.Texts
				}
			}
			assert.Positive(t, mended)
			if c.TargetSize == 400 && c.Compression == NoCompression {
				assert.Positive(t, rejected)
			}
		})
	}
}

// What has no items makes no messages, and is no error.
func TestBytesWithoutItems(t *testing.T) {
	for _, encoding := range bothEncodings {
		m := mustNew(t, Config{
			Encoding: encoding, TargetSize: 5_000, MaxSize: 20_000, Key: KeyConfig{ResourceAttributes: []string{"a"}},
		})
		for name, otlp := range map[string]string{
			"nothing":                        "",
			"an unknown field":               "\x7a\x03abc",
			"an empty resource":              "\x0a\x00",
			"a resource without scopes":      "\x0a\x02\x0a\x00",
			"a scope without items":          "\x0a\x02\x12\x00",
			"a metric without data":          "\x0a\x07\x12\x05\x12\x03\x0a\x01m",
			"a gauge without any data point": "\x0a\x09\x12\x07\x12\x05\x0a\x01m\x2a\x00",
		} {
			encoded, err := m.MarshalEncoded(Metrics, []byte(otlp))
			require.NoError(t, err, name)
			assert.Equal(t, Encoded{}, encoded, name)
		}
	}
}

// Containers without items stay in a push that fits one message. A push that is cut loses them if they do not fit beside items.
func TestBytesWithEmptyContainers(t *testing.T) {
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	addLogs(logs, "r", strings.Repeat("x", 300), strings.Repeat("y", 300))
	logs.ResourceLogs().AppendEmpty().Resource().Attributes().PutStr("empty", strings.Repeat("z", 300))
	for _, target := range []int{400, 51_200} {
		m := mustNew(t, Config{Encoding: OTLPProto, TargetSize: target, MaxSize: 51_200})
		otlp := logsData{logs}.whole(t, m)
		assert.Equal(t, logsData{logs}.marshal(t, m), marshalBytes(t, m, Logs, otlp))
	}
}

// Whatever is malformed, and however deep, the error says that the bytes are, and nothing else comes of them.
func TestMalformedBytes(t *testing.T) {
	record := func(content string) string {
		for range 3 { // in a scope, in a resource, in a request
			content = string(appendBytes(nil, 2, []byte(content)))
		}
		return "\x0a" + content[1:]
	}
	for _, sound := range []string{record("\x10\x09"), record(string(deepLists(40)))} {
		require.Equal(t, 1, logsData{}.decode(t, mustNew(t, usual(OTLPProto)), []byte(sound)).count())
	}
	for name, otlp := range map[string]string{
		"text":                       "no OTLP",
		"JSON":                       `{"resourceLogs":[]}`,
		"cut off in a request":       record("\x10\x09")[:6],
		"cut off in a record":        record("\x1a\x05INFO"),
		"cut off in a time":          record("\x09\x01\x02"),
		"cut off in an attribute":    record("\x32\x04\x0a\x05ke"),
		"cut off in a value":         record("\x32\x07\x0a\x01k\x12\x02\x0a\x7f"),
		"cut off in a list":          record("\x2a\x06\x2a\x04\x0a\x02\x0a\x7f"),
		"a severity that is text":    record("\x12\x04INFO"),
		"a severity without an end":  record("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
		"a trace id of 3 bytes":      record("\x4a\x03abc"),
		"a span id of 16 bytes":      record("\x52\x10abcdefghabcdefgh"),
		"a body that is a number":    record("\x28\x01"),
		"a scope that is a number":   "\x0a\x02\x10\x01",
		"a field of number 0":        record("\x00\x00"),
		"an end of no group":         record("\x14"),
		"values inside each other":   record(string(deepLists(200))),
		"values deep as Go's stack":  record(string(deepLists(200_000))),
		"a resource cut off at last": record("\x10\x09") + "\x0a\x05",
	} {
		for _, encoding := range bothEncodings {
			m := mustNew(t, usual(encoding))
			encoded, err := m.MarshalEncoded(Logs, []byte(otlp))
			require.ErrorIs(t, err, ErrMalformed, name)
			assert.Equal(t, Encoded{}, encoded, name)
			assert.Regexp(t, fmt.Sprintf("^marshaler: malformed OTLP: decode logs of %d bytes: .", len(otlp)), err, name)
		}
	}
	_, err := mustNew(t, usual(OTLPProto)).MarshalEncoded(Profiles+1, nil)
	require.EqualError(t, err, "marshaler: there is no signal 4")
}

// deepLists returns the body of a log record with so many lists inside each other.
func deepLists(levels int) []byte {
	b := make([]byte, 0, 20*levels)
	for range levels { // from the inside to the outside, and backward
		for _, field := range []int{1, valueArray} {
			length := protowire.AppendVarint(nil, unsigned(len(b)))
			slices.Reverse(length)
			b = append(append(b, length...), byte(field<<3)|wireBytes)
		}
	}
	b = append(protowire.AppendVarint(nil, unsigned(len(b))), reversed(b)...)
	return append([]byte{5<<3 | wireBytes}, b...)
}

func reversed(b []byte) []byte {
	slices.Reverse(b)
	return b
}

// A push of another signal is malformed, or its items are taken for items of the signal, as pdata does. It is never an item less.
func TestBytesOfAnotherSignal(t *testing.T) {
	for seed := range uint64(4) {
		for _, d := range newRandom(seed).all() {
			otlp := d.whole(t, &Marshaler{codec: newCodec(OTLPProto)})
			for _, s := range []Signal{Logs, Traces, Metrics, Profiles} {
				checkEncoded(t, mustNew(t, usual(OTLPProto)), s, otlp)
			}
		}
	}
}

// BenchmarkMarshalEncoded shows what messages cost if a push is encoded already, beside the same messages of pdata.
func BenchmarkMarshalEncoded(b *testing.B) {
	for _, shape := range shapes {
		logs := benchLogs(shape.resources, shape.records)
		for _, key := range []KeyConfig{{}, {ResourceAttributes: []string{"service.name"}}} {
			m := mustNew(b, Config{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 20, Key: key})
			otlp := logsData{logs}.whole(b, m)
			run := func(name string, f func() error) {
				b.Run(fmt.Sprintf("%dx%d/%s%v", shape.resources, shape.records, name, key.ResourceAttributes), func(b *testing.B) {
					b.SetBytes(int64(len(otlp)))
					b.ReportAllocs()
					for b.Loop() {
						if err := f(); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*logs.LogRecordCount()), "ns/record")
				})
			}
			run("pdata", func() error {
				encoded, err := m.MarshalLogs(logs)
				encoded.Release()
				return err
			})
			run("bytes", func() error {
				encoded, err := m.MarshalEncoded(Logs, otlp)
				encoded.Release()
				return err
			})
			if len(key.ResourceAttributes) > 0 {
				continue
			}
			run("check", func() error {
				if !isSound(otlp, logsRequest, 0) {
					return ErrMalformed
				}
				return nil
			})
			run("screen", func() error {
				if !isClean(otlp, logsRequest, 0) {
					return ErrMalformed
				}
				return nil
			})
			run("unmarshal", func() error {
				_, err := m.UnmarshalLogs(otlp)
				return err
			})
		}
	}
}
