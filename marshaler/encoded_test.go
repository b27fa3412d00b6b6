// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// manyConfigs are configurations that differ in all that decides how a push is cut.
func manyConfigs() (configs []Config) {
	for _, encoding := range bothEncodings {
		for _, compression := range []Compression{NoCompression, Snappy, Zstd, Gzip} {
			for i, key := range []KeyConfig{{}, {Static: "fixed"}, {ResourceAttributes: []string{"tenant", "a"}}} {
				target := []int{400, 2500, 51_200}[i]
				configs = append(configs, Config{
					Encoding: encoding, TargetSize: target, MaxSize: 3 * target, Compression: compression, Key: key,
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
			for seed := range uint64(6) {
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
