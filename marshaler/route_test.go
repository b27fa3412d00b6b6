// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// streamOf is a route by the attribute tenant.
func streamOf(attributes pcommon.Map) string {
	if tenant, ok := attributes.Get("tenant"); ok {
		return tenant.AsString()
	}
	return ""
}

// place is where an item goes.
type place struct{ stream, key string }

// Each message has items of one stream and one key only, and each item is in one message, in order.
func TestMessagesGoByStreamAndKey(t *testing.T) {
	keys := []KeyConfig{{}, {Static: "fixed"}, {ResourceAttributes: []string{"a"}}}
	for _, encoding := range bothEncodings {
		for _, key := range keys {
			t.Run(fmt.Sprintf("%s/%v", encoding, key), func(t *testing.T) {
				m := mustNew(t, Config{Encoding: encoding, TargetSize: 2500, MaxSize: 1 << 20, Key: key, Route: streamOf})
				keyOf, streams := keyBy(m), map[string]bool{}
				for seed := range uint64(6) {
					for _, d := range newRandom(seed).all() {
						want := map[place][]string{}
						one := items(t, m, d)
						d.keep(func(item int, res pcommon.Resource) bool {
							at := place{streamOf(res.Attributes()), keyOf(res)}
							want[at] = append(want[at], one[item])
							return true
						})
						encoded := d.marshal(t, m)
						otlp := d.whole(t, &Marshaler{codec: newCodec(OTLPProto)})
						require.Equal(t, encoded, marshalBytes(t, m, d.signal(), otlp), "bytes make the same messages")
						found := map[place][]string{}
						for _, message := range encoded.Messages {
							at := place{message.Stream, message.PartitionKey}
							found[at] = append(found[at], items(t, m, d.decode(t, m, message.Data))...)
							streams[message.Stream] = true
							assert.Empty(t, message.ExplicitHashKey)
						}
						require.Equal(t, want, found)
					}
				}
				assert.Greater(t, len(streams), 2)
			})
		}
	}
}

func TestRouteIsCalledOnceAResource(t *testing.T) {
	logs := plog.NewLogs()
	for i := range 5 {
		addLogs(logs, fmt.Sprint(i), "a", "b", "c")
	}
	calls := 0
	m := mustNew(t, Config{Encoding: OTLPProto, TargetSize: 5000, MaxSize: 5000, Route: func(pcommon.Map) string {
		calls++
		return "one"
	}})
	encoded := logsData{logs}.marshal(t, m)
	assert.Equal(t, 5, calls)
	require.Len(t, encoded.Messages, 1)
	assert.Equal(t, "one", encoded.Messages[0].Stream)
}

// A large push to one stream is encoded in pieces. All its messages name the stream.
func TestPiecesNameTheStream(t *testing.T) {
	m := mustNew(t, Config{
		Encoding: OTLPProto, TargetSize: 5000, MaxSize: 5000, Route: func(pcommon.Map) string { return "one" },
	})
	m.pieceSize = 2000
	encoded := logsData{benchLogs(50, 5)}.marshal(t, m)
	require.Greater(t, len(encoded.Messages), 5)
	for _, message := range encoded.Messages {
		assert.Equal(t, "one", message.Stream)
	}
	parts, err := m.Divide(Logs, &encoded.Messages[0], 1)
	require.NoError(t, err)
	assert.Equal(t, "one", parts[0].Stream)
}
