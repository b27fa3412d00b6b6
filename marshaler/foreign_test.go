// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// foreignJSON is OTLP's JSON as pdata writes it, as a format that the Marshaler knows nothing about.
func foreignJSON() *Foreign {
	return &Foreign{
		Name:     "json",
		Logs:     (&plog.JSONMarshaler{}).MarshalLogs,
		Traces:   (&ptrace.JSONMarshaler{}).MarshalTraces,
		Metrics:  (&pmetric.JSONMarshaler{}).MarshalMetrics,
		Profiles: (&pprofile.JSONMarshaler{}).MarshalProfiles,
	}
}

// bodiesFormat writes the bodies of log records as lines. Encode may change a line, fail or panic.
func bodiesFormat(encode func(body string) (string, error)) *Foreign {
	return &Foreign{Name: "lines", Logs: func(logs plog.Logs) ([]byte, error) {
		var lines []byte
		for _, resource := range logs.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					line, err := encode(record.Body().Str())
					if err != nil {
						return nil, err
					}
					lines = append(lines, line...)
				}
			}
		}
		return lines, nil
	}}
}

// linesOf returns the lines of messages.
func linesOf(messages []Message) (lines []string) {
	for _, m := range messages {
		lines = append(lines, strings.Split(strings.TrimSuffix(string(m.Data), "\n"), "\n")...)
	}
	return lines
}

// Messages in a foreign format have the items, keys, streams and order of messages in OTLP, and are within the sizes.
func TestForeignMessagesHaveTheItemsOfOTLP(t *testing.T) {
	asJSON := &Marshaler{codec: newCodec(OTLPJSON), decompressor: new(decompressor)}
	for _, each := range []bool{false, true} {
		for _, compression := range []Compression{NoCompression, Zstd} {
			for i, key := range []KeyConfig{{}, {Static: "fixed"}, {ResourceAttributes: []string{"tenant", "a"}}} {
				c := Config{
					TargetSize: []int{400, 2500, 51_200}[i], MaxSize: 1 << 20, Key: key, Compression: compression,
					Foreign: foreignJSON(), Route: streamOf,
				}
				c.Foreign.EachItem = each
				t.Run(fmt.Sprint(each, compression, key), func(t *testing.T) {
					m := mustNew(t, c)
					like := c
					like.Foreign, like.Encoding, like.Compression = nil, OTLPJSON, NoCompression
					like.TargetSize = like.MaxSize
					otlp := mustNew(t, like)
					for seed := range uint64(2) {
						for _, d := range newRandom(seed).all() {
							encoded := d.marshal(t, m)
							require.Empty(t, encoded.Failed)
							require.Empty(t, encoded.Rejected)
							for _, message := range encoded.Messages {
								size := len(message.Data) + message.keySize()
								assert.True(t, size <= c.TargetSize || message.Items == 1, "%d bytes", size)
								assert.Equal(t, compression, compressionOf(message.Data))
								assert.True(t, !each || message.Items == 1)
							}
							want := d.marshal(t, otlp).Messages
							require.Equal(t, placed(t, otlp, d, want), placed(t, asJSON, d, encoded.Messages))
							bytes := marshalBytes(t, m, d.signal(), d.whole(t, m))
							require.Equal(t, placed(t, otlp, d, want), placed(t, asJSON, d, bytes.Messages))
						}
					}
				})
			}
		}
	}
}

// placed returns the items of messages with their places, in order.
func placed(t *testing.T, m *Marshaler, d telemetry, messages []Message) (list []string) {
	for _, message := range messages {
		read := d.decode(t, m, message.Data)
		require.Equal(t, message.Items, read.count())
		for _, item := range items(t, m, read) {
			list = append(list, message.Stream+" "+message.PartitionKey+" "+item)
		}
	}
	return list
}

// A message keeps the OTLP that it was made of, if it has several items or somebody asks for it.
func TestForeignMessagesKeepTheirOTLP(t *testing.T) {
	asJSON := &Marshaler{codec: newCodec(OTLPJSON), decompressor: new(decompressor)}
	for _, keep := range []bool{false, true} {
		c := Config{TargetSize: 2500, MaxSize: 1 << 20, Foreign: foreignJSON()}
		c.Foreign.KeepOTLP = keep
		m := mustNew(t, c)
		var single, several int
		for seed := range uint64(2) {
			for _, d := range newRandom(seed).all() {
				encoded, err := marshalOf(m, d)
				require.NoError(t, err)
				for i := range encoded.Messages {
					message := &encoded.Messages[i]
					if message.Items == 1 && !keep {
						assert.Same(t, &message.Data[0], &message.OTLP()[0])
						assert.LessOrEqual(t, message.Memory(), max(256, len(message.Data)*9/8))
						single++
						continue
					}
					want := items(t, asJSON, d.decode(t, asJSON, message.Data))
					require.Equal(t, want, items(t, asJSON, d.decode(t, m, message.OTLP())))
					assert.GreaterOrEqual(t, message.Memory(), len(message.Data)+len(message.OTLP()))
					several++
				}
				encoded.Release()
				assert.Zero(t, encoded.Messages[0].Memory())
			}
		}
		assert.Greater(t, several, 10)
		assert.Equal(t, keep, single == 0)
	}
}

func marshalOf(m *Marshaler, d telemetry) (Encoded, error) {
	switch d := d.(type) {
	case logsData:
		return m.MarshalLogs(d.Logs)
	case tracesData:
		return m.MarshalTraces(d.Traces)
	case profilesData:
		return m.MarshalProfiles(d.Profiles)
	}
	return m.MarshalMetrics(d.(metricsData).Metrics)
}

// A foreign message is divided as one in OTLP is.
func TestForeignMessagesAreDivided(t *testing.T) {
	asJSON := &Marshaler{codec: newCodec(OTLPJSON), decompressor: new(decompressor)}
	m := mustNew(t, Config{TargetSize: 51_200, MaxSize: 1 << 20, Compression: Gzip, Foreign: foreignJSON(), Route: streamOf})
	for seed := range uint64(2) {
		for _, d := range newRandom(seed).all() {
			encoded, err := marshalOf(m, d)
			require.NoError(t, err)
			for i := range encoded.Messages {
				message := &encoded.Messages[i]
				want := items(t, asJSON, d.decode(t, asJSON, message.Data))
				for _, most := range []int{0, 1, 2, (message.Items + 1) / 2, message.Items} {
					parts, err := m.Divide(d.signal(), message, most)
					require.NoError(t, err)
					var found []string
					for j := range parts {
						require.LessOrEqual(t, parts[j].Items, max(most, 1))
						require.Equal(t, message.Stream, parts[j].Stream)
						found = append(found, items(t, asJSON, d.decode(t, asJSON, parts[j].Data))...)
						parts[j].Release()
					}
					require.Equal(t, want, found)
				}
			}
			encoded.Release()
		}
	}
}

// What a format cannot encode is rejected alone, whether the format returns an error or panics. Nothing else is lost.
func TestForeignRejectsOnlyTheOffender(t *testing.T) {
	errBad := errors.New("no such word")
	for name, offend := range map[string]func() (string, error){
		"error": func() (string, error) { return "", errBad },
		"panic": func() (string, error) { panic("no such word") },
	} {
		t.Run(name, func(t *testing.T) {
			m := mustNew(t, Config{TargetSize: 500, MaxSize: 1000, Foreign: bodiesFormat(func(body string) (string, error) {
				if strings.HasPrefix(body, "bad") {
					return offend()
				}
				return body + "\n", nil
			})})
			logs := plog.NewLogs()
			var want []string
			for r := range 5 {
				var bodies []string
				for i := range 41 {
					bodies = append(bodies, fmt.Sprint("body ", r, " ", i))
				}
				want = append(want, bodies...)
				addLogs(logs, fmt.Sprint("service ", r), append(bodies[:40:40], "bad", bodies[40])...)
			}
			encoded, err := m.MarshalLogs(logs)
			require.NoError(t, err)
			assert.Equal(t, want, linesOf(encoded.Messages))
			require.Len(t, encoded.Failed, 5)
			for i, failed := range encoded.Failed {
				assert.Equal(t, 1, failed.Items)
				assert.Equal(t, fmt.Sprint("service.name=service ", i), failed.Resource)
				assert.ErrorContains(t, failed, "marshaler: lines does not encode a log record: ")
				assert.ErrorContains(t, failed, "no such word")
				if name == "error" {
					assert.ErrorIs(t, failed, errBad)
				}
			}
		})
	}
}

// Items of which a format makes no bytes are rejected: a record without data would be no record of them.
func TestForeignRejectsWhatMakesNoBytes(t *testing.T) {
	c := Config{TargetSize: 500, MaxSize: 1000, Compression: Gzip, Foreign: bodiesFormat(func(body string) (string, error) {
		return body, nil
	})}
	for _, each := range []bool{false, true} {
		c.Foreign.EachItem = each
		logs := plog.NewLogs()
		addLogs(logs, "a", "", "", "")
		encoded, err := mustNew(t, c).MarshalLogs(logs)
		require.NoError(t, err)
		assert.Empty(t, encoded.Messages)
		rejected := 0
		for _, failed := range encoded.Failed {
			rejected += failed.Items
			assert.ErrorIs(t, failed, errNoBytes)
		}
		assert.Equal(t, 3, rejected)
	}
}

// An item that needs more than the limit is rejected alone, with its size. One that needs more than the target is sent alone.
func TestForeignRejectsTooLargeItems(t *testing.T) {
	same := bodiesFormat(func(body string) (string, error) { return body + "\n", nil })
	m := mustNew(t, Config{TargetSize: 500, MaxSize: 1000, Foreign: same})
	for size, fits := range map[int]bool{400: true, 600: true, 983: true, 984: false, 5000: false} {
		logs := plog.NewLogs()
		large := strings.Repeat("x", size)
		addLogs(logs, "shop", "a", large, "b")
		encoded, err := m.MarshalLogs(logs)
		require.NoError(t, err)
		if fits {
			assert.Equal(t, []string{"a", large, "b"}, linesOf(encoded.Messages))
			continue
		}
		assert.Equal(t, []string{"a", "b"}, linesOf(encoded.Messages))
		assert.Equal(t, []*ItemSizeError{
			{Signal: Logs, Size: size + 1 + KeylessKeySize, Limit: 1000, Resource: "service.name=shop"},
		}, encoded.Rejected)
	}
}

// Compression may make a small item larger. An item that fits without compression only is sent without.
func TestForeignItemsAreCompressed(t *testing.T) {
	noise := noiseOf(900)
	same := bodiesFormat(func(body string) (string, error) { return body, nil })
	limit := len(noise) + KeylessKeySize
	m := mustNew(t, Config{TargetSize: 200, MaxSize: limit, Compression: Gzip, Foreign: same})
	for body, compression := range map[string]Compression{"a": Gzip, strings.Repeat("a", 5000): Gzip, noise: NoCompression} {
		logs := plog.NewLogs()
		addLogs(logs, "shop", body)
		encoded, err := m.MarshalLogs(logs)
		require.NoError(t, err)
		require.Len(t, encoded.Messages, 1)
		assert.Equal(t, compression, compressionOf(encoded.Messages[0].Data))
		plain, _, err := Decompress(encoded.Messages[0].Data, MaxPlainSize)
		require.NoError(t, err)
		assert.Equal(t, body, string(plain))
	}
}

// noiseOf returns text that does not compress.
func noiseOf(n int) string {
	r, text := newRandom(1), make([]byte, n)
	for i := range text {
		text[i] = byte(' ' + r.IntN(95))
	}
	return string(text)
}

func TestForeignConfiguration(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config Config
		want   string
	}{
		{"two encodings", Config{Encoding: OTLPJSON, Foreign: foreignJSON()}, "Encoding must be empty with Foreign"},
		{"no text", Config{Newline: true, Foreign: foreignJSON()}, `Newline must be false for Encoding "json", which is no text`},
		{"no signal", Config{Foreign: &Foreign{Name: "nothing"}}, "Foreign must have a function"},
	} {
		tt.config.TargetSize, tt.config.MaxSize = 1000, 1000
		_, err := New(tt.config)
		assert.ErrorContains(t, err, tt.want, tt.name)
	}
	m := mustNew(t, Config{TargetSize: 1000, MaxSize: 1000, Foreign: bodiesFormat(nil)})
	traces := ptrace.NewTraces()
	traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	_, err := m.MarshalTraces(traces)
	require.EqualError(t, err, "marshaler: lines has no traces")
	_, err = m.AppendProto(nil, Logs, []byte("a"))
	require.EqualError(t, err, "marshaler: lines is no encoding of OTLP")
	assert.False(t, m.FallsBack(Logs))
}

// An item that is too large for a foreign message is cut as one in OTLP is. Lines of text end with a newline.
func TestForeignItemsAreTruncated(t *testing.T) {
	same := bodiesFormat(func(body string) (string, error) { return body, nil })
	same.Text, same.KeepOTLP = true, true
	m := mustNew(t, Config{TargetSize: 500, MaxSize: 1000, Foreign: same, Oversize: TruncateOversize, Newline: true})
	logs := plog.NewLogs()
	addLogs(logs, "shop", "a", strings.Repeat("ä", 5000), "b")
	encoded, err := m.MarshalLogs(logs)
	require.NoError(t, err)
	assert.Empty(t, encoded.Rejected)
	assert.Equal(t, []*ItemSizeError{
		{Signal: Logs, Size: 10_001 + KeylessKeySize, Limit: 1000, Resource: "service.name=shop"},
	}, encoded.Truncated)
	lines := linesOf(encoded.Messages)
	require.Len(t, lines, 3)
	assert.Equal(t, []string{"a", "b"}, []string{lines[0], lines[2]})
	assert.Equal(t, strings.Repeat("ä", len(lines[1])/2), lines[1])
	for i := range encoded.Messages {
		message := &encoded.Messages[i]
		assert.LessOrEqual(t, len(message.Data)+KeylessKeySize, 1000)
		assert.True(t, strings.HasSuffix(string(message.Data), "\n"))
	}
	assert.GreaterOrEqual(t, len(lines[1]), 900)
	whole := bodies(t, m, []Message{{Data: encoded.Messages[1].OTLP()}})
	assert.Equal(t, []string{strings.Repeat("ä", 5000)}, whole, "a caller gets the whole item back")
}
