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

// checkGroups checks that each message has items of one destination only, and that each item is in one message, in order. It
// returns the items of each destination.
func checkGroups(t testing.TB, m *Marshaler, d telemetry) map[destination][]string {
	t.Helper()
	read := d.decode(t, m, d.whole(t, m)) // as readers see it
	want, one := map[destination][]string{}, items(t, m, read)
	for item, to := range destinations(m, d) {
		want[to] = append(want[to], one[item])
	}
	found := map[destination][]string{}
	encoded := d.marshal(t, m)
	for _, message := range encoded.Messages {
		to := destination{message.PartitionKey, message.ExplicitHashKey, message.Stream}
		found[to] = append(found[to], items(t, m, d.decode(t, m, message.Data))...)
		require.LessOrEqual(t, len(to.key), m.cfg.Key.keySize())
	}
	if encoded.Mended.Any() || d.signal() == Profiles { // what profiles share is written in another way
		require.Len(t, found, len(want))
		for to := range want {
			require.Len(t, found[to], len(want[to]))
		}
		return want
	}
	require.Equal(t, want, found)
	return want
}

// Bytes make the messages that pdata makes.
func TestMessagesGoByStreamAndKey(t *testing.T) {
	for _, encoding := range bothEncodings {
		for _, key := range manyKeys {
			t.Run(fmt.Sprintf("%s/%+v", encoding, key), func(t *testing.T) {
				m := mustNew(t, Config{Encoding: encoding, TargetSize: 2500, MaxSize: 1 << 20, Key: key, Route: streamOf})
				seen := map[destination]bool{}
				for seed := range uint64(4) {
					r := newRandom(seed)
					r.hashKeys = true
					for _, d := range r.all() {
						otlp := d.whole(t, &Marshaler{codec: newCodec(OTLPProto)})
						require.Equal(t, d.marshal(t, m), marshalBytes(t, m, d.signal(), otlp))
						for to := range checkGroups(t, m, d) {
							seen[to] = true
						}
					}
				}
				assert.Greater(t, len(seen), 2)
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
