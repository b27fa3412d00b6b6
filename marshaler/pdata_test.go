// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pdataChanged is what to do when the test below fails.
const pdataChanged = `pdata has changed inside: marshaler/pdata.go no longer reaches what encodes it into our own memory.
The exporter still works, through pdata's public marshalers, but takes about twice the CPU time to marshal.
Either adapt encodableOf and partsOf to the new pdata, or give the fast way up: docs/adr/0015-pdata-by-reflection.md.`

// This test fails when pdata changes inside. It proves that pdata of all signals is encoded into given memory, as a whole and in
// parts, with the same bytes as by the public marshalers.
func TestPdataIsReachedByReflection(t *testing.T) {
	m := mustNew(t, usual(OTLPProto))
	for seed := range uint64(10) {
		for _, d := range newRandom(seed).joinable() {
			var source encodable
			var ok bool
			var resources int
			switch d := d.(type) {
			case logsData:
				source, ok = encodableOf(d.Logs)
				resources = d.ResourceLogs().Len()
			case tracesData:
				source, ok = encodableOf(d.Traces)
				resources = d.ResourceSpans().Len()
			case metricsData:
				source, ok = encodableOf(d.Metrics)
				resources = d.ResourceMetrics().Len()
			}
			require.True(t, ok, "%s: %s", d.signal(), pdataChanged)
			data := make([]byte, source.SizeProto())
			require.Equal(t, len(data), source.MarshalProto(data), pdataChanged)
			require.Equal(t, d.whole(t, m), data, pdataChanged)
			parts, ok := partsOf(source, resources)
			require.True(t, ok, "%s: %s", d.signal(), pdataChanged)
			joined := []byte{}
			for i := range resources {
				part := parts.take(i, i+1)
				data := make([]byte, part.SizeProto())
				part.MarshalProto(data)
				joined = append(joined, data...)
			}
			require.Equal(t, data, joined, pdataChanged)
			assert.False(t, m.FallsBack(d.signal()), pdataChanged)
		}
	}
}

// unreached makes a Marshaler believe that it does not know this version of pdata.
func unreached(m *Marshaler) *Marshaler {
	m.reach = func(any) (encodable, bool) { return nil, false }
	return m
}

// Where pdata cannot be reached, the public marshalers do the work, with the same messages.
func TestFallingBackChangesNoMessage(t *testing.T) {
	small := Config{Encoding: OTLPProto, TargetSize: 700, MaxSize: 1 << 20, SignalMarker: true}
	for _, d := range append(newRandom(3).joinable(), logsData{benchLogs(100, 100)}) {
		fast, slow := mustNew(t, small), unreached(mustNew(t, small))
		assert.True(t, slow.FallsBack(d.signal()))
		assert.Equal(t, d.marshal(t, fast), d.marshal(t, slow))
	}
	assert.False(t, unreached(mustNew(t, usual(OTLPJSON))).FallsBack(Logs), "JSON has no faster way")

	noParts := mustNew(t, usual(OTLPProto))
	noParts.reach = func(any) (encodable, bool) { return &fakePdata{}, true }
	assert.True(t, noParts.FallsBack(Traces), "large pushes cannot be encoded in pieces")
}

// What is not built like pdata's types is left to pdata's marshalers.
func TestWhatIsNoPdataIsNotReached(t *testing.T) {
	type wrapped struct{ orig *int }
	for _, v := range []any{nil, 1, "text", struct{}{}, struct{ orig int }{1}, wrapped{}, wrapped{new(int)}} {
		_, ok := encodableOf(v)
		assert.False(t, ok, "%T", v)
	}
	m := mustNew(t, usual(OTLPProto))
	one := push{signal: Logs, items: 1, resources: 1}
	encoded, err := encode(m, one, struct{}{}, func(struct{}) ([]byte, error) { return []byte("otlp"), nil }, nil)
	require.NoError(t, err)
	assert.Equal(t, "otlp", string(encoded.Messages[0].Data))
	encoded.Release()
}
