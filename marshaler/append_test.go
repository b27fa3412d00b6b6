// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is damaged or too large appends nothing.
func TestAppendFails(t *testing.T) {
	for _, c := range manyConfigs() {
		m := mustNew(t, c)
		encoded := logsData{benchLogs(1, 3)}.marshal(t, m)
		data := encoded.Messages[0].Data
		dst := append(make([]byte, 0, 100), "before"...)
		if c.Encoding == OTLPProto && c.Compression == NoCompression {
			continue // it is appended as it is
		}
		out, err := m.AppendProto(dst, Logs, data[:len(data)-9])
		require.Error(t, err)
		assert.Equal(t, "before", string(out))
		assert.NotErrorIs(t, err, ErrPlainSize)
		if c.Encoding == OTLPProto && c.TargetSize == 51_200 {
			bomb := m.compressor.compress(nil, make([]byte, MaxPlainSize+1))
			out, err = m.AppendProto(dst, Logs, bomb)
			require.ErrorIs(t, err, ErrPlainSize)
			assert.Equal(t, "before", string(out))
		}
		out, err = m.AppendProto(dst, Logs, data)
		require.NoError(t, err)
		assert.Equal(t, encoded.Messages[0].Items, logsData{}.decode(t, mustNew(t, usual(OTLPProto)), out[len("before"):]).count())
	}
}

// BenchmarkAppendProto shows what it costs to make one request of the messages of a push, beside making the messages.
func BenchmarkAppendProto(b *testing.B) {
	logs := serviceLogs(rand.New(rand.NewPCG(1, 2)), 1, 1000)
	for _, compression := range []Compression{NoCompression, Snappy, Zstd, Gzip} {
		m := mustNew(b, Config{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 20, Compression: compression})
		encoded, err := m.MarshalLogs(logs)
		require.NoError(b, err)
		b.Run(string(compression)+"/append", func(b *testing.B) {
			b.ReportAllocs()
			var otlp []byte
			for b.Loop() {
				otlp = otlp[:0]
				for _, message := range encoded.Messages {
					if otlp, err = m.AppendProto(otlp, Logs, message.Data); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.SetBytes(int64(len(otlp)))
		})
		b.Run(string(compression)+"/marshal", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				again, err := m.MarshalLogs(logs)
				if err != nil {
					b.Fatal(err)
				}
				again.Release()
			}
		})
	}
}
