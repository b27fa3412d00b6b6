// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	profilespb "go.opentelemetry.io/proto/otlp/profiles/v1development"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// strictMessage returns an empty message of Go's generated code, which decodes requests of the signal. Its decoder rejects
// invalid UTF-8.
func strictMessage(s Signal) proto.Message {
	switch s {
	case Traces:
		return &tracepb.TracesData{}
	case Metrics:
		return &metricspb.MetricsData{}
	case Profiles:
		return &profilespb.ProfilesData{}
	default:
		return &logspb.LogsData{}
	}
}

// decodeStrictly decodes the data of a message as Go's protobuf does. Like the readers of other languages, it allows 100
// messages inside each other.
func decodeStrictly(t testing.TB, m *Marshaler, s Signal, data []byte) proto.Message {
	t.Helper()
	plain, _, err := Decompress(data, MaxPlainSize)
	require.NoError(t, err)
	read := strictMessage(s)
	if m.cfg.Encoding == OTLPJSON {
		require.True(t, utf8.Valid(plain))
		// protojson takes ids for base64, and not for hexadecimal digits, so it reads other ids. All else is as strict.
		require.NoError(t, protojson.UnmarshalOptions{RecursionLimit: maxNesting + 1}.Unmarshal(plain, read))
		return read
	}
	require.NoError(t, proto.UnmarshalOptions{RecursionLimit: maxNesting + 1}.Unmarshal(plain, read))
	return read
}

// mendedSlowly returns the telemetry with all invalid UTF-8 replaced. It replaces it in pdata's JSON, where each byte above 127
// is in a string, and each string is in quotes.
func mendedSlowly(t testing.TB, d telemetry) telemetry {
	t.Helper()
	m := mustNew(t, usual(OTLPJSON))
	return d.decode(t, m, bytes.ToValidUTF8(d.whole(t, m), []byte("\uFFFD")))
}

var brokenTexts = []string{
	"\xff", "caf\xe9", "a\xed\xa0\x80b", "\xc0\xaf", "\xf0\x9f\xa6", "ok\x80\x81 and \xfe.", strings.Repeat("x", 126) + "\xe9",
}

// Any string of any signal can have invalid UTF-8. Whatever it does, all items arrive in messages that strict decoders accept,
// with the valid strings as they were.
func TestStrictDecodersAcceptAllText(t *testing.T) {
	for _, encoding := range bothEncodings {
		for _, compression := range []Compression{NoCompression, Zstd} {
			for _, target := range []int{600, 51_200} {
				t.Run(fmt.Sprint(encoding, compression, target), func(t *testing.T) {
					config := Config{Encoding: encoding, TargetSize: target, MaxSize: 1 << 20, Compression: compression}
					if target > 600 {
						config.Key.ResourceAttributes = []string{"tenant"}
					}
					m := mustNew(t, config)
					m.pieceSize = 2000
					texts := 0
					for seed := range uint64(4) {
						r := newRandom(seed)
						r.broken = brokenTexts
						for _, d := range r.all() {
							d.markReadOnly()
							encoded := d.marshal(t, m)
							require.Empty(t, encoded.Rejected)
							texts += encoded.Mended.Texts
							var found []string
							for _, message := range encoded.Messages {
								decodeStrictly(t, m, d.signal(), message.Data)
								read := d.decode(t, m, message.Data)
								require.Equal(t, message.Items, read.count())
								found = append(found, items(t, m, read)...)
							}
							require.ElementsMatch(t, items(t, m, mendedSlowly(t, d)), found)
						}
					}
					assert.Greater(t, texts, 150, "there must be enough broken text to prove anything")
				})
			}
		}
	}
}

// Where nothing is broken, nothing changes, and nothing is counted.
func TestValidTextStaysAsItIs(t *testing.T) {
	for _, encoding := range bothEncodings {
		m := mustNew(t, usual(encoding))
		for seed := range uint64(4) {
			for _, d := range newRandom(seed).all() {
				encoded := d.marshal(t, m)
				assert.False(t, encoded.Mended.Any())
				assert.Equal(t, Mended{}, encoded.Mended)
			}
		}
	}
}

// isClean is written for speed, and looks at most text in runs. It must find each broken byte wherever it is.
func TestScreenFindsEachBrokenByte(t *testing.T) {
	m := mustNew(t, usual(OTLPProto))
	for seed := range uint64(4) {
		for _, d := range newRandom(seed).all() {
			whole := d.whole(t, m)
			require.True(t, isClean(whole, d.signal().request(), 0))
			r := rand.New(rand.NewPCG(seed, 7))
			broken := 0
			for range 150 {
				at := r.IntN(len(whole))
				old := whole[at]
				whole[at] = 0xff
				clean := isClean(whole, d.signal().request(), 0)
				switch err := proto.Unmarshal(whole, strictMessage(d.signal())); {
				case err == nil && !clean:
					_, ok := new(mender).append(nil, whole, d.signal().request(), 0)
					require.False(t, ok, "seed %d, %s, byte %d: only groups are malformed for one alone", seed, d.signal(), at)
				case err != nil && strings.Contains(err.Error(), "invalid UTF-8"):
					require.False(t, clean, "seed %d, %s, byte %d", seed, d.signal(), at)
					broken++
				}
				whole[at] = old
			}
			assert.Greater(t, broken, 10)
		}
	}
}

// The layouts are those of OTLP's .proto files.
func TestTextLayoutsAreThoseOfOTLP(t *testing.T) {
	seen := map[protoreflect.FullName]kind{}
	var compare func(m protoreflect.MessageDescriptor, k kind)
	compare = func(m protoreflect.MessageDescriptor, k kind) {
		if _, ok := seen[m.FullName()]; ok {
			return
		}
		seen[m.FullName()] = k
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			number := int(f.Number())
			if number >= 16 {
				assert.NotContains(t, []protoreflect.Kind{protoreflect.StringKind, protoreflect.MessageKind}, f.Kind(), f.FullName())
				assert.True(t, textLayouts[k].numbers, "%s: the tags of a run must be ASCII", f.FullName())
				continue
			}
			isString := f.Kind() == protoreflect.StringKind
			assert.Equal(t, isString, textLayouts[k].text&fields(number) != 0, f.FullName())
			inner := textLayouts[k].inner[number]
			if f.Kind() != protoreflect.MessageKind {
				assert.Equal(t, opaque, inner, f.FullName())
				continue
			}
			if inner == opaque {
				assert.False(t, hasText(f.Message()), f.FullName())
				continue
			}
			compare(f.Message(), inner)
		}
	}
	for _, s := range []Signal{Logs, Traces, Metrics, Profiles} {
		compare(strictMessage(s).ProtoReflect().Descriptor(), s.request())
	}
	assert.Len(t, seen, int(kinds)-1+1, "all kinds are met; gauge and sum are one kind")
}

// hasText reports whether a message has a string, or another message that has.
func hasText(m protoreflect.MessageDescriptor) bool {
	for i := range m.Fields().Len() {
		if k := m.Fields().Get(i).Kind(); k == protoreflect.StringKind ||
			k == protoreflect.MessageKind && hasText(m.Fields().Get(i).Message()) {
			return true
		}
	}
	return false
}

// nested sets v to lists (or maps) inside each other, with a text inside them all.
func nested(v pcommon.Value, maps bool, levels int, text string) {
	for range levels {
		if maps {
			v = v.SetEmptyMap().PutEmpty("k")
		} else {
			v = v.SetEmptySlice().AppendEmpty()
		}
	}
	v.SetStr(text)
}

// A value that lies too deep for readers becomes text from where it is too deep. All around it, and all other items, stay.
func TestDeepValuesBecomeText(t *testing.T) {
	for _, encoding := range bothEncodings {
		m := mustNew(t, usual(encoding))
		for _, tt := range []struct {
			maps         bool
			levels, kept int // kept is how many levels stay
			text         string
		}{
			{false, 47, 47, ""},
			{false, 48, 47, `["deep"]`},
			{false, 60, 47, strings.Repeat("[", 13) + `"deep"` + strings.Repeat("]", 13)},
			{true, 31, 31, ""},
			{true, 32, 31, `{"k":"deep"}`},
			{true, 60, 31, strings.Repeat(`{"k":`, 29) + `"deep"` + strings.Repeat("}", 29)},
			{true, 20_000, 31, ""},
		} {
			t.Run(fmt.Sprint(encoding, tt.maps, tt.levels), func(t *testing.T) {
				logs := plog.NewLogs()
				addLogs(logs, "checkout", "before", "", "behind")
				nested(logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).Body(), tt.maps, tt.levels, "deep")
				encoded := logsData{logs}.marshal(t, m)
				read := plog.NewLogs()
				for _, message := range encoded.Messages {
					decodeStrictly(t, m, Logs, message.Data)
					part, err := m.UnmarshalLogs(message.Data)
					require.NoError(t, err)
					part.ResourceLogs().MoveAndAppendTo(read.ResourceLogs())
				}
				require.Equal(t, 3, read.LogRecordCount())
				records := read.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
				assert.Equal(t, "before", records.At(0).Body().Str())
				assert.Equal(t, "behind", records.At(2).Body().Str())
				v := records.At(1).Body()
				for range tt.kept {
					if tt.maps {
						v, _ = v.Map().Get("k")
					} else {
						v = v.Slice().At(0)
					}
				}
				switch {
				case tt.levels == tt.kept:
					assert.Equal(t, "deep", v.Str())
					assert.Equal(t, Mended{}, encoded.Mended)
				case tt.text == "":
					assert.Len(t, v.Str(), maxTextOf)
					assert.True(t, strings.HasSuffix(v.Str(), "..."))
				default:
					assert.Equal(t, tt.text, v.Str())
					assert.Equal(t, Mended{Values: 1, Resource: "service.name=checkout"}, encoded.Mended)
				}
			})
		}
	}
}

// The JSON text of a value says what the value says.
func TestTextOfAValue(t *testing.T) {
	v := pcommon.NewValueEmpty()
	require.NoError(t, v.FromRaw(map[string]any{
		"list": []any{"q\"\n\xff", int64(-7), true, 1.5, nil, []byte{1, 2}}, "none": map[string]any{},
	}))
	logs := plog.NewLogs()
	addLogs(logs, "r", "")
	body := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body()
	nested(body, false, 47, "")
	deepest := body
	for range 47 {
		deepest = deepest.Slice().At(0)
	}
	v.CopyTo(deepest)
	m := mustNew(t, usual(OTLPProto))
	encoded := logsData{logs}.marshal(t, m)
	read, err := m.UnmarshalLogs(encoded.Messages[0].Data)
	require.NoError(t, err)
	body = read.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body()
	for range 47 {
		body = body.Slice().At(0)
	}
	assert.JSONEq(t, `{"list":["q\"\n`+"\uFFFD"+`",-7,true,1.5,null,"AQI="],"none":{}}`, body.Str())
}

// The resource with the first change is named, in pieces too.
func TestMendedNamesItsResource(t *testing.T) {
	logs := plog.NewLogs()
	addLogs(logs, "good", strings.Repeat("x", 3000))
	addLogs(logs, "bad", strings.Repeat("x", 3000), "caf\xe9", "na\xefve")
	addLogs(logs, "worse", "\xff\xfe")
	logs.ResourceLogs().At(2).Resource().Attributes().PutStr("\xff", "v")
	for _, encoding := range bothEncodings {
		m := mustNew(t, usual(encoding))
		m.pieceSize = 1000
		encoded := logsData{logs}.marshal(t, m)
		assert.Equal(t, Mended{Texts: 4, Resource: "service.name=bad"}, encoded.Mended)
	}
}

// Keys made of resource attributes are those of the text that is sent. So a message that comes back and is sent again keeps its
// key.
func TestKeysAreOfMendedText(t *testing.T) {
	for _, broken := range brokenTexts {
		valid := strings.ToValidUTF8(broken, "\uFFFD")
		assert.Equal(t, keyOf(t, map[string]any{"a": valid}, "a"), keyOf(t, map[string]any{"a": broken}, "a"))
		assert.Equal(t,
			keyOf(t, map[string]any{"a": map[string]any{valid: []any{valid}, "\uFFFEz": 1}}, "a"),
			keyOf(t, map[string]any{"a": map[string]any{broken: []any{broken}, "\uFFFEz": 1}}, "a"))
		assert.True(t, utf8.ValidString(keyOf(t, map[string]any{"a": broken}, "a")))
	}
}
