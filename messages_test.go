// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// A log record with only a body could be a span. Its marker says what it is, whatever the message went through. Without the key
// there is no marker.
func TestMessagesSayTheirSignal(t *testing.T) {
	bare := plog.NewLogs()
	records := bare.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range 3000 {
		records.AppendEmpty().Body().SetStr(fmt.Sprint("a body without a time, number ", i))
	}
	for _, signalMarker := range []bool{true, false} {
		for _, format := range []kpl.AggregationFormat{kpl.AggregationKPL, kpl.AggregationConcatenated, kpl.AggregationNone} {
			for _, compression := range []marshaler.Compression{marshaler.NoCompression, marshaler.Zstd} {
				for _, queue := range []bool{false, true} {
					c := directConfig()
					c.Producer.AggregationFormat, c.Compression = format, compression
					c.SignalMarker, c.PartitionKey.ResourceAttributes = signalMarker, nil
					if queue {
						c.Queue = defaultConfig().Queue // small requests are joined before they are compressed
					}
					if c.Validate() != nil {
						continue
					}
					t.Run(fmt.Sprint(signalMarker, format, compression, queue), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							k := newTestKinesis(1)
							e := startLogs(t, k, c)
							require.NoError(t, e.ConsumeLogs(t.Context(), bare))
							require.NoError(t, e.ConsumeLogs(t.Context(), oneResource("small ", 3)))
							e.stop(t)
							assert.Len(t, distinct(t, storedBodies(t, k)), 3003)
							for _, record := range k.UserRecords(testStream) {
								plain, _, err := marshaler.Decompress(record.Data, marshaler.MaxPlainSize)
								require.NoError(t, err)
								require.Equal(t, signalMarker, bytes.HasPrefix(plain, []byte("\xf8\x7f\x01")))
								signal, _, ok := marshaler.Detect(plain)
								require.True(t, ok, "pdata's empty ids show the signal even without a marker")
								require.Equal(t, marshaler.Logs, signal)
							}
						})
					})
				}
			}
		}
	}
}

// What the storage of a queue has is exporterhelper's. Its messages get their marker when they are made.
func TestStoredRequestsHaveNoMarker(t *testing.T) {
	p := storagePusher(t, marshaler.Logs, nil)
	encoded, err := p.plain.MarshalLogs(logsOf("a"))
	require.NoError(t, err)
	r := p.newRequest(&encoded, true)
	assert.Equal(t, byte(0x0a), r.plain[0].otlp[0])
	r.prepare(t.Context())
	assert.Equal(t, "\xf8\x7f\x01\x0a", string(r.messages[0].Data[:4]))
}

// With newline, every record is lines of JSON, each with one newline, however messages share records.
func TestMessagesAreLines(t *testing.T) {
	for _, format := range []kpl.AggregationFormat{kpl.AggregationKPL, kpl.AggregationConcatenated, kpl.AggregationNone} {
		t.Run(string(format), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, c := newTestKinesis(1), directConfig()
				c.Producer.AggregationFormat, c.Encoding, c.Newline = format, marshaler.OTLPJSON, true
				require.NoError(t, c.Validate())
				e := startLogs(t, k, c)
				require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a", "b", "c\n")))
				e.stop(t)
				m, err := marshaler.New(c.marshalerConfig(marshaler.Logs))
				require.NoError(t, err)
				var found []string
				lines := 0
				for _, record := range k.UserRecords(testStream) {
					data := string(record.Data)
					require.True(t, strings.HasSuffix(data, "}\n"))
					lines += strings.Count(data, "\n")
					assert.Equal(t, strings.Count(data, "\n")-1, strings.Count(data, "}\n{"), "no line is empty")
					logs, err := m.UnmarshalLogs(record.Data)
					require.NoError(t, err)
					found = append(found, bodiesOf(logs)...)
				}
				assert.Equal(t, 3, lines, "one for each resource, which has a key of its own")
				assert.ElementsMatch(t, []string{"a", "b", "c\n"}, found)
				if format == kpl.AggregationConcatenated {
					assert.Len(t, k.Records(testStream), 1)
				}
			})
		})
	}
}

// With oversize: truncate, an item that fits no record arrives cut. It is counted, and logged once in ten seconds.
func TestOversizeRecordIsCut(t *testing.T) {
	for _, encoding := range []marshaler.Encoding{marshaler.OTLPProto, marshaler.OTLPJSON} {
		for _, storage := range []bool{false, true} {
			t.Run(fmt.Sprint(encoding, storage), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					k, c := newTestKinesis(1), plainConfig()
					c.Encoding, c.Oversize = encoding, marshaler.TruncateOversize
					if storage {
						c.Queue = defaultConfig().Queue
						id := memoryStorageID
						c.Queue.Get().StorageID = &id
					}
					e := newRig(t, factoryFor(k), c)
					e.host.Host = storageHost{memoryStorageID: newMemoryStorage()}
					require.NoError(t, e.Start(t.Context(), e.host))
					logs := oneResource("good", 9)
					huge := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
					huge.Body().SetStr(strings.Repeat("x", 2<<20))
					logs.MarkReadOnly()
					require.NoError(t, e.ConsumeLogs(t.Context(), logs))
					require.NoError(t, e.ConsumeLogs(t.Context(), logs))
					advance(time.Second)
					e.stop(t)
					cut := 0
					bodies := storedBodies(t, k)
					for _, body := range bodies {
						if strings.HasPrefix(body, "xxx") {
							cut++
							assert.InDelta(t, 1<<20, len(body), 1<<16)
						}
					}
					assert.Len(t, bodies, 20)
					assert.Equal(t, 2, cut)
					assert.Equal(t, 20, e.sum(t, "items_put", "outcome", "success"))
					assert.Equal(t, 20, e.sum(t, "items_put"))
					assert.Equal(t, 2, e.sum(t, "items_truncated", "signal", "logs"))
					lines := e.logs.FilterMessage("Cut the longest values of telemetry that fits no record").All()
					require.Len(t, lines, 1)
					assert.Equal(t, "service.name=checkout", lines[0].ContextMap()["first_resource"])
					assert.Greater(t, lines[0].ContextMap()["first_bytes"], int64(2<<20))
				})
			})
		}
	}
}
