// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// serviceLogs makes log records as services write them: some lines again and again with other numbers in them, some with
// a stack trace, and identifiers that nothing can compress.
func serviceLogs(r *rand.Rand, resources, records int) plog.Logs {
	methods, paths := []string{"GET", "POST", "PUT"}, []string{"/api/v1/orders", "/api/v1/users", "/healthz", "/api/v1/carts"}
	logs := plog.NewLogs()
	for range resources {
		rl := logs.ResourceLogs().AppendEmpty()
		attrs := rl.Resource().Attributes()
		attrs.PutStr("service.name", fmt.Sprintf("service-%d", r.IntN(50)))
		attrs.PutStr("k8s.pod.name", fmt.Sprintf("pod-%08x-%05x", r.Uint32(), r.IntN(1<<20)))
		attrs.PutStr("host.name", fmt.Sprintf("ip-10-%d-%d-%d.ec2.internal", r.IntN(256), r.IntN(256), r.IntN(256)))
		list := rl.ScopeLogs().AppendEmpty().LogRecords()
		for i := range records {
			lr := list.AppendEmpty()
			lr.SetTimestamp(pcommon.Timestamp(1_790_000_000_000_000_000 + i*1_000_000 + r.IntN(1_000_000)))
			lr.SetObservedTimestamp(lr.Timestamp() + pcommon.Timestamp(r.IntN(5_000_000)))
			lr.SetSeverityNumber(plog.SeverityNumberInfo)
			method, path := methods[r.IntN(len(methods))], paths[r.IntN(len(paths))]
			lr.Attributes().PutStr("http.request.method", method)
			lr.Attributes().PutStr("url.path", path)
			lr.Attributes().PutInt("http.response.status_code", int64(200+100*r.IntN(4)))
			lr.Attributes().PutDouble("duration", r.ExpFloat64())
			lr.Body().SetStr(fmt.Sprintf("%s %s/%d by user %08x took %d us, sent %d bytes", method, path,
				r.IntN(1_000_000), r.Uint32(), r.IntN(1_000_000), r.IntN(100_000)))
			if r.IntN(50) == 0 {
				lr.SetSeverityNumber(plog.SeverityNumberError)
				lr.Attributes().PutStr("exception.stacktrace", strings.Repeat(
					fmt.Sprintf("\tat com.example.shop.Order%d.process(Order.java:%d)\n", r.IntN(9), r.IntN(400)), 5+r.IntN(20)))
			}
			var trace pcommon.TraceID
			binary.NativeEndian.PutUint64(trace[:], r.Uint64())
			binary.NativeEndian.PutUint64(trace[8:], r.Uint64())
			lr.SetTraceID(trace)
			var span pcommon.SpanID
			binary.NativeEndian.PutUint64(span[:], r.Uint64())
			lr.SetSpanID(span)
		}
	}
	return logs
}

// compressions are those that tests of random data go through. With -short it is one of them.
func compressions() []Compression {
	if testing.Short() {
		return []Compression{Zstd}
	}
	return []Compression{Snappy, Zstd, Gzip}
}

// compressed are the configurations with compression.
func compressed(target, limit int) (all []Config) {
	for _, encoding := range bothEncodings {
		for _, c := range compressions() {
			all = append(all, Config{Encoding: encoding, TargetSize: target, MaxSize: limit, Compression: c})
		}
	}
	return all
}

func TestCompressedMessagesHoldEverything(t *testing.T) {
	for _, target := range []int{64, 500, 4000} {
		for _, config := range compressed(target, 1<<20) {
			config.Key.ResourceAttributes = []string{"tenant"}
			m := mustNew(t, config)
			plain := mustNew(t, Config{Encoding: config.Encoding, TargetSize: 1 << 30, MaxSize: 1 << 30, Key: config.Key})
			for seed := range uint64(4) {
				for _, d := range newRandom(seed).all() {
					var want, got []string
					for _, message := range d.marshal(t, plain).Messages { // in the order of the keys
						want = append(want, items(t, m, d.decode(t, m, message.Data))...)
					}
					encoded := d.marshal(t, m)
					assert.Empty(t, encoded.Rejected)
					for _, message := range encoded.Messages {
						assert.Equal(t, config.Compression, compressionOf(message.Data))
						if message.Items > 1 && target == 4000 && d.signal() != Profiles { // a dictionary makes room for itself
							assert.LessOrEqual(t, len(message.Data)+len(message.PartitionKey), target)
						}
						part := d.decode(t, m, message.Data)
						assert.Equal(t, message.Items, part.count())
						got = append(got, items(t, m, part)...)
					}
					require.Equal(t, want, got, "%s, seed %d, %+v", d.signal(), seed, config)
				}
			}
		}
	}
}

// counting counts what a compressor is given.
type counting struct {
	compressor

	bytes int
}

func (c *counting) compress(dst, src []byte) []byte {
	c.bytes += len(src)
	return c.compressor.compress(dst, src)
}

// Compressed messages fill records too. From the first one on, they are nearly as large as the target and never larger, and few
// bytes are compressed twice. Kinesis bills units of 25,600 bytes.
func TestCompressedMessagesFillRecords(t *testing.T) {
	const target, unit, requests = 51_200, 25_600, 3
	for _, config := range compressed(target, 1<<20) {
		for _, shape := range shapes {
			name := fmt.Sprintf("%s/%s/%dx%d", config.Encoding, config.Compression, shape.resources, shape.records)
			t.Run(name, func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 2))
				m := mustNew(t, config)
				count := &counting{compressor: m.compressor}
				m.compressor = count
				sent, units, plain, again := 0, 0, 0, 0
				for request := range requests {
					logs := serviceLogs(r, shape.resources, shape.records)
					size := len(logsData{logs}.whole(t, m))
					plain += size
					count.bytes = 0
					messages := logsData{logs}.marshal(t, m).Messages
					for _, message := range messages[:len(messages)-1] { // the last is what was left
						size := len(message.Data) + KeylessKeySize
						assert.LessOrEqual(t, size, target)
						sent += size
						units += (size + unit - 1) / unit
					}
					if request > 0 {
						again += count.bytes - size
					}
				}
				t.Logf("%d units, %.3f of the least; %.1f%% compressed once more",
					units, float64(units*unit)/float64(sent), 100*float64(again)/float64(plain))
				assert.LessOrEqual(t, float64(units*unit), 1.03*float64(sent))
				assert.LessOrEqual(t, float64(again), .35*float64(plain))
			})
		}
	}
}

// The limits hold after compression. An item that fits only without compression is sent without it.
func TestCompressionAndLimits(t *testing.T) {
	const limit = 1 << 16
	noise := func(n int) string { // what no compression makes smaller
		r := rand.New(rand.NewPCG(3, 4))
		text := make([]byte, n)
		for i := range text {
			text[i] = byte(r.Uint32())
		}
		return string(text)
	}
	logsOf := func(bodies ...string) plog.Logs { // as bytes, which need not be UTF-8
		logs := plog.NewLogs()
		addLogs(logs, "r", bodies...)
		for i, lr := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			lr.Body().SetEmptyBytes().FromRaw([]byte(bodies[i]))
		}
		return logs
	}
	bare := func(body string) int {
		logs := logsOf(body)
		return len(logsData{logs}.whole(t, mustNew(t, usual(OTLPProto))))
	}
	fits := limit - KeylessKeySize - (bare(noise(60_000)) - 60_000)
	require.Equal(t, limit, bare(noise(fits))+KeylessKeySize)
	for _, c := range []Compression{Snappy, Zstd, Gzip} {
		t.Run(string(c), func(t *testing.T) {
			m := mustNew(t, Config{Encoding: OTLPProto, TargetSize: 4000, MaxSize: limit, Compression: c})
			for _, tt := range []struct {
				name, body string
				found      Compression // "" if it is rejected
			}{
				{"more than the limit, compresses well", strings.Repeat("x", 10*limit), c},
				{"cannot be compressed, just fits", noise(fits), NoCompression},
				{"cannot be compressed, just does not fit", noise(fits + 1), ""},
				{"as much as readers take", strings.Repeat("x", 1<<20), c},
			} {
				t.Run(tt.name, func(t *testing.T) {
					encoded := logsData{logsOf("before", tt.body, "behind")}.marshal(t, m)
					want := []string{"before", tt.body, "behind"}
					if tt.found == "" {
						want = []string{"before", "behind"}
						require.Len(t, encoded.Rejected, 1)
						assert.Greater(t, encoded.Rejected[0].Size, limit)
						assert.Equal(t, limit, encoded.Rejected[0].Limit)
					} else {
						assert.Empty(t, encoded.Rejected)
					}
					require.True(t, slices.Equal(want, bodies(t, m, encoded.Messages)))
					for _, message := range encoded.Messages {
						assert.LessOrEqual(t, len(message.Data)+KeylessKeySize, limit)
						if tt.found == NoCompression && len(message.Data) > 4000 {
							assert.Equal(t, NoCompression, compressionOf(message.Data))
							continue
						}
						assert.Equal(t, c, compressionOf(message.Data))
					}
				})
			}
		})
	}
}

// An item that is too large before compression is rejected, however well it compresses.
func TestPlainSizeIsBounded(t *testing.T) {
	logs := plog.NewLogs()
	addLogs(logs, "r", "good", strings.Repeat("x", MaxPlainSize))
	m := mustNew(t, Config{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 10 << 20, Compression: Zstd})
	encoded := logsData{logs}.marshal(t, m)
	require.Len(t, encoded.Rejected, 1)
	assert.Greater(t, encoded.Rejected[0].Size, MaxPlainSize)
	assert.Equal(t, []string{"good"}, bodies(t, m, encoded.Messages))
}

func TestCompressionLevels(t *testing.T) {
	logs := logsData{serviceLogs(rand.New(rand.NewPCG(1, 1)), 1, 1000)}
	size := func(c Compression, level int) int {
		m := mustNew(t, Config{
			Encoding: OTLPProto, TargetSize: 1 << 20, MaxSize: 1 << 20, Compression: c, CompressionLevel: level,
		})
		return len(logs.marshal(t, m).Messages[0].Data)
	}
	assert.Less(t, size(Gzip, 9), size(Gzip, 1))
	assert.Equal(t, size(Gzip, 5), size(Gzip, 0))
	assert.Equal(t, size(Gzip, -1), size(Gzip, 0))
	assert.Less(t, size(Zstd, 11), size(Zstd, 1))
	assert.Equal(t, size(Zstd, 1), size(Zstd, 0))
}

func TestRatio(t *testing.T) {
	var r ratio
	assert.Equal(t, 1980, r.plain(1000), "twice as much, less a margin")
	r.learn(4000, 1000)
	assert.Equal(t, 3960, r.plain(1000), "the first counts alone")
	for range 100 {
		r.learn(5000, 1000)
	}
	assert.InDelta(t, 4950, r.plain(1000), 5, "later ones count more than those before")
	for range 100 {
		r.learn(4000, 1000)
		r.learn(6000, 1000)
	}
	assert.InDelta(t, 4750, r.plain(1000), 200, "the margin grows with what cannot be foreseen, up to a twentieth")
	for range 200 {
		r.learn(1000, 2000)
	}
	assert.InDelta(t, 891, r.plain(1000), 5)
	for range 200 {
		r.learn(1<<20, 1)
	}
	assert.InDelta(t, 63_360, r.plain(1000), 400)
	assert.Equal(t, MaxPlainSize, r.plain(1<<20))
}

// What NewCompressor returns appends one frame, and any number of goroutines may use it.
func TestNewCompressor(t *testing.T) {
	for _, c := range []Compression{Snappy, Zstd, Gzip} {
		compress, err := NewCompressor(c, 0)
		require.NoError(t, err)
		var running sync.WaitGroup
		for i := range 8 {
			running.Go(func() {
				data := strings.Repeat("a line of a log", 1+1000*i)
				out := compress([]byte("before"), []byte(data))
				rest, ok := strings.CutPrefix(string(out), "before")
				assert.True(t, ok)
				plain, found, err := Decompress([]byte(rest), len(data))
				assert.NoError(t, err)
				assert.Equal(t, c, found)
				assert.Equal(t, data, string(plain))
			})
		}
		running.Wait()
	}
	none, err := NewCompressor(NoCompression, 0)
	require.NoError(t, err)
	assert.Nil(t, none)
	_, err = NewCompressor("lz4", 0)
	require.ErrorContains(t, err, "lz4")
	_, err = NewCompressor(Gzip, 10)
	require.ErrorContains(t, err, "from -1 to 9")
}

// PlainSize is the size before compression, however a message is made: cut, divided, of profiles, in another format, or with an
// item that was cut.
func TestPlainSize(t *testing.T) {
	c := Config{Encoding: OTLPJSON, TargetSize: 900, MaxSize: 2000, Compression: Zstd, Newline: true, Oversize: TruncateOversize}
	foreign := c
	foreign.Encoding, foreign.Foreign = "", foreignJSON()
	foreign.Foreign.Text = true
	for _, c := range []Config{c, foreign} {
		m := mustNew(t, c)
		check := func(messages []Message) {
			for _, message := range messages {
				plain, _, err := Decompress(message.Data, MaxPlainSize)
				require.NoError(t, err)
				require.Len(t, plain, message.PlainSize())
			}
		}
		for seed := range uint64(5) {
			for _, d := range newRandom(seed).all() {
				encoded, err := marshalOf(m, d)
				require.NoError(t, err)
				check(encoded.Messages)
				for i := range encoded.Messages {
					parts, err := m.Divide(d.signal(), &encoded.Messages[i], 1)
					require.NoError(t, err)
					check(parts)
				}
			}
		}
	}
}
