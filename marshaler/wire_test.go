package marshaler

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// With this version of pdata, requests are written into memory that is there already, to the same bytes.
func TestWireMessages(t *testing.T) {
	m := mustNew(t, usual(OTLPProto))
	for seed := range uint64(10) {
		for _, d := range newRandom(seed).all() {
			var message wireMessage
			var ok bool
			switch d := d.(type) {
			case logsData:
				message, ok = wireMessageOf(d.Logs)
			case tracesData:
				message, ok = wireMessageOf(d.Traces)
			case metricsData:
				message, ok = wireMessageOf(d.Metrics)
			}
			require.True(t, ok, d.signal())
			data := make([]byte, message.SizeProto())
			require.Equal(t, len(data), message.MarshalProto(data))
			assert.Equal(t, d.whole(t, m), data)
		}
	}
}

// What is not made like pdata's types is left to pdata's marshalers.
func TestNoWireMessage(t *testing.T) {
	type wrapped struct{ orig *int }
	for _, v := range []any{nil, 1, "text", struct{}{}, struct{ orig int }{1}, wrapped{}, wrapped{new(int)}} {
		_, ok := wireMessageOf(v)
		assert.False(t, ok, "%T", v)
	}
	m := mustNew(t, usual(OTLPProto))
	one := request{signal: Logs, items: 1, resources: 1}
	encoded, err := encode(m, one, struct{}{}, func(struct{}) ([]byte, error) { return []byte("otlp"), nil })
	require.NoError(t, err)
	assert.Equal(t, "otlp", string(encoded.Chunks[0].Data))
	encoded.Release()
}
