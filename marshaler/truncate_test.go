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
)

// pdataOf returns the pdata of a copy.
func pdataOf(d telemetry) (copied telemetry, pdata any) {
	switch copied := d.keep(func(int, pcommon.Resource) bool { return true }).(type) {
	case logsData:
		return copied, copied.Logs
	case tracesData:
		return copied, copied.Traces
	default:
		return copied, copied.(metricsData).Metrics
	}
}

// stretched returns a copy of telemetry in which some values are much longer, with characters of one to four bytes.
func stretched(d telemetry, r *rand.Rand) telemetry {
	longer, pdata := pdataOf(d)
	for _, v := range valuesOf(pdata, 0) {
		if r.IntN(12) > 0 {
			continue
		}
		var text strings.Builder
		for range r.IntN(3000) {
			text.WriteRune([]rune{'a' + r.Int32N(26), 'é', '€', '🦊', '"', '\\', '\x01'}[r.IntN(7)])
		}
		if v.value.Type() == pcommon.ValueTypeBytes {
			v.value.Bytes().FromRaw([]byte(text.String()))
		} else {
			v.value.SetStr(text.String())
		}
	}
	return longer
}

// checkTruncated compares what was sent with messages that all have one key. Each item arrives as it was or cut, or it is
// rejected, in order.
func checkTruncated(t *testing.T, m *Marshaler, sent telemetry, encoded Encoded) {
	t.Helper()
	var found []telemetry
	for _, message := range encoded.Messages {
		require.LessOrEqual(t, len(message.Data)+m.cfg.Key.keySize(), m.cfg.MaxSize)
		decodeStrictly(t, m, sent.signal(), message.Data)
		read := sent.decode(t, m, message.Data)
		require.Equal(t, message.Items, read.count())
		for i := range message.Items {
			found = append(found, read.keep(func(item int, _ pcommon.Resource) bool { return item == i }))
		}
	}
	truncated, rejected := 0, 0
	for i := range sent.count() {
		item := sent.keep(func(item int, _ pcommon.Resource) bool { return item == i })
		switch {
		case len(found) > 0 && bytes.Equal(item.whole(t, m), found[0].whole(t, m)):
			found = found[1:]
		case len(found) > 0 && isCutOf(t, m, item, found[0]):
			found = found[1:]
			truncated++
		default:
			rejected++
		}
	}
	require.Empty(t, found)
	require.Len(t, encoded.Truncated, truncated)
	require.Len(t, encoded.Rejected, rejected)
	for _, err := range append(encoded.Truncated, encoded.Rejected...) {
		require.Greater(t, err.Size, err.Limit)
		require.Equal(t, m.cfg.MaxSize, err.Limit)
	}
}

// isCutOf reports whether a found item is the same as the sent one, except that its longest values are cut, and that it has its
// size as an attribute.
func isCutOf(t *testing.T, m *Marshaler, sent, found telemetry) bool {
	t.Helper()
	whole := sent.whole(t, m)
	size := len(whole) - aroundItem(t, m, sent, whole)
	before := bytes.Count(whole, []byte(OriginalSizeAttribute))
	if bytes.Count(found.whole(t, m), []byte(OriginalSizeAttribute)) != max(before, 1) {
		return false
	}
	sent, sentPdata := pdataOf(sent)
	found, foundPdata := pdataOf(found)
	long, short := valuesOf(sentPdata, size), valuesOf(foundPdata, size)
	if len(short) != len(long) {
		return false // it is another item: the sent one was rejected
	}
	longest := short.longest()
	for i := range long {
		kept, all := len(short[i].text)+len(short[i].raw), len(long[i].text)+len(long[i].raw)
		begins := strings.HasPrefix(long[i].text, short[i].text) && bytes.HasPrefix(long[i].raw, short[i].raw)
		if !begins || !utf8.ValidString(short[i].text) || kept < all && kept <= longest-utf8.UTFMax {
			return false // only the longest are cut, and no character
		}
	}
	long.cut(0)
	short.cut(0)
	return bytes.Equal(sent.whole(t, m), found.whole(t, m)) // all else stays
}

// truncating returns configurations that cut items.
func truncating() (configs []Config) {
	for _, encoding := range bothEncodings {
		for i, compression := range []Compression{NoCompression, Snappy, Zstd} {
			for _, target := range []int{700, 2000} {
				configs = append(configs, Config{
					Encoding: encoding, TargetSize: target, MaxSize: 2000, Compression: compression, Oversize: TruncateOversize,
					SignalMarker: i != 1, Newline: encoding.IsText() && i != 1, Key: KeyConfig{Static: "k"},
				})
			}
		}
	}
	return configs
}

// Items that are too large are cut, whatever made the messages. The pdata of the caller stays as it is.
func TestOversizeItemsAreCut(t *testing.T) {
	for _, c := range truncating() {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			m, large, proto := mustNew(t, c), mustNew(t, usual(c.Encoding)), mustNew(t, usual(OTLPProto))
			m.pieceSize = 3000
			truncated := 0
			for seed := range uint64(2) {
				r := newRandom(seed)
				if seed == 1 {
					r.broken = brokenTexts
				}
				for _, d := range r.joinable() {
					d = stretched(d, rand.New(rand.NewPCG(seed, 5)))
					d.markReadOnly()
					mended := d.decode(t, large, d.marshal(t, mustNew(t, Config{
						Encoding: c.Encoding, TargetSize: 1 << 24, MaxSize: 1 << 24,
					})).Messages[0].Data)
					encoded := d.marshal(t, m)
					truncated += len(encoded.Truncated)
					checkTruncated(t, m, mended, encoded)
					require.Equal(t, d.marshal(t, mustNew(t, c)).Truncated, encoded.Truncated)
					fromBytes := marshalBytes(t, mustNew(t, c), d.signal(), d.whole(t, proto))
					require.Equal(t, encoded.Truncated, fromBytes.Truncated)
					if c.TargetSize == 700 {
						checkTruncated(t, m, mended, fromBytes)
					}
				}
			}
			assert.Greater(t, truncated, 5, "enough to prove anything")
		})
	}
}

// A message of a long item is nearly as large as it may be, and the item keeps what is short.
func TestLongItemsFillTheirMessage(t *testing.T) {
	logs := plog.NewLogs()
	addLogs(logs, "checkout", "short", strings.Repeat("long €", 1<<19), "short too")
	lr := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1)
	lr.Attributes().PutStr("url.path", "/orders")
	lr.Attributes().PutEmptyMap("map").PutEmptySlice("list").AppendEmpty().SetStr(strings.Repeat("x", 1<<20))
	for _, encoding := range bothEncodings {
		c := usual(encoding)
		c.Oversize = TruncateOversize
		m := mustNew(t, c)
		encoded := logsData{logs}.marshal(t, m)
		assert.Empty(t, encoded.Rejected)
		require.Len(t, encoded.Truncated, 1)
		assert.Equal(t, "service.name=checkout", encoded.Truncated[0].Resource)
		assert.Equal(t, 1<<20, encoded.Truncated[0].Limit)
		assert.Greater(t, encoded.Truncated[0].Size, 5<<20)
		require.Len(t, encoded.Messages, 3, "in order")
		large := encoded.Messages[1].Data
		assert.Greater(t, len(large), 15<<16-16)
		read, err := m.UnmarshalLogs(large)
		require.NoError(t, err)
		cut := read.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		attributes := cut.Attributes().AsRaw()
		assert.Equal(t, "/orders", attributes["url.path"])
		assert.Greater(t, attributes[OriginalSizeAttribute], int64(5<<20))
		inner, _ := cut.Attributes().Get("map")
		list, _ := inner.Map().Get("list")
		assert.InDelta(t, len(cut.Body().Str()), len(list.Slice().At(0).Str()), utf8.UTFMax, "as long as the other")
		assert.Equal(t, strings.Repeat("x", 1<<20), attributeAt(lr, "map", "list"), "the caller's pdata stays")
	}
}

// attributeAt returns the only string in a list in a map.
func attributeAt(lr plog.LogRecord, name, list string) string {
	outer, _ := lr.Attributes().Get(name)
	inner, _ := outer.Map().Get(list)
	return inner.Slice().At(0).Str()
}

// What cutting does not help is dropped, as without it.
func TestItemsThatCuttingDoesNotHelp(t *testing.T) {
	resource := plog.NewLogs()
	addLogs(resource, strings.Repeat("r", 3000), strings.Repeat("b", 3000))
	keys := plog.NewLogs()
	addLogs(keys, "r", "b")
	keys.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutBool(strings.Repeat("k", 3000), true)
	for _, encoding := range bothEncodings {
		for _, logs := range []plog.Logs{resource, keys} {
			c := Config{Encoding: encoding, TargetSize: 1000, MaxSize: 2000, Oversize: TruncateOversize}
			encoded := logsData{logs}.marshal(t, mustNew(t, c))
			assert.Empty(t, encoded.Messages)
			assert.Empty(t, encoded.Truncated)
			assert.Len(t, encoded.Rejected, 1)
		}
	}
}

// With compression, what counts is the size afterwards, and no message has more bytes before than readers accept.
func TestCompressedItemsAreCut(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	random := make([]byte, 4<<20)
	for i := range random {
		random[i] = "0123456789abcdef"[r.IntN(16)]
	}
	for _, body := range []string{string(random), strings.Repeat("a", MaxPlainSize+1)} {
		logs := plog.NewLogs()
		addLogs(logs, "r", body)
		m := mustNew(t, Config{
			Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 20, Compression: Gzip, Oversize: TruncateOversize,
		})
		encoded := logsData{logs}.marshal(t, m)
		require.Len(t, encoded.Truncated, 1)
		require.Len(t, encoded.Messages, 1)
		assert.LessOrEqual(t, len(encoded.Messages[0].Data)+KeylessKeySize, 1<<20)
		read := bodies(t, m, encoded.Messages)[0]
		assert.True(t, strings.HasPrefix(body, read))
		assert.Greater(t, len(read), 1<<20, "more than without compression")
	}
}

func TestCutText(t *testing.T) {
	const text = "aé€🦊"
	for most, want := range []string{"", "a", "a", "aé", "aé", "aé", "aé€", "aé€", "aé€", "aé€", text, text} {
		assert.Equal(t, want, cutText(text, most), most)
	}
	assert.Empty(t, cutText("\x80\x80\x80", 2), "invalid UTF-8 has no whole characters")
}

func TestOversizeIsChecked(t *testing.T) {
	_, err := New(Config{Encoding: OTLPProto, TargetSize: 1000, MaxSize: 1000, Oversize: "split"})
	assert.EqualError(t, err, `marshaler: Oversize must be "drop" or "truncate", found "split"`)
}

// FuzzTruncate cuts items of any kind. They fit, strict readers decode them, and all that was not too long stays.
func FuzzTruncate(f *testing.F) {
	proto := mustNew(f, usual(OTLPProto))
	for i, d := range seeds() {
		if d.signal() == Profiles {
			continue // samples are never cut
		}
		otlp := stretched(d, rand.New(rand.NewPCG(uint64(i), 1))).whole(f, proto)
		for config := range truncating() {
			f.Add(uint8(d.signal()), uint8(config), otlp)
		}
	}
	f.Fuzz(func(t *testing.T, kind, config uint8, otlp []byte) {
		signal, c := Signal(kind%3), truncating()[int(config)%len(truncating())]
		d := []telemetry{logsData{}, tracesData{}, metricsData{}}[signal]
		large := mustNew(t, Config{Encoding: c.Encoding, TargetSize: 1 << 24, MaxSize: 1 << 24})
		whole, err := large.MarshalEncoded(signal, otlp)
		if err != nil || len(whole.Messages) == 0 || len(otlp) > 1<<15 {
			return
		}
		sent := d.decode(t, large, whole.Messages[0].Data)
		if !bytes.Equal(sent.whole(t, large), d.decode(t, large, sent.whole(t, large)).whole(t, large)) {
			return // pdata does not read what it writes
		}
		checkTruncated(t, mustNew(t, c), sent, marshalBytes(t, mustNew(t, c), signal, otlp))
	})
}

// BenchmarkTruncate shows what an item costs that is cut.
func BenchmarkTruncate(b *testing.B) {
	for _, compression := range []Compression{NoCompression, Zstd} {
		for _, size := range []int{1_100_000, 8 << 20} {
			logs := plog.NewLogs()
			text := make([]byte, size)
			r := rand.New(rand.NewPCG(1, 1))
			for i := range text {
				text[i] = 'a' + byte(r.IntN(26))
			}
			addLogs(logs, "r", string(text))
			for _, oversize := range []Oversize{DropOversize, TruncateOversize} {
				m := mustNew(b, Config{
					Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 19, Oversize: oversize, Compression: compression,
				})
				b.Run(fmt.Sprintf("%s/%d/%s", compression, size, oversize), func(b *testing.B) {
					b.SetBytes(int64(size))
					for b.Loop() {
						encoded, err := m.MarshalLogs(logs)
						if err != nil {
							b.Fatal(err)
						}
						encoded.Release()
					}
				})
			}
		}
	}
}
